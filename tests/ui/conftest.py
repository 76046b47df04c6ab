from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner

from attnviz import library
from attnviz.server import opening, shelf
from attnviz.training import Run, record
from tests.tiny import tiny_models
from tests.training.runs import small_run
from tests.ui.pages import Queue, train_nothing
from tests.ui.real import broken_models, real_models


@pytest.fixture(autouse=True, scope="session")
def _one_look_at_what_is_installed() -> Iterator[None]:
    """Streamlit reads what all installed packages say of themselves for every page that a test opens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def operator_models(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server offers the tiny models beside the zoo."""
    monkeypatch.setenv(library.MODELS_FOLDER, str(models_folder))


@pytest.fixture(scope="session")
def real_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of transformers, whole ones and broken ones."""
    return broken_models(real_models(tmp_path_factory.mktemp("real")))


@pytest.fixture
def operator_real_models(real_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server offers them beside the zoo."""
    monkeypatch.setenv(library.MODELS_FOLDER, str(real_folder))
    opening.VERDICTS.clear()


@pytest.fixture(autouse=True)
def runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's runs are."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("ATTNVIZ_RUNS", str(folder))
    return folder


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is done; the tests that change one make their own."""
    run = small_run(tmp_path_factory.mktemp("runs") / "learned")
    record(run)
    return run.folder


@pytest.fixture
def done(learned: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("ATTNVIZ_RUNS", str(learned.parent))
    return Run.open(learned)


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    """Where a page's runs wait; nobody trains them."""
    return train_nothing(monkeypatch)


@pytest.fixture
def none_come_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No recorded runs are listed."""
    monkeypatch.setattr(shelf, "EXAMPLE_RUNS", tmp_path / "none")
