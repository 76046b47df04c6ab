"""A class for the tests, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from attnviz.server.database.address import DATABASE
from attnviz.server.database.migrate import database
from attnviz.server.people import register
from attnviz.server.people.classes import CLASS
from attnviz.server.people.register import Links

__all__ = ["hold_class"]


def hold_class(monkeypatch: pytest.MonkeyPatch, runs: Path) -> Links:
    """Hold a class whose runs and database lie in a folder, as a server would that has just been started."""
    monkeypatch.setenv("ATTNVIZ_RUNS", str(runs))
    monkeypatch.delenv(DATABASE, raising=False)
    monkeypatch.setattr(register, "FRESH", -1.0)
    database.cache_clear()
    links = register.hold("7b", 2)
    monkeypatch.setenv(CLASS, links.id)
    return links
