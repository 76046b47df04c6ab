"""A disk without room, and a folder or a database that is away: said in both languages, and it goes on by itself."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette

from attnviz import locale
from attnviz.errors import RunUnwritable, UploadUnwritable
from attnviz.server import shelf, workers
from attnviz.server.database import connection
from attnviz.server.handed_in import HandedIn
from attnviz.server.people import register
from attnviz.server.people.classes import Rules
from attnviz.server.people.identity import COOKIE, hashed
from attnviz.server.people.rights import person_of
from attnviz.server.people.routes import CLASS_PATH, class_routes
from attnviz.server.run_routes import RUNS_PATH, run_routes
from attnviz.server.uploads import UploadStore
from attnviz.training import RunState, all_runs
from attnviz.training.run.folder import Run
from attnviz.training.run.process import ProcessId
from attnviz.ui.frame import who
from tests.classes import hold_class
from tests.training.runs import small_config
from tests.ui.asgi import get
from tests.ui.pages import Queue, click, messages, open_page
from tests.ui.pages import run as run_page

resource = pytest.importorskip("resource", reason="a system without limits")
TEACHER = "t" * 43
FULL = "File too large"  # what the system says beyond the limit below, which stands for a full disk


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the runs of a class, with a run at work; the teacher sits there."""
    made = hold_class(monkeypatch, tmp_path / "runs")
    register.join(made.teacher, hashed(TEACHER))
    monkeypatch.setattr(who, "person_of", lambda cookies: person_of({COOKIE: TEACHER}))
    monkeypatch.setattr(workers, "queue", Queue)
    monkeypatch.setattr(shelf, "EXAMPLE_RUNS", tmp_path / "none")  # Play trains
    run = Run.create(tmp_path / "runs" / "run", small_config(), hashed(TEACHER))
    run.write_state(RunState("running", 3, ProcessId.current()))
    return tmp_path / "runs"


@contextmanager
def full() -> Iterator[None]:
    """Nothing can be written to any file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def said(lang: str, name: str) -> str:
    """Return what pages say of a run that cannot be written."""
    told = RunUnwritable(name, FULL)
    return locale.told(lang, told.code, told.details, lambda _, value: f"`{value}`")


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_full_disk_is_said_where_runs_are_started_and_told(root: Path, lang: str) -> None:
    pages = {name: open_page(name, lang=lang) for name in ("class", "training")}
    with full():
        paused = messages(click(pages["class"], "class-pause"))
        deleted = messages(click(click(pages["class"], "class-delete"), "class-delete-now"))
        played = messages(click(pages["training"], "play"))
    assert said(lang, "run") in paused
    assert said(lang, "run") in deleted
    assert FULL in played
    assert [run.name for run in all_runs(root)] == ["run"], "nothing is lost, and nothing is left half"
    assert not list(root.glob(".*.tmp"))
    assert locale.t(lang, "class.paused", n="`1`") in messages(click(pages["class"], "class-pause"))


def test_a_download_that_finds_no_room_is_not_called_a_damaged_run(root: Path) -> None:
    with full():
        answer = get(Starlette(routes=run_routes("")), f"/{RUNS_PATH}/run/run.zip", headers=cookie())
    assert answer.json()["error"] == RunUnwritable.code


def test_an_upload_that_finds_no_room_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", "{}")
    store = UploadStore(on_drop=lambda name: None, folder=HandedIn())
    monkeypatch.setenv("ATTNVIZ_UPLOADS", str(tmp_path / "uploads"))
    with full(), pytest.raises(UploadUnwritable):
        store.put(file, "model.zip")
    (tmp_path / "file").touch()
    monkeypatch.setenv("ATTNVIZ_UPLOADS", str(tmp_path / "file"))
    other = UploadStore(on_drop=lambda name: None, folder=HandedIn())
    with pytest.raises(UploadUnwritable):
        other.put(file, "model.zip")
    for each in (store, other):
        each.close()


def cookie() -> dict[str, str]:
    return {"cookie": f"{COOKIE}={TEACHER}"}


def test_pages_stay_while_the_shared_folder_is_away(root: Path) -> None:
    pages = {name: open_page(name) for name in ("explorer", "runs", "class")}
    away = root.rename(root.with_name("away"))
    for page in pages.values():
        run_page(page)
    assert get(Starlette(routes=class_routes("")), f"/{CLASS_PATH}/wall", headers=cookie()).json()["runs"] == []
    away.rename(root)
    assert "run" in [card["run"] for card in get_wall()]


def get_wall() -> list[dict[str, object]]:
    found: list[dict[str, object]] = get(
        Starlette(routes=class_routes("")), f"/{CLASS_PATH}/wall", headers=cookie()
    ).json()["runs"]
    return found


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_database_that_is_away_is_said_and_the_class_goes_on(
    root: Path, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []
    monkeypatch.setattr(connection, "sleep", naps.append)
    monkeypatch.setattr(connection, "monotonic", lambda: 10.0 * len(naps))
    page = open_page("class", lang=lang)
    file = root / "classes.db"
    away = file.rename(root / "away.db")
    page.toggle(key="class-look").set_value(False)
    run_page(page)
    assert locale.t(lang, "class.title", name="7b") in [header.value for header in page.header], "it is as it was"
    assert locale.t(lang, "error.database_unavailable", reason="`unable to open database file`") in messages(page)
    away.rename(file)
    found = register.held()
    assert found is not None
    assert found.rules == Rules(), "nothing of it was written"
