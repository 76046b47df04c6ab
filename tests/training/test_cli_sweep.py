"""`attnviz sweep`, and what is told and exported of sweeps."""

from __future__ import annotations

import csv
import io
import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

from attnviz.cli import main
from attnviz.cli.sweep import show_sweep
from attnviz.training import all_runs, open_run, record
from attnviz.training.sweep.export import sweep_csv, tensorboard_runs, wandb_offline
from attnviz.training.sweep.members import members
from attnviz.training.sweep.plan import Sweep, all_sweeps, grid
from attnviz.training.sweep.runner import make
from attnviz.training.sweep.search import Span
from attnviz.training.sweep.searcher import runner_of, search
from tests.training.command_line import refused
from tests.training.runs import small_config, small_run
from tests.training.test_export import read_events
from tests.training.test_sweep import AtOnce

pytestmark = pytest.mark.usefixtures("runs")

TINY = ["--steps", "8", "--model", "d_model=8", "n_heads=2", "d_ff=0", "--set", "batch_size=4", "validation_size=8"]
SWEEP = ["sweep", "copy", "--grid", "n_layers=1,2", "--grid", "learning_rate=0.0003,0.003", *TINY, "validate_every=2"]


def trained(root: Path) -> tuple[Sweep, list[Any]]:
    """Two short runs of one sweep, in this process."""
    sweep, configs = grid(small_config(steps=3, validate_every=2), {"learning_rate": [0.001, 0.01]})
    made = make(sweep, configs, root)
    for run in made:
        record(run)
    return sweep, made


def test_a_sweep_is_said_trained_and_gone_on_with(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [*SWEEP, "--seeds", "2", "--halving", "--workers", "1"]
    assert main([*command, "--dry-run"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("4 combinations of n_layers, learning_rate with 2 seeds: 8 runs")
    assert said[1].startswith("at most 32 steps, about ")
    assert said[2] == "halving: the best 2 go on at step 2, the best 1 go on at step 4; to step 8"
    assert not runs.exists()

    assert main(command) == 0
    told = capsys.readouterr().out.splitlines()
    (sweep,) = all_sweeps()
    assert isinstance(sweep, Sweep)
    assert told[:3] == said
    ended = [line for line in told if line.startswith(f"{sweep.name}.")]
    assert sorted(line.split(": ")[1].split(",")[0] for line in ended) == (
        ["done at step 8"] * 2 + ["stopped by halving at step 2"] * 4 + ["stopped by halving at step 4"] * 2
    )
    best = next(line for line in told if line.startswith("best run: "))
    assert open_run(best.split()[2]).state().state == "done"

    assert main(["runs", "--json"]) == 0
    facts = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    first = facts[f"{sweep.name}.1"]
    assert (first["settings"]["n_layers"], first["settings"]["learning_rate"]) == (1, 0.0003)
    assert first["metrics"]["metric"] == "exact match"
    assert sorted(each.get("stopped_by", "") for each in facts.values()) == [""] * 2 + ["halving"] * 6

    before = [run.folder.stat().st_mtime_ns for run in all_runs()]  # type: ignore[union-attr]
    assert main(command) == 0
    assert "8 runs, 2 of them there already" in capsys.readouterr().out
    assert [run.folder.stat().st_mtime_ns for run in all_runs()] == before  # type: ignore[union-attr]


def test_a_run_is_swept_with_its_other_settings(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_run(runs / "mine", steps=6)
    assert main(["sweep", "mine", "--grid", "dropout=0,0.2", "--dry-run"]) == 0
    assert "2 combinations of dropout with 1 seed: 2 runs" in capsys.readouterr().out
    assert "--steps belongs to a task" in refused(["sweep", "mine", "--steps", "3"], capsys)
    assert "other is neither a task, see --help, nor a run" in refused(["sweep", "other"], capsys)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("n_layers", "write KEY=V1,V2"),
        ("n_layers=1,,2", "write KEY=V1,V2"),
        ("n_layers=one", "n_layers is one; it must be a whole number"),
        ("seed=1,2", "seed is not a setting"),
        ("n_heads=1,5", "n_heads=5 cannot be trained"),
        ("learning_rate=nan", "learning_rate is nan; it must be a number"),
        ("d_model=1000000", "d_model=1000000 cannot be trained"),
        ("dropout=" + ",".join(f"{n / 2000}" for n in range(1001)), "make 1,001 runs; a sweep has from 1 to 1,000"),
    ],
)
def test_a_grid_that_is_none(given: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert words in refused(["sweep", "copy", "--grid", given], capsys)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["learning_rate=0.1..0.01"], "learning_rate cannot be searched from 0.1 to 0.01"),
        (["learning_rate=0..0.1:log"], "learning_rate cannot be searched from 0 to 0.1"),
        (["learning_rate=0.01.."], "learning_rate is ''; it must be a number"),
        (["d_ff=8..64:many"], "d_ff is many; it must be a whole number"),
        (["positions=rotary..none"], "a range has two numbers"),
        (["clip=none..1"], "a range has two numbers"),
        (["seed=1..9"], "seed is not a setting"),
        (["d_ff=8..64", "--search", "d_ff=8,9"], "--search has d_ff twice"),
        (["d_ff=8..64", "--grid", "n_layers=1"], "give --grid or --search"),
        (["d_ff=8..64", "--halving"], "--pruner halving"),
        (["d_ff=8..64", "--trials", "1001"], "make 1,001 runs"),
        (["n_heads=5,7"], "cannot be trained"),
    ],
    ids=lambda given: given[0] if isinstance(given, list) else "",
)
def test_a_search_that_is_none(given: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert words in refused(["sweep", "copy", "--search", *given], capsys)


def test_a_search_is_said_and_told(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sweep", "copy", "--search", "learning_rate=1e-4..1e-2:log", "--search", "n_layers=1,2", *TINY]
    command += ["validate_every=2", "--trials", "4", "--pruner", "halving", "--workers", "2", "--dry-run"]
    assert main(command) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("at most 4 combinations of learning_rate, n_layers with 1 seed: 4 runs")
    assert said[1].startswith("at most 32 steps, about ")
    assert said[2] == "search: tpe sampler with seed 0, 2 at once; halving pruner at steps 2, 4"
    assert not runs.exists()
    assert "--sampler belongs to --search" in refused(["sweep", "copy", "--sampler", "tpe"], capsys)

    spans = [Span("learning_rate", low=1e-4, high=1e-2, log=True)]
    sweep, configs = search(small_config(steps=4, validate_every=2), spans, 3, pruner="halving", root=runs)
    make(sweep, configs, runs)
    runner = runner_of(sweep, AtOnce(), runs)
    while not runner.advance():
        continue
    found = members(runner.sweep, runs)
    stopped = [m for m in found if m.state is not None and m.state.poor]
    show_sweep(runner.sweep, found)
    assert capsys.readouterr().out.count("stopped by the pruner") == len(stopped) > 0
    assert sweep_csv(runner.sweep, found).count(",pruned,2,") == len(stopped)


def test_runs_tell_their_settings_also_where_one_cannot_be_read(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(small_run(runs / "good", 5))
    small_run(runs / "bad")
    (runs / "bad" / "state.json").write_text("{}")
    small_run(runs / "worse")
    (runs / "worse" / "config.json").write_text("{}")
    assert main(["runs", "--json"]) == 0
    facts = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert facts["good"]["settings"]["steps"] == facts["good"]["step"] == 5
    assert facts["good"]["metrics"]["best"] is not None
    assert facts["good"]["metrics"]["seconds"] > 0
    assert "state.json" in facts["bad"]["error"]
    assert facts["bad"]["settings"]["steps"] == 12
    assert "config.json" in facts["worse"]["error"]


def test_a_sweep_is_exported_as_a_table(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep, made = trained(runs)
    assert main(["export", sweep.name, "--csv", str(tmp_path / "it.csv")]) == 0
    text = (tmp_path / "it.csv").read_text()
    assert text == sweep_csv(sweep, members(sweep))
    first, second = csv.DictReader(io.StringIO(text))
    assert list(first) == ["run", "learning_rate", "seed", "state", "step", "best_exact_match", "seconds"]
    assert [float(row["learning_rate"]) for row in (first, second)] == [0.001, 0.01]
    assert [row["run"] for row in (first, second)] == [run.name for run in made]
    capsys.readouterr()
    assert "--zip belongs to a single run" in refused(["export", sweep.name, "--zip", "x"], capsys)
    assert "say what to write: --csv, --tensorboard or --wandb" in refused(["export", sweep.name], capsys)
    assert "There is no run nothing" in refused(["export", "nothing", "--csv", "x"], capsys, 1)


def test_tensorboard_is_told_the_settings(runs: Path, tmp_path: Path) -> None:
    _, made = trained(runs)
    written = tensorboard_runs(made, tmp_path / "logs")
    assert [path.parent.name for path in written] == [run.name for run in made]
    rates = []
    for path in written:
        told = {}
        for event in read_events(path.read_bytes()):
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "hparams":
                    told[value.tag] = HParamsPluginData.FromString(value.metadata.plugin_data.content)
        begun = told["_hparams_/session_start_info"].session_start_info.hparams
        rates.append(begun["learning_rate"].number_value)
        assert begun["schedule"].string_value == "cosine"
        compared = told["_hparams_/experiment"].experiment.metric_infos
        assert [info.name.tag for info in compared] == ["validation/loss", "validation/exact_match"]
    assert rates == [0.001, 0.01]


def wandb_records(path: Path) -> Iterator[Any]:
    """The records of a .wandb file, a log of LevelDB: blocks of 32 KiB with parts, each after CRC, length and kind."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, position, record = path.read_bytes(), 7, b""
    while position + 7 <= len(data):
        left = 2**15 - position % 2**15
        if left < 7:
            position += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        record += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield Record.FromString(record)
            record = b""


def test_weights_and_biases_is_told_offline(runs: Path, tmp_path: Path) -> None:
    sweep, made = trained(runs)
    folders = wandb_offline(made, tmp_path, sweep.name)
    assert [folder.parent for folder in folders] == [tmp_path / "wandb"] * 2
    for folder, run in zip(folders, made, strict=True):
        (path,) = folder.glob("run-*.wandb")
        records = list(wandb_records(path))
        (begun,) = (record.run for record in records if record.HasField("run"))
        assert (begun.display_name, begun.run_group, begun.host) == (run.name, sweep.name, "attnviz")
        config = {item.key: json.loads(item.value_json) for item in begun.config.update}
        assert config["learning_rate"] == run.config.training.learning_rate
        history = [
            {item.nested_key[0]: json.loads(item.value_json) for item in record.history.item}
            for record in records
            if record.HasField("history")
        ]
        assert [line["_step"] for line in history] == [1, 2, 3]
        assert [line["train/loss"] for line in history] == pytest.approx([line.loss for line in run.metrics()])
        assert "validation/loss" not in history[0]
        assert history[1]["validation/exact_match"] == run.metrics()[1].validation.accuracy
        assert not [record for record in records if record.HasField("environment")]


def test_without_the_package_it_is_said_how_to_get_it(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep, _ = trained(runs)
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert "pip install attnviz[wandb]" in refused(["export", sweep.name, "--wandb", "x"], capsys, 1)
