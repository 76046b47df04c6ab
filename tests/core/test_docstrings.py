"""The examples in the library's docstrings run and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import attnviz

MODULES = [m.name for m in pkgutil.walk_packages(attnviz.__path__, "attnviz.") if not m.name.endswith("__main__")]


@pytest.mark.parametrize("name", ["attnviz", *MODULES])
def test_examples_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples of {name} fail"


def test_the_heart_has_examples() -> None:
    for name in ("attnviz.attention", "attnviz.positions", "attnviz.tokenizers", "attnviz.trace.record"):
        assert doctest.testmod(importlib.import_module(name)).attempted > 0, name
