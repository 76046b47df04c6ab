"""For all tests of tasks."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def calm(one_thread: None) -> None:
    """They train and sample small networks."""
