"""A thousand hostile files through the doors that people's files come in by.

Each is read or refused in words; nothing elsewhere is opened, nobody is called, nobody else waits, no memory is kept.
"""

from __future__ import annotations

import gc
import io
import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

import attnviz
from attnviz.bounded import read_json
from attnviz.calculator import link as calculator
from attnviz.calculator.parse import decode
from attnviz.errors import AttnvizError
from attnviz.library import model_folder
from attnviz.models.weight_files import shapes_in, weight_files
from attnviz.sandbox.heartbeat import Heartbeat
from attnviz.sandbox.seal import NETWORK
from attnviz.server import listing, shelf
from attnviz.server.images import ImageStore
from attnviz.server.uploads import UploadStore
from attnviz.tasks.own.entities import OwnEntities
from attnviz.tasks.own.labelled import OwnLabelled
from attnviz.tasks.own.pairs import OwnPairs
from attnviz.tasks.own.readers.columns import series_layout
from attnviz.tasks.own.readers.conll import conll_layout
from attnviz.tasks.own.readers.decoding import decode as text_of
from attnviz.tasks.own.readers.labelled_rows import labelled_layout
from attnviz.tasks.own.readers.pair_rows import pair_layout
from attnviz.tasks.own.series import OwnSeries
from attnviz.tasks.own.text import OwnText
from attnviz.tasks.signals.sound import Sound
from attnviz.training import Run, record
from attnviz.ui.models.outline import outline_of
from tests.hostile import generator
from tests.hostile.generator import Files, cases
from tests.training.runs import small_run

MB = 2**20
OTHERS_WAIT = 1.0  # seconds of computation
MEMORY = 500 * MB
HERE = Path(attnviz.__file__).parents[1]
ALLOWED = ("/proc", "/sys", "/dev", "/etc/mime.types", "/usr/share", "/usr/lib", "/etc/ld.so", "/etc/localtime")


@dataclass
class Watch:
    """What this process opened elsewhere, and whom it called, while it was watched."""

    roots: tuple[str, ...] = ()
    on: bool = False
    outside: list[str] = field(default_factory=list)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.on:
            return
        if event in NETWORK:
            self.outside.append(f"{event} {arguments[1:]}")
        elif event == "open" and isinstance(arguments[0], str | bytes):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not path.startswith(self.roots):
                self.outside.append(path)


WATCH = Watch()
sys.addaudithook(WATCH)  # hooks cannot be taken away: it is switched on and off


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the files lie; the memory taken meanwhile is given back at the end."""
    place = tmp_path_factory.mktemp("hostile")
    generator.RUN = place / "runs" / "mine"
    record(small_run(generator.RUN))
    libraries = {os.path.realpath(path) for path in (*sys.path, sys.prefix, sys.base_prefix, HERE) if path}
    WATCH.roots = (str(place), *libraries, *ALLOWED)
    gc.collect()
    before = psutil.Process().memory_info().rss
    yield place
    gc.collect()
    grown = psutil.Process().memory_info().rss - before
    assert grown < MEMORY, f"{grown / MB:.0f} MB are kept"


def write(folder: Path, files: Files) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def look_at_folder(files: Files, place: Path) -> None:
    """What the list of models does with a folder."""
    folder = write(place / "folder", files)
    try:
        found = model_folder(folder)
        outline_of(found)
        if found.problem is not None:
            raise found.problem
        for path in weight_files(folder):
            assert path.resolve().parent == folder.resolve()
            shapes_in(path)
    finally:
        shutil.rmtree(folder)


def hand_in(files: Files, place: Path) -> None:
    store = UploadStore(lambda name: None)
    try:
        upload = store.put(io.BytesIO(files[""]), "a.zip")
        for path in upload.folder.rglob("*"):
            assert path.is_file()
            assert not path.is_symlink()
            assert path.parent == upload.folder
        outline_of(model_folder(upload.folder))
        settings = upload.folder / "tokenizer_config.json"
        if settings.is_file():
            assert b"/etc/passwd" not in settings.read_bytes() or not _names_a_file(settings)
    finally:
        store.close()


def _names_a_file(settings: Path) -> bool:
    try:
        return not {"vocab_file", "vocab", "gguf_file"}.isdisjoint(read_json(settings))
    except ValueError:
        return False  # opening it says what is wrong


def hear(files: Files, place: Path) -> None:
    assert Sound().read(files[""]).isfinite().all()


def see(files: Files, place: Path) -> None:
    store = ImageStore()
    image = store.get(store.put(files[""]))
    assert image.width * image.height <= 50_000_000


def learn(files: Files, place: Path) -> None:
    """Every kind of data of one's own, whatever it is: one of them reads it, or the last refusal is told."""
    refusals: list[AttnvizError] = []
    text = text_of(files[""]).text
    readers = [labelled_layout, conll_layout, series_layout, pair_layout]
    doors = [OwnLabelled, OwnEntities, OwnSeries, OwnPairs, OwnText, *readers]
    for door in doors:
        try:
            door(text)
        except AttnvizError as error:
            refusals.append(error)
    if len(refusals) == len(doors):
        raise refusals[-1]


def calculate(files: Files, place: Path) -> None:
    calculator.from_json(decode("a.json", files[""]), "a.json")


def follow(files: Files, place: Path) -> None:
    parameters = {key: str(value) for key, value in json.loads(files[""]).items()}
    calculator.from_link(parameters)
    for value in parameters.values():
        listing.find(value)


def watch_run(files: Files, place: Path) -> None:
    """What the pages do with a run: the list, its curve, its maps, its last checkpoint."""
    root = place / "server"
    folder = root / "mine"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(generator.RUN, folder)
    write(folder, files)
    os.environ["ATTNVIZ_RUNS"] = str(root)
    entries = shelf.entries()
    run = Run.open(folder)
    refusals: list[AttnvizError] = [entry.error for entry in entries if entry.error is not None]
    for door in (run.state, run.metrics, run.timeline, lambda: run.timeline().weights(run.timeline().steps[-1])):
        try:
            door()
        except AttnvizError as error:
            refusals.append(error)
        except IndexError:  # the test's own: there is no snapshot
            assert not run.timeline().steps
    if refusals:
        raise refusals[0]


DOORS: dict[Callable[..., Files], Callable[[Files, Path], None]] = {
    generator.archive: hand_in,
    generator.config: look_at_folder,
    generator.index: look_at_folder,
    generator.header: look_at_folder,
    generator.sound: hear,
    generator.picture: see,
    generator.table: learn,
    generator.problem: calculate,
    generator.link: follow,
    generator.run: watch_run,
}


def test_there_are_a_thousand() -> None:
    assert sum(generator.COUNTS.values()) == 1000
    assert DOORS.keys() == generator.COUNTS.keys()


@pytest.mark.parametrize("make", DOORS, ids=lambda make: make.__name__)
def test_each_ends_well_or_is_refused_in_words(
    make: Callable[..., Files], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTNVIZ_RUNS", str(place / "none"))
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr("tempfile.tempdir", str(place))
    gc.freeze()  # what other tests left: to collect it takes a second, in which nobody else can run either
    wrong, read, refused = [], 0, 0
    for number, files in cases(make):
        WATCH.outside.clear()
        with Heartbeat() as heartbeat, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries, about odd files
            WATCH.on = True
            try:
                DOORS[make](files, place)
                read += 1
            except AttnvizError as error:
                refused += 1
                if len(str(error).splitlines()) != 1:
                    wrong.append((number, "not one line", str(error)[:200]))
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                wrong.append((number, type(error).__name__, str(error)[:200]))
            finally:
                WATCH.on = False
        if WATCH.outside:
            wrong.append((number, "outside", WATCH.outside[:3]))
        if heartbeat.longest > OTHERS_WAIT:
            wrong.append((number, "others wait", f"{heartbeat.longest:.1f} s"))
    gc.unfreeze()
    assert not wrong, f"{len(wrong)} of {read + refused} {make.__name__}: {wrong[:12]}"
    assert read > 0
    assert refused > 0 or make is generator.link
