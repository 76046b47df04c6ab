from collections.abc import Iterator
from pathlib import Path

import pytest

from attnviz.ui import shared
from tests.tiny import tiny_models


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def operator_models(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server offers the tiny models beside the zoo."""
    monkeypatch.setenv(shared.MODELS_FOLDER, str(models_folder))
    shared.listed.cache_clear()
    yield
    shared.listed.cache_clear()
