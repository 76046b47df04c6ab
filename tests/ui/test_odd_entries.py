"""One entry of a folder that cannot be read takes no page down, and the others are shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attnviz import locale
from attnviz.training import Run
from attnviz.training.run.runs import runs_root
from attnviz.ui import PAGES
from tests.training.runs import small_config
from tests.ui.pages import open_page, rows


@pytest.mark.parametrize("page", PAGES)
def test_odd_entries_among_the_runs(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = runs_root()
    for name in ("good", "folder", "loop", "pipe", "deep", "broken"):
        Run.create(root / name, small_config())
    (root / "folder" / "config.json").unlink()
    (root / "folder" / "config.json").mkdir()
    (root / "loop" / "config.json").unlink()
    (root / "loop" / "config.json").symlink_to("config.json")
    (root / "pipe" / "state.json").unlink()
    os.mkfifo(root / "pipe" / "state.json")
    os.mkfifo(root / "pipe" / "metrics.jsonl")
    (root / "deep" / "config.json").write_text("[" * 100_000)
    (root / "broken" / "checkpoints" / "step-000001.safetensors").symlink_to("step-000001.safetensors")
    (root / "lost+found").mkdir()
    (root / "notes.txt").touch()
    (root / "itself").symlink_to("itself")
    before = Path.stat

    def refuse(path: Path, **options: bool) -> os.stat_result:
        if "locked" in path.parts:
            raise PermissionError(13, "Permission denied", str(path))
        return before(path, **options)

    (root / "locked").mkdir()
    monkeypatch.setattr(Path, "stat", refuse)
    opened = open_page(page)
    if page == "runs":
        shown = rows(opened)
        unreadable = [locale.t("en", "runs.state.unreadable")]
        found = {name for name in shown if shown[name]["state"] == unreadable}
        assert found == {"folder", "loop", "pipe", "deep", "locked", "itself"}
        assert {"good", "broken"} <= shown.keys()
        assert not {"lost+found", "notes.txt"} & shown.keys()


def test_a_folder_of_runs_that_is_a_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path / "file"))
    for page in PAGES:
        open_page(page)
