"""Where the runs of these tests would go, and which models they see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import tiny_models


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("ATTNVIZ_MODELS", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small models, one of them damaged."""
    return tiny_models(tmp_path_factory.mktemp("models"))
