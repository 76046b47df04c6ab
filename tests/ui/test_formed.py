"""The route of a cell over training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from attnviz.server import formed
from attnviz.server.experiments import BACKGROUND
from attnviz.server.run_routes import run_routes
from attnviz.training import Run, record
from tests.training.runs import small_run
from tests.ui.asgi import Answer, get

APP = Starlette(routes=run_routes(""))
CELL = {"site": "encoder.0.self", "head": "1", "query": "1", "key": "0", "seq": "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    record(small_run(folder / "learned"))
    return folder


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("ATTNVIZ_RUNS", str(folder))
    return Run.open(folder / "learned")


def ask(name: str, **changed: str) -> Answer:
    return get(APP, f"/attnviz/runs/{name}/why", params={"who": "me", **CELL, **changed})


def asked(name: str, **changed: str) -> dict[str, Any]:
    """Return the answer when it is over."""
    while True:
        told: dict[str, Any] = ask(name, **changed).json()
        if told.keys() & {"result", "failed", "error"}:
            return told
        thread = BACKGROUND.thread
        if thread is not None:
            thread.join(60)


def test_a_cell_is_told_at_every_kept_checkpoint(run: Run) -> None:
    found = asked(run.name)["result"]
    assert (found["steps"], found["kept"]) == (run.checkpoints(), len(run.checkpoints()))
    for side in ("queries", "keys"):
        for step, above in enumerate(found["above"]):
            assert sum(band["shares"][step] for band in found[side]) == pytest.approx(above, abs=1e-4)
    assert all(0 < weight < 1 for weight in found["weights"])


def test_of_many_checkpoints_some_are_looked_at_and_none_twice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formed, "MOST_STEPS", 3)
    asked(run.name)
    before = formed._moment.cache_info().misses
    found = asked(run.name, who="other")["result"]
    assert (len(found["steps"]), found["kept"]) == (3, len(run.checkpoints()))
    assert (found["steps"][0], found["steps"][-1]) == (run.checkpoints()[0], run.checkpoints()[-1])
    assert formed._moment.cache_info().misses == before


@pytest.mark.parametrize(
    "changed",
    [{"site": "nowhere"}, {"head": "2"}, {"head": "x"}, {"query": "99"}, {"key": ""}, {"seq": "7"}, {"seq": "-1"}],
)
def test_a_cell_that_there_is_not_is_refused(run: Run, changed: dict[str, str]) -> None:
    answer = ask(run.name, **changed)
    assert (answer.status, answer.json()) == (400, {"error": "cell"})


def test_a_run_that_is_not_there_and_a_damaged_checkpoint_are_said(run: Run, tmp_path: Path) -> None:
    assert ask("nobody").status == 404
    own = small_run(run.folder.parent / "damaged")
    record(own)
    own.checkpoint_path(5).write_bytes(b"0")
    said = [asked("damaged", lang=lang)["failed"] for lang in ("en", "zh")]
    assert all("step-000005" in text for text in said)
    assert not said[1].isascii()


def test_a_key_that_may_not_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {"site": "decoder.1.self", "head": "0", "query": "1", "key": "6", "seq": "0"}
    assert "may not read" in asked("induction-recorded", **changed)["failed"]
    assert BACKGROUND.thread is None
