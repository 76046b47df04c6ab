"""An error that another one is the reason of says it in the language that it is itself said in, and in any process."""

from __future__ import annotations

import json
import re
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest

import attnviz
from attnviz import locale
from attnviz.bounded import read_json, reason
from attnviz.errors import AttnvizError, ModelCorrupt, SettingNotWhole, TextRefused, TextTooLong, UnknownSymbols
from attnviz.errors.base import Why
from attnviz.guard import reason_of
from attnviz.zoo import zoo_path

ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")


def chinese(error: AttnvizError) -> str:
    return locale.told("zh", error.code, json.loads(json.dumps(error.details)))


def test_a_reason_that_is_an_error_is_said_in_every_language() -> None:
    inner = UnknownSymbols(("é",), ("a", "b"))
    outer = TextRefused(2, Why.of(inner))
    assert "é" in str(outer)
    assert locale.told("en", inner.code, inner.details) in str(outer)
    assert locale.told("zh", inner.code, inner.details) in chinese(outer)
    assert not ENGLISH.search(chinese(outer))
    twice = TextRefused(1, Why.of(outer))
    assert chinese(outer) in chinese(twice)


@pytest.mark.parametrize(
    "error",
    [TextRefused(2, Why.of(TextTooLong(80, 64))), ModelCorrupt("a", "b", Why("most-tensors", most=5))],
    ids=lambda error: error.code,
)
def test_an_error_with_a_reason_goes_to_another_process(error: AttnvizError) -> None:
    other = ForkingPickler.loads(ForkingPickler.dumps(error))
    assert type(other) is type(error)
    assert (str(other), other.details) == (str(error), error.details)


def test_what_made_a_model_unreadable_is_said_in_chinese(tmp_path: Path) -> None:
    config = json.loads((zoo_path("sort") / "config.json").read_text("utf-8"))
    config["model"]["d_model"] = "wide"
    folder = tmp_path / "changed"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes((zoo_path("sort") / "model.safetensors").read_bytes())
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ModelCorrupt) as caught:
        attnviz.load_model(folder)
    assert isinstance(caught.value.__cause__, SettingNotWhole)
    assert not ENGLISH.search(chinese(caught.value)), chinese(caught.value)


@pytest.mark.parametrize("content", [b"[1]", b"[" * 3000, b'{"a": ' * 200 + b"1" + b"}" * 200, b" " * 200])
def test_what_is_wrong_with_a_file_is_said_in_chinese(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"\w") as caught:
        read_json(file, max_bytes=150 if content.isspace() else 10_000)
    why = reason(caught.value)
    assert isinstance(why, Why)
    assert why.said("en") == str(caught.value)
    assert re.search("[\u4e00-\u9fff]", why.said("zh"))


def test_a_fault_of_ours_quotes_an_error_of_ours() -> None:
    error = TextTooLong(80, 64)
    for found in (reason(error), reason_of(error)):
        assert isinstance(found, Why)
        assert found.said("zh") == chinese(error)
    missing = reason(KeyError("steps"))
    assert isinstance(missing, Why)
    assert (str(missing), missing.said("zh")) == (
        "'steps' is missing",
        locale.told("zh", "why.no-key", {"name": "'steps'"}),
    )
