"""When recording fails: the error says what to do, the state says why, and what is on disk stays good."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from math import log
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from attnviz.errors import RunCorrupt, RunUnwritable, TrainingDiverged
from attnviz.models.network import build_network
from attnviz.training import Command, Evaluation, Run, RunState, Step, record
from attnviz.training.engine import loop
from attnviz.training.engine.divergence import LossWatch
from attnviz.training.run.process import ProcessId
from tests.training.runs import MODEL, Script, small_config, small_run, stop_after


def test_divergence_is_explained_and_the_last_good_state_kept(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", steps=200, learning_rate=1.0, warmup_steps=0, clip=1e6)
    with pytest.raises(TrainingDiverged, match="Lower the learning rate of"):
        record(run)
    state = run.state()
    assert state.state == "failed"
    assert state.resumable
    assert "Lower the learning rate of" in state.message
    assert state.error is not None
    assert state.error["code"] == "training_diverged"
    assert set(state.error["details"]) == {"step", "loss", "learning_rate"}
    before = run.network(run.checkpoints()[0])
    assert all(bool(p.isfinite().all()) for p in before.parameters())
    assert record(run, Script(at_0=Command("learning_rate", 3e-3))).state == "done"
    assert [m.step for m in run.metrics()] == list(range(1, 201))
    assert run.metrics()[-1].loss < 1.0  # it learns


@pytest.mark.parametrize("d_ff", [0, 32])
@pytest.mark.parametrize(("learning_rate", "warmup_steps"), [(1.0, 40), (1.0, 0), (0.5, 0)])
def test_a_run_that_runs_away_is_stopped_and_recovers(
    tmp_path: Path, d_ff: int, learning_rate: float, warmup_steps: int
) -> None:
    """With or without a warm-up that hides it, with attention alone or more; of any seed in the first 60 steps."""
    rates = {"learning_rate": learning_rate, "warmup_steps": warmup_steps, "schedule": "constant"}
    config = small_config(300, every=10, clip=None, **rates)
    run = Run.create(tmp_path / "run", replace(config, model=replace(MODEL, d_ff=d_ff)))
    with pytest.raises(TrainingDiverged):
        record(run)
    assert len(run.metrics()) < 300
    assert record(run, Script(at_0=Command("learning_rate", 5e-3))).state == "done"
    assert [m.step for m in run.metrics()] == list(range(1, 301))
    assert run.metrics()[-1].loss < run.metrics()[0].loss / 2


def test_a_learning_rate_that_ruins_what_was_learned_can_be_taken_back(tmp_path: Path) -> None:
    """Raised on the way: the run goes on from before it was raised."""
    run = small_run(tmp_path / "run", 300, every=10, learning_rate=5e-3, schedule="constant")
    with pytest.raises(TrainingDiverged):
        record(run, Script(at_200=Command("learning_rate", 1.0)))
    assert len(run.metrics()) < 250
    again: list[Step] = []
    assert record(run, Script(at_0=Command("learning_rate", 5e-3)), again.append).state == "done"
    assert 200 < again[0].step <= 211
    assert again[0].loss < 1.0


def test_a_loss_at_chance_is_no_divergence() -> None:
    """Neither one that never leaves it, nor one that falls to it, nor a single bad batch."""
    for losses in ([2.3] * 500, [7.0] * 3 + [2.3] * 500, [2.3] * 50 + [0.01] * 50 + [8.0, 4.0] + [0.01] * 20):
        watch = LossWatch(log(10))
        for loss in losses:
            watch.see(loss)
            assert not watch.diverged
        assert watch.sane


@pytest.mark.parametrize("before", [[], [2.5] * 30, [0.01] * 300, [7.0, 6.0, 5.0] + [2.5] * 40])
def test_a_loss_that_rises_for_good_is_a_divergence(before: list[float]) -> None:
    watch = LossWatch(log(10))
    for loss in [*before, *(3.0 * 1.2**n for n in range(12))]:
        watch.see(loss)
    assert watch.diverged
    assert not watch.sane


def test_a_validation_loss_that_is_no_number_is_a_divergence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is not written: metrics.jsonl stays JSON."""
    run = small_run(tmp_path / "run")
    monkeypatch.setattr(loop, "evaluate", lambda *_: Evaluation(float("inf"), 0.0))
    with pytest.raises(TrainingDiverged, match="the loss is inf at step 5"):
        record(run)
    assert len(run.metrics()) == 4


def test_a_loss_that_is_no_number_is_never_saved(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", every=1)

    def spoil(step: Step) -> None:
        if step.step == 3:
            recorder_network[0].unembedding.bias.data.fill_(float("nan"))

    recorder_network: list[torch.nn.Module] = []
    real = build_network

    def build(*arguments: object) -> torch.nn.Module:
        recorder_network.append(real(*arguments))  # type: ignore[arg-type]
        return recorder_network[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("attnviz.tasks.base.build_network", build)
        with pytest.raises(TrainingDiverged, match="the loss is nan at step 4"):
            record(run, on_step=spoil)
    assert run.state().state == "failed"
    assert record(run).state == "done"
    assert len(run.metrics()) == 12


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said_and_what_is_there_stays_readable(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")

    def fill_up(step: Step) -> None:
        if step.step == 5:
            run.timeline_path.rename(tmp_path / "kept")
            run.timeline_path.symlink_to("/dev/full")

    with pytest.raises(RunUnwritable, match=r"The run run cannot be written: No space left on device"):
        record(run, on_step=fill_up)
    assert run.state().state == "failed"
    assert "Make room" in run.state().message
    assert len(run.metrics()) == 6
    run.timeline_path.unlink()
    (tmp_path / "kept").rename(run.timeline_path)
    assert run.timeline().steps[-1] == 5
    assert run.model(5).card.title == "run, step 5"
    assert record(run).state == "done"


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run(tmp_path / "run")
    monkeypatch.setattr(os, "link", Mock(side_effect=OSError(errno.EROFS, os.strerror(errno.EROFS))))
    with pytest.raises(RunUnwritable, match="Read-only file system"):
        record(run)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunUnwritable, match="Not a directory"):
        small_run(tmp_path / "file" / "run")


@pytest.mark.parametrize("damage", [lambda data: data[:500], lambda data: b"not a tensor", lambda data: b""])
def test_a_damaged_saved_state_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    run = small_run(tmp_path / "run")
    record(run, stop_after(5))
    run.resume_path.write_bytes(damage(run.resume_path.read_bytes()))
    with pytest.raises(RunCorrupt, match=r"The run run cannot be opened: resume\.safetensors cannot be read"):
        record(run)
    assert run.state().state == "failed"
    assert len(run.metrics()) == 5


def test_a_saved_state_of_another_shape_is_refused(tmp_path: Path) -> None:
    run, other = small_run(tmp_path / "run"), small_run(tmp_path / "other")
    record(run, stop_after(2))
    wider = Run.create(tmp_path / "wider", replace(small_config(), model=replace(MODEL, d_model=32)))
    record(wider, stop_after(2))
    wider.resume_path.rename(run.resume_path)
    with pytest.raises(RunCorrupt, match="size mismatch"):
        record(run)
    assert other.state().state == "stopped"


def test_an_interrupt_from_the_keyboard_is_an_interruption(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")

    def press(step: Step) -> None:
        if step.step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(run, on_step=press)
    assert (run.state().state, run.state().step) == ("interrupted", 7)
    assert record(run).state == "done"


@pytest.mark.parametrize("step", [1, 4, 7, 11])
def test_a_failed_run_names_the_last_step_that_was_done(tmp_path: Path, step: int) -> None:
    """Whatever state.json was told before: it is written now and then."""
    run = small_run(tmp_path / "run", every=100)

    def fail(done: Step) -> None:
        if done.step == step:
            raise ValueError("a fault of ours")

    with pytest.raises(ValueError, match="a fault of ours"):
        record(run, on_step=fail)
    assert (run.state().state, run.state().step) == ("failed", step)
    assert run.metrics()[-1].step == step


def test_a_diverged_run_names_the_last_step_that_was_done(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", steps=200, every=100, learning_rate=1.0, warmup_steps=0, clip=1e6)
    with pytest.raises(TrainingDiverged):
        record(run)
    assert run.state().step == run.metrics()[-1].step > 0


def test_a_killed_run_names_the_last_step_that_was_done(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", every=100)
    record(run, stop_after(6))
    gone = replace(ProcessId.current(), started="1")
    run.write_state(RunState("running", 2, gone))
    with run.metrics_path.open("ab") as file:
        file.write(b'{"step": 7, "loss"')  # it died in the middle of a line
    assert (run.state().state, run.state().step) == ("interrupted", 6)


@pytest.mark.parametrize(("number", "flags", "room"), [(errno.EROFS, os.ST_RDONLY, 9), (errno.ENOSPC, 0, 0)])
def test_a_run_that_was_lost_says_so_where_nobody_could_write_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, flags: int, room: int
) -> None:
    """Not even state.json: the folder itself tells, as long as it cannot be written to."""
    run = small_run(tmp_path / "run")
    run.write_state(RunState("running", 2, replace(ProcessId.current(), started="1")))
    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", lambda folder: Mock(f_flag=flags, f_bavail=room, f_blocks=100))
        state = run.state()
    assert (state.state, state.failed_by(RunUnwritable.code), state.resumable) == ("failed", True, True)
    assert os.strerror(number) in state.message
    assert run.state().state == "interrupted", "now it can go on"
