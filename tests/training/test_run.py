"""The run folder: written once, read by anyone, and clear about what cannot be read."""

from __future__ import annotations

import doctest
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, cast

import pytest

from attnviz.errors import ConfigError, InvalidRunName, RunBusy, RunCorrupt, RunError, RunExists, RunNotFound
from attnviz.tasks import Dates, Task
from attnviz.trace import trace
from attnviz.training import (
    RECIPES,
    Command,
    CommandFile,
    Metrics,
    Recording,
    Run,
    RunConfig,
    RunState,
    all_runs,
    new_run,
    open_run,
    place_in_queue,
    runs_root,
)
from attnviz.training.recipes import OWN
from attnviz.training.run import recorder
from attnviz.training.run.process import ProcessId, _started
from tests.training.runs import MODEL, small_config, small_run

Values = dict[str, Any]


@pytest.mark.parametrize("name", RECIPES)
def test_a_configuration_comes_back_from_json(name: str) -> None:
    config = RunConfig.of_recipe(RECIPES[name], Recording(every=3))
    values = json.loads(json.dumps(config.to_dict()))
    assert RunConfig.from_dict(values) == config
    assert values["recipe"] == name
    assert values["seed"] == config.training.seed


@pytest.mark.parametrize("kind", [k for k in Task.families.values() if k.__module__.startswith("attnviz.tasks.")])
def test_every_task_can_be_a_run(kind: type[Task]) -> None:
    needed = [f for f in fields(cast(Any, kind)) if f.default is MISSING and f.default_factory is MISSING]
    brought = {own.kind: own.sample for own in OWN.values()}
    task = kind(**{f.name: brought[kind] for f in needed})  # data of one's own
    config = RunConfig(task, task.model_config(), small_config().training)
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def edit(*path: str, value: Any) -> Callable[[Values], None]:
    def change(values: Values) -> None:
        for key in path[:-1]:
            values = values[key]
        values[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (edit("format", value=2), "format 2 is unknown, this version reads 1"),
        (edit("task", "family", value="Chess"), "the task family 'Chess' is unknown; there are "),
        (edit("task", "family", value="evaluate"), "the task family 'evaluate' is unknown"),
        (edit("task", "parameters", "n_symbols", value="many"), "n_symbols of the task Reverse is 'many'"),
        (edit("task", "parameters", "colour", value=1), "unexpected keyword argument 'colour'"),
        (edit("task", value=None), "not subscriptable"),
        (edit("model", "d_model", value=15), "d_model is 15; it must be a multiple of n_heads"),
        (edit("model", "vocab_size", value=3), "the task reverse needs"),
        (edit("training", "steps", value=-4), "steps is -4"),
        (edit("training", "speed", value=9), "unexpected keyword argument 'speed'"),
        (edit("training", "learning_rate", value="fast"), "must be real number"),
        (edit("recording", "every", value=0), "every is 0; it must be a whole number from 1 to"),
        (lambda values: values.pop("model"), "'model' is missing"),
        (lambda values: values.clear(), "format None is unknown"),
    ],
)
def test_an_edited_configuration_is_refused(tmp_path: Path, change: Callable[[Values], None], message: str) -> None:
    run = small_run(tmp_path / "run")
    file = run.folder / "config.json"
    values = json.loads(file.read_text())
    change(values)
    file.write_text(json.dumps(values))
    with pytest.raises(RunCorrupt) as caught:
        Run.open(run.folder)
    assert message in str(caught.value)
    assert str(caught.value).startswith("The run run cannot be opened: config.json cannot be read: ")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\udcff".encode("utf-8", "surrogateescape")])
def test_a_file_that_is_no_configuration(tmp_path: Path, text: str | bytes) -> None:
    data = text if isinstance(text, bytes) else text.encode()
    (tmp_path / "config.json").write_bytes(data)
    with pytest.raises(RunCorrupt):
        Run.open(tmp_path)


def test_a_model_for_another_task_is_refused() -> None:
    with pytest.raises(ConfigError, match="the task dates needs"):
        RunConfig(Dates(), MODEL, small_config().training)


@pytest.mark.parametrize("text", ["", "{}", '{"state": "flying", "step": 1}', '{"state": "done", "step": 1, "x": 2}'])
def test_an_edited_state_is_refused(tmp_path: Path, text: str) -> None:
    run = small_run(tmp_path / "run")
    (run.folder / "state.json").write_text(text)
    with pytest.raises(RunCorrupt, match=r"The run run cannot be opened: state\.json cannot be read"):
        run.state()


def test_a_process_that_is_gone_or_another_one_is_an_interruption(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    me = ProcessId.current()
    assert me.alive()
    for process, state in (
        (me, "running"),
        (replace(me, started="another time"), "interrupted"),  # its number was given to another process
        (replace(me, pid=2**22 + 1), "interrupted"),
        (replace(me, host="elsewhere"), "interrupted"),  # it would renew a lease
        (None, "interrupted"),
    ):
        run.write_state(RunState("running", 3, process))
        step = 3 if state == "running" else 0  # of one that is gone, the last step that its metrics tell
        assert (run.state().state, run.state().step) == (state, step)
    run.write_state(RunState("stopped", 3))
    assert run.state().state == "stopped"


def test_metrics_that_were_edited_are_refused_with_the_line(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    good = Metrics(1, 0.5, 1e-3, 0.1).to_line()
    for bad in (b"nonsense\n", b"[1]\n", b'{"step": 1}\n'):
        run.metrics_path.write_bytes(good + bad + good)
        with pytest.raises(RunCorrupt, match=r"metrics\.jsonl cannot be read: line 2: "):
            run.metrics()


def test_a_run_is_not_made_over_another(tmp_path: Path) -> None:
    small_run(tmp_path / "run")
    with pytest.raises(RunExists, match="There is already a run run"):
        small_run(tmp_path / "run")
    with pytest.raises(RunNotFound):
        Run.open(tmp_path / "other")


def test_one_claim_at_a_time(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    with run.claimed(), pytest.raises(RunBusy, match="is already being trained"), run.claimed():
        raise AssertionError
    with run.claimed():
        assert run.checkpoints() == []


def test_a_checkpoint_opens_as_a_model(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", steps=2)
    recorder.record(run)
    model = run.model(2)
    assert (model.card.name, model.card.task, model.card.seed) == ("run", "reverse", 0)
    assert len(trace(model, "b a c").sites) == MODEL.n_layers
    with pytest.raises(RunCorrupt, match=r"The run run cannot be opened: step-000007\.safetensors cannot be read"):
        run.model(7)


def test_runs_are_found_by_name_in_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path / "runs"))
    assert runs_root() == tmp_path / "runs"
    assert all_runs() == []
    first, second = new_run(small_config()), new_run(small_config())
    assert first.name != second.name
    assert first.folder.parent == second.folder.parent == tmp_path / "runs"
    third = new_run(replace(small_config(), created="2099-01-01T00:00:00+00:00"), "mine")
    (tmp_path / "runs" / "bad").mkdir()
    (tmp_path / "runs" / "bad" / "config.json").write_text("{}")
    found = all_runs()
    assert found[0] == third == open_run("mine")
    assert {run.name for run in found if isinstance(run, Run)} == {first.name, second.name, "mine"}
    assert [type(run) for run in found if isinstance(run, RunError)] == [RunCorrupt]
    monkeypatch.delenv("ATTNVIZ_RUNS")
    assert runs_root() == Path("runs")


@pytest.mark.parametrize("name", ["", "..", ".", "../x", "a/b", "/etc", "a\\b", ".hidden", "a\n", "x" * 101])
def test_a_path_is_no_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunNotFound):
        open_run(name, tmp_path)
    with pytest.raises(InvalidRunName):
        new_run(small_config(), name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("accounts", [True, False], ids=["linux", "elsewhere"])
def test_a_process_is_known_by_its_start(monkeypatch: pytest.MonkeyPatch, accounts: bool) -> None:
    """By the kernel's own account, and by psutil where there is none."""
    if not accounts:
        monkeypatch.setattr("attnviz.training.run.process.Path", lambda path: Path("/nowhere"))
    me = ProcessId.current()
    assert me.alive()
    assert not replace(me, started="long ago").alive()
    assert not replace(me, host="another machine").alive(), "its number may be another one's here"
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked how
        assert _started(child.pid) == ""
    assert _started(child.pid) == ""


def test_the_place_in_the_queue_is_in_the_folders(tmp_path: Path) -> None:
    runs = [small_run(tmp_path / name) for name in "abc"]
    me = ProcessId.current()
    for run, queued in zip(runs, (30.0, 10.0, 20.0), strict=True):
        run.write_state(RunState("queued", process=me, queued=queued))
    assert [place_in_queue(run) for run in runs] == [3, 1, 2]
    runs[1].write_state(RunState("running", process=me))
    runs[2].write_state(RunState("queued", process=replace(me, started="long ago"), queued=20.0))
    assert [place_in_queue(run) for run in runs] == [1, None, None]


def test_commands_reach_the_reader_once_and_in_order(tmp_path: Path) -> None:
    sender, reader = CommandFile(tmp_path / "c"), CommandFile(tmp_path / "c")
    assert reader.poll() == []
    sender.send("pause")
    sender.send("learning_rate", 0.01)
    assert reader.poll() == [Command("pause"), Command("learning_rate", 0.01)]
    assert reader.poll() == []
    with sender.path.open("ab") as file:
        file.write(b'{"name": "st')
    assert reader.poll() == []
    with sender.path.open("ab") as file:
        file.write(b'op"}\n')
    assert reader.poll() == [Command("stop")]
    reader.clear()
    sender.send("resume")
    assert reader.poll() == [Command("resume")]


def test_lines_that_are_no_commands_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = CommandFile(tmp_path / "c")
    lines = [b"x\n", b"[]\n", b'{"name": "fly"}\n', b'{"name": "learning_rate", "value": "high"}\n', b"\xff\n"]
    file.path.write_bytes(b"".join(lines))
    file.send("stop")
    assert file.poll() == [Command("stop")]
    assert len(caplog.records) == len(lines)


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), "high"])
def test_an_impossible_speed_is_not_sent(tmp_path: Path, value: Any) -> None:
    with pytest.raises(ConfigError, match="it must be above 0, or none"):
        CommandFile(tmp_path / "c").send("speed", value)


@pytest.mark.parametrize("value", [0, -1, 10, float("nan"), None])
def test_an_impossible_learning_rate_is_not_sent(tmp_path: Path, value: float | None) -> None:
    file = CommandFile(tmp_path / "c")
    with pytest.raises(ConfigError, match="it must be above 0 and at most 1"):
        file.send("learning_rate", value)
    assert not file.path.exists()


def test_worked_examples() -> None:
    assert doctest.testmod(recorder).failed == 0
