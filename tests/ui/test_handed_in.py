"""What was handed in to one server is found by the others, by its name, and stays the first one's to delete."""

from __future__ import annotations

from pathlib import Path

import pytest

from attnviz.errors import ImageGone
from attnviz.server.handed_in import UPLOADS_FOLDER, HandedIn, clear_left_over
from attnviz.server.images import ImageStore
from attnviz.server.uploads import UploadStore
from tests.ui.test_open_models import png
from tests.ui.test_uploads import CONFIG, zipped


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(UPLOADS_FOLDER, str(tmp_path / "uploads"))
    return tmp_path / "uploads"


def stores(gone: list[str]) -> tuple[UploadStore, UploadStore]:
    return UploadStore(lambda name: None, folder=HandedIn()), UploadStore(gone.append, folder=HandedIn())


def test_a_model_is_found_by_its_name_and_goes_with_its_server() -> None:
    gone: list[str] = []
    mine, other = stores(gone)
    upload = mine.put(zipped(CONFIG), "my model.zip")
    found = other.get(upload.name)
    assert found is not None
    assert (found.name, found.title, found.folder, found.nbytes) == (
        upload.name, upload.title, upload.folder, upload.nbytes,
    )  # fmt: skip
    other.drop(upload.name)
    assert mine.get(upload.name) is upload, "it is not the other's to delete"
    assert other.get(upload.name) is not None
    assert other.get("upload/" + "0" * 32) is None
    assert other.get("upload/../secret") is None
    mine.close()
    gone.clear()
    assert other.get(upload.name) is None
    assert gone == [upload.name], "its weights are let go"


def test_an_image_is_found_by_its_digest() -> None:
    mine, other = ImageStore(folder=HandedIn()), ImageStore(folder=HandedIn())
    name = mine.put(png("red"))
    assert name in other
    assert other.get(name).size == mine.get(name).size
    for wrong in ("0" * 64, "../" + name, name.upper()):
        assert wrong not in other
        with pytest.raises(ImageGone):
            other.get(wrong)


def test_an_image_that_had_to_go_is_gone_for_all() -> None:
    folder = HandedIn()
    images = ImageStore(max_bytes=1, folder=folder)
    red, blue = images.put(png("red")), images.put(png("blue"))
    assert red not in images
    assert blue in images
    assert red not in ImageStore(folder=HandedIn())
    folder.close()


def test_folders_of_others_are_not_looked_into(parent: Path, tmp_path: Path) -> None:
    folder = HandedIn()
    place = folder.place()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").touch()
    (parent / "attnviz-uploads-link").symlink_to(tmp_path / "elsewhere")
    (parent / "other").mkdir()
    (parent / "other" / "x").touch()
    assert folder.find("x") is None
    clear_left_over()
    assert place.is_dir()
    assert (tmp_path / "elsewhere" / "x").exists()
    folder.close()
    assert not place.exists()
