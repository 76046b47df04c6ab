"""`attnviz models` and the listing of folders below it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import attnviz
from attnviz.cli import main
from attnviz.errors import ModelCorrupt, ModelNotFound
from attnviz.library import model_folder, model_folders
from attnviz.models.weight_files import stored_parameters
from attnviz.training import record
from tests.training.command_line import refused
from tests.training.runs import small_run


def gpt(folder: Path, **config: object) -> Path:
    """A folder as transformers writes it, in two shards; its numbers mean nothing."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(
        json.dumps({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], **config})
    )
    save_file({"a": np.zeros((3, 5), np.float32), "ids": np.zeros((1, 7), np.int64)}, folder / "model-1.safetensors")
    save_file({"b": np.zeros(11, np.float16), "c": np.zeros((), np.float32)}, folder / "model-2.safetensors")
    index = {"weight_map": {"a": "model-1.safetensors", "ids": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, object]]:
    assert main(["models", "--json", *arguments]) == 0
    return {model["name"]: model for model in json.loads(capsys.readouterr().out)}


def test_everything_that_opens_is_listed(tiny: Path, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(small_run(runs / "mine", 3))
    models = listed(capsys, "--models", str(tiny))
    shipped = [f"zoo/{entry.name}" for entry in attnviz.zoo()]
    assert [*models][: len(shipped)] == shipped
    assert {"run/mine@3", "run/grokking@1500"} < set(models)
    opened = [name for name, model in models.items() if model["problem"] is None]
    assert len(opened) == len(models) - 1
    for name in opened:
        facts = attnviz.load_model(name).facts
        assert (models[name]["architecture"], models[name]["n_parameters"]) == (facts.architecture, facts.n_parameters)


def test_the_list_is_aligned(tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ATTNVIZ_MODELS", str(tiny))
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    good = [line for line in lines if "cannot be opened" not in line]
    assert len({line.index(" parameters  ") for line in good}) == 1
    (dates,) = (line for line in good if line.startswith("zoo/dates "))
    assert re.fullmatch(r"zoo/dates +encoder-decoder +126,350 parameters  Normalise a date", dates)
    (bad,) = set(lines) - set(good)
    assert re.fullmatch(
        rf"{re.escape(str(tiny))}/tiny-damaged +The model tiny-damaged cannot be opened: model\.safetensors .+", bad
    )


def test_runs_that_cannot_be_opened_say_why(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_run(runs / "new")
    small_run(runs / "bad").folder.joinpath("config.json").write_text("{}")
    models = listed(capsys)
    assert models["run/new"]["problem"] == "cannot be opened: it has no checkpoint yet"
    assert "config.json cannot be read" in str(models["run/bad"]["problem"])


def test_folders_of_transformers_are_told_apart(tmp_path: Path) -> None:
    model = model_folder(gpt(tmp_path / "gpt"))
    assert (model.name, model.title, model.architecture, model.transformers) == ("gpt", "gpt", "GPT2LMHeadModel", True)
    assert model.problem is None
    assert stored_parameters(model.folder) == 3 * 5 + 11 + 1
    assert model_folder(gpt(tmp_path / "bare", architectures=None)).architecture == "gpt2"


def test_a_folder_that_is_a_model_is_listed_itself(tiny: Path, tmp_path: Path) -> None:
    assert [model.name for model in model_folders(tiny / "tiny-both")] == ["tiny-both"]
    gpt(tmp_path / "b")
    gpt(tmp_path / "a")
    gpt(tmp_path / ".hidden")
    (tmp_path / "file").touch()
    assert [model.name for model in model_folders(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", None, "config.json not found. A model is a folder with config.json"),
        ("config.json", "{", "config.json cannot be read (it is no JSON at line 1, column 2"),
        ("config.json", "[]", "config.json cannot be read (it does not hold a JSON object"),
        ("config.json", "{}", "model.safetensors not found"),
        ("model.safetensors.index.json", None, "model.safetensors not found"),
        ("model.safetensors.index.json", "{}", "model.safetensors.index.json cannot be read"),
        (
            "model.safetensors.index.json",
            '{"weight_map": {"a": 1}}',
            "model.safetensors.index.json cannot be read (it names 1",
        ),
        ("model-2.safetensors", None, "model-2.safetensors not found"),
    ],
)
def test_folders_that_cannot_be_opened_say_why(file: str, content: str | None, message: str, tmp_path: Path) -> None:
    folder = gpt(tmp_path / "gpt")
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    model = model_folder(folder)
    assert str(model.problem).startswith(f"The model gpt cannot be opened: {message}")
    assert (model.title, model.architecture) == ("gpt", "")


def test_damaged_cards_and_weights(tiny: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny / "tiny-both", tmp_path / "both"))
    (folder / "model.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises(ModelCorrupt, match=r"both cannot be opened: model\.safetensors cannot be read"):
        stored_parameters(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "card": {"nme": "both"}}))
    assert isinstance(model_folder(folder).problem, ModelCorrupt)
    with pytest.raises(ModelNotFound):
        stored_parameters(tmp_path)


def test_no_name_moves_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gpt(tmp_path / "a\x1b[2J", architectures=["B\x07"])
    assert main(["models", "--models", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[:2] == [f"{tmp_path}/a\\x1b[2J", "B\\x07"]


def test_a_folder_of_models_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert (
        refused(["models", "--models", str(tmp_path / "no")], capsys) == f"--models: there is no folder {tmp_path}/no"
    )
    assert refused(["models", "--models", str(tmp_path / "file")], capsys) == f"--models: {tmp_path}/file is no folder"
    monkeypatch.setenv("ATTNVIZ_MODELS", str(tmp_path / "no"))
    assert refused(["models"], capsys) == f"ATTNVIZ_MODELS: there is no folder {tmp_path}/no"
