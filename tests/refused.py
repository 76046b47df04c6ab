"""Expect an error by its kind and details: its words stand in the catalogue alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from attnviz.errors import AttnvizError


@contextmanager
def refused(error: AttnvizError) -> Iterator[None]:
    """Expect that this very error is raised."""
    with pytest.raises(type(error)) as caught:
        yield
    assert repr(caught.value) == repr(error)
