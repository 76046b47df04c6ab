"""Every name that the library and the command line take for a model."""

import shutil
from pathlib import Path

import pytest

import attnviz
from attnviz.errors import ModelNotFound, RunNotFound
from attnviz.library import MODELS_FOLDER
from attnviz.training import record
from attnviz.zoo import zoo_path
from tests.tiny import tiny_models
from tests.training.runs import small_run


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, in which people are; their models and runs lie in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(MODELS_FOLDER, str(tiny_models(tmp_path / "models")))
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path / "runs"))
    return tmp_path


@pytest.mark.parametrize("name", ["reverse", "zoo/reverse", zoo_path("reverse")])
def test_a_shipped_model(name: str) -> None:
    assert attnviz.load_model(name).facts.name == "reverse"


def test_a_model_in_the_folder_of_models() -> None:
    assert attnviz.load_model("tiny-encoder").facts.architecture == "encoder"


def test_a_folder_that_is_there_comes_first(elsewhere: Path) -> None:
    shutil.copytree(zoo_path("sort"), elsewhere / "reverse")
    assert attnviz.load_model("reverse").facts.task == attnviz.load_model("zoo/sort").facts.task


def test_a_folder_without_a_model_hides_nothing(elsewhere: Path) -> None:
    (elsewhere / "reverse").mkdir()
    assert attnviz.load_model("reverse").facts.name == "reverse"


def test_a_run_without_a_step_is_its_last_checkpoint(elsewhere: Path) -> None:
    run = small_run(elsewhere / "runs" / "mine")
    record(run)
    last = attnviz.load_model(f"run/mine@{max(run.checkpoints())}")
    assert attnviz.trace(attnviz.load_model("run/mine"), "a b").logits.equal(attnviz.trace(last, "a b").logits)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("nothing", ModelNotFound),
        ("zoo/nothing", ModelNotFound),
        ("zoo/../models/tiny-encoder", ModelNotFound),
        ("run/nothing", RunNotFound),
        ("run/grokking@7", RunNotFound),
        ("", ModelNotFound),
        ("..", ModelNotFound),
    ],
)
def test_a_name_that_nothing_has(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        attnviz.load_model(name)
