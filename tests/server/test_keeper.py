"""A run that was seen at work and is lost goes on, on the server that sees it first; others are left to people."""

from __future__ import annotations

from pathlib import Path

import pytest

from attnviz.errors import RunUnwritable, TrainingDiverged
from attnviz.server.keeper import Keeper
from attnviz.training import Run, RunState
from attnviz.training.run.lease import LEASE_SECONDS
from tests.training.runs import small_run
from tests.training.test_lease import HOUR, elsewhere, silence


class Queue:
    """Notes what it is given."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def take_over(self, run: Run) -> bool:
        self.taken.append(run.name)
        elsewhere(run)
        return True


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv(LEASE_SECONDS, str(HOUR))
    return tmp_path / "runs"


def looks(keeper: Keeper, n: int = 2) -> list[str]:
    return [run.name for _ in range(n) for run in keeper.look()]


def test_a_run_whose_machine_died_goes_on_here_once(root: Path) -> None:
    run, old = small_run(root / "run"), small_run(root / "old")
    for each in (run, old):
        elsewhere(each)
    silence(old.folder)
    keeper, other = Keeper(Queue()), Keeper(Queue())
    assert looks(keeper) == looks(other) == [], "one is at work, the other one was lost long ago"
    silence(run.folder)
    assert looks(keeper, 1) == [], "its own server comes first"
    assert looks(keeper) == ["run"]
    assert looks(other) == [], "it has a holder again"


def test_a_run_goes_on_when_its_folder_is_there_again(root: Path) -> None:
    run = small_run(root / "run")
    elsewhere(run)
    keeper = Keeper(Queue())
    keeper.look()
    root.rename(root.with_name("away"))
    assert looks(keeper, 3) == []
    root.with_name("away").rename(root)
    silence(run.folder)
    assert looks(keeper) == ["run"]


@pytest.mark.parametrize(
    ("error", "goes_on"),
    [(RunUnwritable("run", "No space left on device"), True), (TrainingDiverged(3, 9.0, 1.0), False)],
)
def test_a_run_that_found_no_room_is_tried_again(root: Path, error: RunUnwritable, goes_on: bool) -> None:
    run = small_run(root / "run")
    elsewhere(run)
    keeper = Keeper(Queue())
    keeper.look()
    run.write_state(RunState("failed", 3, message=str(error), error={"code": error.code, "details": error.details}))
    assert looks(keeper) == ["run"] * goes_on


def test_what_has_ended_stays_as_it_is(root: Path) -> None:
    run = small_run(root / "run")
    elsewhere(run)
    keeper = Keeper(Queue())
    keeper.look()
    for state in ("stopped", "done"):
        run.write_state(RunState(state, 3))  # type: ignore[arg-type]
        assert looks(keeper) == []
