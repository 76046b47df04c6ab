"""Recording: a run is written as it goes, obeys, ends in a state that says why, and resumes bit for bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from attnviz.errors import RunBusy
from attnviz.models.network import build_network
from attnviz.tasks import IGNORE, ModularAddition
from attnviz.training import Command, Metrics, Run, RunConfig, Step, TrainConfig, is_milestone, record, train
from attnviz.training.run import recorder
from tests.training.runs import MODEL, TASK, Script, contents, small_config, small_run, stop_after

pytestmark = pytest.mark.usefixtures("one_thread")  # as `record`, for what is compared with it


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """A run that went through."""
    run = small_run(tmp_path_factory.mktemp("whole") / "run")
    assert record(run).state == "done"
    return contents(run)


def stored(metrics: Metrics) -> Metrics:
    """Expect what the file keeps: how many answers were judged is known of the task."""
    judged = metrics.validation
    return metrics if judged is None else replace(metrics, validation=replace(judged, n=0, tally=()))


def test_a_run_records_what_the_loop_computes(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", replace(small_config(), model=replace(MODEL, dropout=0.0)))
    seen: list[Step] = []
    state = record(run, on_step=seen.append)
    assert (state.state, state.step, state.process) == ("done", 12, None)
    assert Run.open(run.folder).state() == state
    network = build_network(run.config.model, 0)
    steps = list(train(network, TASK, run.config.training))
    assert seen == steps
    assert run.metrics() == [stored(Metrics.of(s, m.seconds)) for s, m in zip(steps, run.metrics(), strict=True)]
    seconds = [m.seconds for m in run.metrics()]
    assert seconds == sorted(seconds)
    assert run.checkpoints() == [0, 1, 2, 5, 10, 12]
    kept = run.network(12).state_dict()
    assert all(torch.equal(kept[name], tensor) for name, tensor in network.state_dict().items())
    assert run.timeline().steps == (0, 1, 2, 4, 5, 6, 8, 10, 12)


@pytest.mark.parametrize("route", ["plain", "onednn"])
def test_a_run_of_an_older_version_opens_and_goes_on(tmp_path: Path, whole: dict[str, object], route: str) -> None:
    """Their config.json names a way of multiplying that there is no more."""
    run = small_run(tmp_path / "run")
    assert record(run, stop_after(5)).state == "stopped"
    config = json.loads((run.folder / "config.json").read_text())
    assert "route" not in config
    (run.folder / "config.json").write_text(json.dumps({**config, "route": route}))
    old = Run.open(run.folder)
    assert old.config == run.config
    assert record(old).state == "done"
    assert contents(old) == whole


def test_recording_a_run_that_is_done_changes_nothing(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", steps=2)
    record(run)
    before = {
        path.name: path.stat().st_mtime_ns for path in run.folder.iterdir() if not path.name.startswith(".lease-")
    }
    assert record(run).state == "done"
    assert before == {
        path.name: path.stat().st_mtime_ns for path in run.folder.iterdir() if not path.name.startswith(".lease-")
    }


@pytest.mark.parametrize("stops", [[0], [3], [5], [4, 3, 1]])
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path, stops: list[int], whole: dict[str, object]) -> None:
    run = small_run(tmp_path / "run")
    done = 0
    for steps in stops:
        done += steps
        state = record(run, stop_after(steps))
        assert (state.state, state.step) == ("stopped", done)
        assert done in run.checkpoints()
    torch.manual_seed(99)  # must not matter, dropout or not
    assert record(run).state == "done"
    found = contents(run)
    assert found["metrics"] == whole["metrics"]
    for part in ("checkpoints", "attention"):  # the whole one, and the places where it was stopped
        expected, given = whole[part], found[part]
        assert isinstance(expected, dict)
        assert isinstance(given, dict)
        assert {key: given[key] for key in expected} == expected


def test_a_killed_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    """kill -9 of a process at work: the folder is readable, it is interrupted and resumes from the last interval."""
    config = small_config(steps=60, every=7)
    through = Run.create(tmp_path / "through", config)
    record(through)
    run = Run.create(tmp_path / "run", config)
    script = (
        "import sys; from pathlib import Path; from attnviz.training import Run, record\n"
        "def halt(step):\n"
        "    if step.step == 26: print('here', 'torch._dynamo' in sys.modules, flush=True); sys.stdin.read()\n"
        "record(Run.open(Path(sys.argv[1])), on_step=halt)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(run.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here False\n", "torch's compiler is not loaded"
        assert run.state().state == "running"
        with pytest.raises(RunBusy):
            record(run)
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, but not yet forgotten by its parent
        assert run.state().state == "interrupted"
    assert len(run.metrics()) == 26
    assert run.timeline().steps[-1] == 21
    again: list[Step] = []
    assert record(run, on_step=again.append).state == "done"
    assert again[0].step == 22
    assert contents(run) == contents(through)


def test_what_was_written_by_halves_is_computed_again(tmp_path: Path, whole: dict[str, object]) -> None:
    run = small_run(tmp_path / "run")
    record(run, stop_after(5))
    with run.metrics_path.open("ab") as file:
        file.write(b'{"step": 6, "lo')
    with run.timeline_path.open("ab") as file:
        file.write(b"SNAP\x00\x06\x00")
    (run.folder / "checkpoints" / ".step-000005.safetensors.1-1.tmp").write_bytes(b"half")
    assert [m.step for m in run.metrics()] == [1, 2, 3, 4, 5]
    assert run.timeline().steps[-1] == 5
    assert run.checkpoints() == [0, 1, 2, 5]
    record(run)
    (run.folder / "checkpoints" / ".step-000005.safetensors.1-1.tmp").unlink()
    assert contents(run) == whole


def test_pause_single_steps_and_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run(tmp_path / "run")
    seen: list[tuple[str, int]] = []

    def sleep(_: float) -> None:
        seen.append((run.state().state, run.state().step))

    monkeypatch.setattr(time, "sleep", sleep)
    step = Command("step")
    control = Script(
        at_3=Command("pause"), at_5=step, at_8=[step, step], at_12=Command("resume"), at_14=Command("stop")
    )
    state = record(run, control)
    assert seen == [("paused", 3)] * 2 + [("paused", 4)] * 2 + [("paused", 6)] * 2
    assert (state.state, state.step) == ("stopped", 8)


def test_the_speed_is_a_limit_and_commands_are_obeyed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    clock = SimpleNamespace(sleep=sleep, monotonic=lambda: now, thread_time=time.thread_time)
    monkeypatch.setattr(recorder, "time", clock)
    times: list[float] = []
    fast = small_run(tmp_path / "fast", 8)
    control = Script(at_3=Command("speed", 10.0), at_6=Command("speed"))
    assert record(fast, control, lambda step: times.append(now)).state == "done"
    assert times == [0.0] * 3 + [pytest.approx(0.06)] * 5  # a tenth of a second was not over when the limit went
    slow = small_run(tmp_path / "slow", 3)
    times.clear()
    record(slow, Script(at_0=Command("speed", 2.0)), lambda step: times.append(now))
    assert [b - a for a, b in pairwise(times)] == pytest.approx([0.5, 0.5])


def test_the_learning_rate_changes_on_the_way_and_stays_changed(tmp_path: Path) -> None:
    config = small_config(learning_rate=1e-3)
    run = Run.create(tmp_path / "run", config)
    record(run, Script(at_6=Command("learning_rate", 4e-3), at_8=Command("stop")))
    record(run)
    rates = [m.learning_rate for m in run.metrics()]
    expected = [config.training.rate(n) * (1 if n <= 6 else 4) for n in range(1, 13)]
    assert rates == pytest.approx(expected)


def test_it_stops_at_the_target_and_does_not_go_beyond(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", steps=500, batch_size=64, learning_rate=1e-2, target=0.05)
    state = record(run)
    assert 5 <= state.step < 500
    assert state.step % 5 == 0
    run.write_state(replace(state, state="interrupted"))  # killed before it could say "done"
    assert record(run) == state
    assert len(run.metrics()) == state.step


def test_milestones_are_dense_at_the_beginning() -> None:
    assert [n for n in range(3001) if is_milestone(n)] == [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]


def test_metrics_are_lines_of_json(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", steps=5)
    record(run)
    lines = [json.loads(line) for line in run.metrics_path.read_text().splitlines()]
    assert [set(line) for line in lines[:1]] == [{"step", "loss", "learning_rate", "seconds"}]
    assert set(lines[-1]) == {"step", "loss", "learning_rate", "seconds", "accuracy", "validation"}
    assert set(lines[-1]["validation"]) == {"loss", "accuracy", "outputs"}
    assert TrainConfig(**json.loads((run.folder / "config.json").read_text())["training"]) == run.config.training


def test_outputs_answer_the_samples(tmp_path: Path) -> None:
    """The last line's outputs are what the last network says to the sequences that a reader is given."""
    run = small_run(tmp_path / "run", steps=6, validation_size=40)
    record(run)
    validation = run.metrics()[-1].validation
    assert validation is not None
    samples = run.samples()
    assert len(samples) == len(validation.outputs) == 6
    network = run.network(6).eval()
    for sample, output in zip(samples, validation.outputs, strict=True):
        scored = sample.targets != IGNORE
        assert tuple(network(sample.tokens).argmax(-1)[scored].tolist()) == output
    few = small_run(tmp_path / "few", steps=1, validation_size=2)
    record(few)
    assert len(few.samples()) == 2


def test_a_spectrum_is_recorded_where_there_is_one(tmp_path: Path) -> None:
    task = ModularAddition(5)
    training = TrainConfig(steps=4, batch_size=4, validate_every=2, validation_size=4)
    run = Run.create(tmp_path / "run", RunConfig(task, task.model_config(), training))
    record(run)
    assert [m.spectrum is not None for m in run.metrics()] == [False, True, False, True]
    spectrum = run.metrics()[-1].spectrum
    assert spectrum is not None
    assert spectrum == pytest.approx(task.spectrum(run.network(4)).tolist())
    assert sum(spectrum) == pytest.approx(1)
