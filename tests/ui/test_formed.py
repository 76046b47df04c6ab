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
from tests.ui.asgi import Answer, awaited, get

APP = Starlette(routes=run_routes(""))
CELL = {"site": "encoder.0.self", "head": "1", "query": "1", "key": "0", "seq": "1"}


def ask(name: str, **changed: str) -> Answer:
    return get(APP, f"/attnviz/runs/{name}/why", params={"who": "me", **CELL, **changed})


def asked(name: str, **changed: str) -> dict[str, Any]:
    """Return the answer when it is over."""
    return awaited(APP, BACKGROUND, f"/attnviz/runs/{name}/why", **{**CELL, **changed})


def test_a_cell_is_told_at_every_kept_checkpoint(done: Run) -> None:
    found = asked(done.name)["result"]
    assert (found["steps"], found["kept"]) == (done.checkpoints(), len(done.checkpoints()))
    for side in ("queries", "keys"):
        for step, above in enumerate(found["above"]):
            assert sum(band["shares"][step] for band in found[side]) == pytest.approx(above, abs=1e-4)
    assert all(0 < weight < 1 for weight in found["weights"])


def test_of_many_checkpoints_some_are_looked_at_and_none_twice(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formed, "MOST_STEPS", 3)
    asked(done.name)
    before = formed._moment.cache_info().misses
    found = asked(done.name, who="other")["result"]
    assert (len(found["steps"]), found["kept"]) == (3, len(done.checkpoints()))
    assert (found["steps"][0], found["steps"][-1]) == (done.checkpoints()[0], done.checkpoints()[-1])
    assert formed._moment.cache_info().misses == before


@pytest.mark.parametrize(
    "changed",
    [{"site": "nowhere"}, {"head": "2"}, {"head": "x"}, {"query": "99"}, {"key": ""}, {"seq": "7"}, {"seq": "-1"}],
)
def test_a_cell_that_there_is_not_is_refused(done: Run, changed: dict[str, str]) -> None:
    answer = ask(done.name, **changed)
    assert (answer.status, answer.json()) == (400, {"error": "cell"})


def test_a_run_that_is_not_there_and_a_damaged_checkpoint_are_said(runs_folder: Path) -> None:
    assert ask("nobody").status == 404
    own = small_run(runs_folder / "damaged")
    record(own)
    own.checkpoint_path(5).write_bytes(b"0")
    said = [asked("damaged", lang=lang)["failed"] for lang in ("en", "zh")]
    assert all("step-000005" in text for text in said)
    assert not said[1].isascii()


def test_a_key_that_may_not_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {"site": "decoder.1.self", "head": "0", "query": "1", "key": "6", "seq": "0"}
    assert "may not read" in asked("induction-recorded", **changed)["failed"]
    assert BACKGROUND.thread is None
