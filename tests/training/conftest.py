"""Where the runs of tests go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Runs of a test go to a folder of its own; `train` sets the number of threads, which others must not notice."""
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path / "runs"))
    threads = torch.get_num_threads()
    yield tmp_path / "runs"
    torch.set_num_threads(threads)
