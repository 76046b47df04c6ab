"""`attnviz train` and `attnviz resume`: trains, refuses with one line and the right exit code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch

import attnviz
from attnviz.cli import main
from attnviz.cli.settings import read_settings
from attnviz.errors import DataHeaderUnclear
from attnviz.models import ConvolutionalConfig, ModelConfig, RecurrentConfig, SequenceModel
from attnviz.tasks import Copy, OwnLabelled, OwnText
from attnviz.training import RECIPES, Command, Run, RunState, Step, TrainConfig, all_runs, record
from tests.finetuning.conftest import workbook
from tests.training.command_line import refused
from tests.training.runs import small_run, stop_after

pytestmark = pytest.mark.usefixtures("runs")


def test_train_writes_a_model_that_opens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mine"
    assert main(["train", "sort", "--steps", "3", "--seed", "5", "--out", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "sort: 32,286 parameters, 3 steps, seed 5" in out
    assert "step      3/3" in out
    assert "test: exact match" in out
    assert "not reached" in out
    model = attnviz.load_model(folder)
    assert model.card.recipe == "sort"
    assert model.card.seed == 5
    assert model.config == RECIPES["sort"].model
    trace = attnviz.trace(model, "d a c b > a")
    assert len(trace.sites) == model.config.n_layers


def test_train_records_a_run(tmp_path: Path, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "sort", "--steps", "3", "--out", str(tmp_path / "mine")]) == 0
    (run,) = all_runs()
    assert isinstance(run, Run)
    assert run.folder.parent == runs
    assert run.config.recipe == "sort"
    assert run.checkpoints() == [0, 1, 2, 3]
    written, kept = attnviz.load_model(tmp_path / "mine").network, run.network(3)
    assert all(torch.equal(a, b) for a, b in zip(written.parameters(), kept.parameters(), strict=True))
    out = capsys.readouterr().out
    assert f"run {run.name}\n" in out
    assert "done at step 3" in out
    assert main(["runs"]) == 0
    assert capsys.readouterr().out.split() == [run.name, "done", "3/3"]


def test_a_run_is_resumed_by_name(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = small_run(runs / "mine", 7)
    run.commands.send("stop")
    record(run, run.commands)
    assert main(["tell", "mine", "pause"]) == 1
    assert capsys.readouterr().err == "attnviz: run mine is stopped: nobody trains it\n"
    out = runs.parent / "model"
    assert main(["resume", "mine", "--out", str(out)]) == 0
    assert "done at step 7" in capsys.readouterr().out
    assert attnviz.load_model(out).card.title == "mine, step 7"
    assert main(["resume", "mine", "--out", str(out)]) == 2
    assert "holds a model already" in capsys.readouterr().err
    for name in ("other", "../mine"):
        assert main(["resume", name]) == 1
        assert "There is no run" in capsys.readouterr().err


def test_train_repeats_itself(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert main(["train", "recall", "--steps", "2", "--out", str(tmp_path / name)]) == 0
    first, second = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("a", "b"))
    assert first == second


def test_train_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert main(["train", "sort", "--steps", "1", "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error == f"attnviz: {tmp_path} holds a model already: choose another folder with --out, or remove it\n"
    assert (tmp_path / "config.json").read_text() == "{}"


def test_train_into_a_file_fails_on_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert main(["train", "sort", "--steps", "1", "--out", str(file)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("attnviz: ")
    assert error.count("\n") == 1


TINY = ["--model", "d_model=8", "n_layers=1", "n_heads=1", "--set", "batch_size=4", "validation_size=8"]


def test_train_changes_model_task_and_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = ["--model", "n_layers=1", "d_model=32", "--model", "positions=rotary", "d_ff=0", "window=none"]
    training = ["--set", "learning_rate=1e-2", "clip=none", "schedule=linear", "steps=9", "--steps", "2", "--seed", "4"]
    folder = tmp_path / "model"
    assert main(["train", "copy", "--task", "max_length=6", *model, *training, "--out", str(folder)]) == 0
    (run,) = all_runs()
    assert isinstance(run, Run)
    config = run.config
    assert isinstance(config.task, Copy)
    assert config.task.max_length == 6
    assert config.model.max_len == config.task.model_config().max_len < RECIPES["copy"].model.max_len
    assert (config.model.n_layers, config.model.d_model, config.model.positions, config.model.d_ff) == (
        1,
        32,
        "rotary",
        0,
    )
    assert (config.training.learning_rate, config.training.clip, config.training.schedule) == (0.01, None, "linear")
    assert (config.training.steps, config.training.seed) == (2, 4)
    assert config.training.batch_size == RECIPES["copy"].training.batch_size
    assert "target" not in capsys.readouterr().out
    card = attnviz.load_model(folder).card
    assert (card.name, card.recipe) == ("copy", "")


def test_train_with_a_convolutional_network(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shape = ["--network", "cnn", "--model", "d_model=8", "n_layers=2", "kernel_size=4", "dilation=3"]
    assert main(["train", "copy", *shape, "--set", "batch_size=4", "--steps", "2", "--out", str(folder)]) == 0
    model = attnviz.load_model(folder)
    assert isinstance(model, SequenceModel)
    assert isinstance(model.config, ConvolutionalConfig)
    assert (model.config.kernel_size, model.config.dilations, model.config.receptive_field) == (4, (1, 3), 13)
    assert main(["train", "sentiment-en", "--network", "cnn", "--model", "kernel_size=4"]) == 2


def test_train_learns_a_text_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my.txt"
    file.write_text("欢迎 to the jungle. " * 9, encoding="utf-8")
    assert main(["train", "own-text", "--text", str(file), "--task", "length=12", "--steps", "2", *TINY]) == 0
    (run,) = all_runs()
    assert isinstance(run, Run)
    assert run.config.task == OwnText(file.read_text("utf-8"), 12)
    assert "test: nats per symbol" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "layers=1"], "--model: layers=1 is not a setting in the form KEY=VALUE. The keys are: 'd_model'"),
        (["--model", "max_len=9"], "--model: max_len=9 is not a setting in the form KEY=VALUE."),
        (["--model", "n_layers"], "--model: n_layers is not a setting in the form KEY=VALUE. The keys are: "),
        (["--model", "n_layers=two"], "--model: n_layers is two; it must be a whole number"),
        (["--model", "dropout=nan"], "--model: dropout is nan; it must be a number"),
        (
            ["--model", "positions=first"],
            "--model: positions is first; choose one of 'none', 'sinusoidal', 'learned', 'rotary'",
        ),
        (["--model", "d_model=10", "n_heads=4"], "d_model is 10; it must be a multiple of n_heads, for example 8"),
        (["--task", "size=4"], "The keys are: 'n_symbols', 'min_length', 'max_length'"),
        (["--task", "n_symbols=1"], "n_symbols is 1"),
        (["--set", "rate=1"], "The keys are: 'steps', 'batch_size', 'learning_rate'"),
        (["--set", "learning_rate=10"], "learning_rate is 10; it must be above 0 and at most 1"),
        (["--set", "learning_rate=0"], "learning_rate is 0; it must be above 0"),
        (["--set", "batch_size=100000000"], "the limit is"),
        (["--text", "my.txt"], "--text FILE belongs to own-text"),
    ],
)
def test_settings_that_cannot_be(
    arguments: list[str], message: str, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(["train", "reverse", *arguments], capsys)
    assert not runs.exists()


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"to be or not to be", 2, "The text has 18 characters; a context of 64 needs at least 256."),
        (b"a" * 400, 2, "The text repeats “a”"),
        (b"  ", 2, "there is nothing to learn from"),
        (b"caf\xe9\xff\x81 " * 99, 2, "Line 1 is not text in UTF-8"),
        (b"PK\x03\x04 [Content_Types].xml", 2, "save it as CSV"),
        (b"to be\0" * 99, 2, "line 1 contains a control character"),
        (None, 2, "my.txt cannot be read: No such file or directory"),
    ],
)
def test_texts_that_cannot_be_learned(
    content: bytes | None, code: int, message: str, tmp_path: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my.txt"
    if content is not None:
        file.write_bytes(content)
    assert message in refused(["train", "own-text", "--text", str(file)], capsys, code)
    assert "--text FILE belongs to own-text, own-labels, own-entities, own-pairs, own-series, which need it" in refused(
        ["train", "own-text"], capsys
    )
    assert not runs.exists()


def test_settings_have_types() -> None:
    texts = ["n_heads=3", "n_kv_heads=none", "dropout=.5", "norm=post", "n_heads=4"]
    values = {"n_heads": 4, "n_kv_heads": None, "dropout": 0.5, "norm": "post"}
    assert read_settings(ModelConfig, texts) == values
    assert read_settings(TrainConfig, ["target=NONE", "clip=2"]) == {"target": None, "clip": 2.0}
    assert read_settings(Copy, []) == {}


def interrupt(step: Step) -> None:
    if step.step == 3:
        raise KeyboardInterrupt


@pytest.mark.parametrize("terminal", [False, True])
def test_an_interrupted_run_says_how_to_go_on(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    shown = f"attnviz.cli.progress.{'Bar' if terminal else 'Lines'}.show"
    monkeypatch.setattr(shown, lambda self, step: interrupt(step))
    assert main(["train", "sort", "--steps", "6", *TINY]) == 1
    (run,) = all_runs()
    assert isinstance(run, Run)
    assert run.state() == RunState("interrupted", 3)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"attnviz: interrupted at step 3; go on with: attnviz resume {run.name}"
    monkeypatch.undo()
    monkeypatch.setenv("ATTNVIZ_RUNS", str(run.folder.parent))
    assert main(["resume", run.name]) == 0
    assert run.state().state == "done"


def test_a_stopped_run_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(control: object) -> list[Command]:
        return [Command("stop")]

    monkeypatch.setattr("attnviz.training.run.control.CommandFile.poll", stop)
    assert main(["train", "sort", *TINY]) == 0
    (run,) = all_runs()
    assert isinstance(run, Run)
    assert f"stopped at step 0; go on with: attnviz resume {run.name}\n" in capsys.readouterr().out


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main(["train", "sort", "--steps", "4", *TINY, "validate_every=2"]) == 0
    streams = capsys.readouterr()
    bar = streams.err.split("\r")[-1]
    assert "4/4" in bar
    assert "loss " in bar
    assert "validation exact match 0.0000" in bar
    assert not [line for line in streams.out.splitlines() if line.startswith("step")]


def test_the_bar_of_a_resumed_run_begins_where_it_was(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record(small_run(runs / "mine", 8), stop_after(5))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main(["resume", "mine"]) == 0
    assert "5/8" in capsys.readouterr().err.split("\r")[1]


def test_a_run_that_somebody_trains_keeps_its_commands(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = small_run(runs / "mine")
    with run.claimed():
        run.commands.send("pause")
        assert main(["resume", "mine"]) == 1
        assert [command.name for command in run.commands.poll()] == ["pause"]
    assert "is already being trained" in capsys.readouterr().err


def test_another_network_learns_a_task(capsys: pytest.CaptureFixture[str]) -> None:
    assert "n_heads" in refused(["train", "sentiment-en", "--model", "n_heads=2"], capsys)
    assert main(["train", "majority", "--network", "gru", "--model", "d_model=8", "--steps", "2"]) == 0
    (run,) = all_runs()
    assert isinstance(run.config.model, RecurrentConfig)
    assert (run.config.model.cell, run.config.model.d_model) == ("gru", 8)


def test_a_series_of_ones_own_is_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "series.csv"
    file.write_text("sales\n" + "\n".join(str(n % 7 + n % 3) for n in range(600)), "utf-8")
    assert main(["train", "own-series", "--text", str(file), "--steps", "2"]) == 0
    assert "R2" in capsys.readouterr().out
    file.write_text("1\n2\nx\n", "utf-8")
    assert "Line 3" in refused(["train", "own-series", "--text", str(file)], capsys)


def test_what_data_do_not_tell_is_asked_and_can_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reviews.csv"
    rows = [f"très bon {n};{('gut', 'schlecht')[n % 2]}" for n in range(60)]
    file.write_bytes("\r\n".join(["review;sentiment", *rows]).encode("cp1252"))
    asked = refused(["train", "own-labels", "--text", str(file)], capsys)
    assert "was read as cp1252, which is likely but not certain; --encoding says another" in asked
    assert str(DataHeaderUnclear("review | sentiment")) in asked
    assert "--task KEY=VALUE" in asked
    told = ["--task", "header=yes", "--encoding", "cp1252"]
    assert main(["train", "own-labels", "--text", str(file), *told, "--steps", "2"]) == 0
    assert "likely" not in capsys.readouterr().err
    (run,) = all_runs()
    assert isinstance(run, Run)
    assert run.config.task == OwnLabelled("\n".join(["review;sentiment", *rows]), header="yes")
    assert run.config.task.labels == ("gut", "schlecht")
    assert main(["train", "own-labels", "--text", str(file), "--task", "header=yes", "--steps", "2"]) == 0
    assert "was read as cp1252" in capsys.readouterr().err


def test_pairs_are_told_of_trained_on_and_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pairs.jsonl"
    rows = [{"source": f"say number {n}", "target": f"it is {n} of course"} for n in range(40)]
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert main(["train", "own-pairs", "--text", str(file), "--task", "unit=words", "--steps", "2"]) == 0
    said = capsys.readouterr().out
    assert "data: 32 pairs for training, 4 for validation, 4 for the test." in said
    assert "note: With tokens that the model does not know: 4 test sources and 4 test targets." in said
    assert re.search(r"written texts: exact match \d\.\d+, chrF [\d.]+, BLEU [\d.]+, ROUGE-1 .* on 4 texts", said)
    (run,) = all_runs()
    other = tmp_path / "other.tsv"
    other.write_text("say number 3\tit is 3 of course\nsay number 4\tfour\n", "utf-8")
    assert main(["evaluate", run.name, "--data", str(other), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["scores"]["n"] == 2
    assert {answer["target"] for answer in report["answers"]} == {"it is 3 of course", "four"}
    held = ["train", "own-pairs", "--text", str(file), "--test", str(other)]
    assert main([*held, "--steps", "2", "--seed", "1"]) == 0
    said = capsys.readouterr().out
    assert "data: 36 pairs for training, 4 for validation, 2 for the test." in said
    assert "(apart from capitals, punctuation and spaces): " in said
    assert re.search(r"written texts: exact match .* on 2 texts", said)
    assert any("test_text" in found.config.to_dict()["task"]["parameters"] for found in all_runs() if found != run)
    other.write_text("a;b;c\nd;e;f\n", "utf-8")
    asked = refused([*held, "--validation", str(file)], capsys)
    assert "Test data: Which column should be read?" in asked
    assert "--task KEY=VALUE" in asked
    other.write_bytes(b"")
    assert "Test data: The data are empty" in refused(held, capsys)
    assert "--test FILE belongs to own-labels" in refused(["train", "own-text", *held[2:]], capsys)
    sheet = tmp_path / "more.xlsx"
    sheet.write_bytes(workbook([["French", "id", "English"], ["it is 3 of course", 1, "say number 3"]]))
    assert main(["evaluate", run.name, "--data", str(sheet), "--text", "english", "--label", "french", "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)["answers"]
    assert (answer["source"], answer["target"]) == ("say number 3", "it is 3 of course")
    assert main(["evaluate", run.name, "--data", str(sheet), "--text", "german", "--label", "french"]) == 1
    assert "german" in capsys.readouterr().err
    assert main(["evaluate", run.name]) == 0
    assert "on 4 texts" in capsys.readouterr().out
