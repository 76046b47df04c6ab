"""Whatever lies in a run's folder is read, or is an error of ours: no other error, no waiting, no memory."""

from __future__ import annotations

import json
import os
import shutil
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from attnviz.errors import AttnvizError, RunCorrupt, RunError
from attnviz.training import Run, Timeline, all_runs, record
from attnviz.training.run.export import metrics_csv, model_files, pytorch_script, run_zip
from attnviz.training.run.manage import delete_run
from attnviz.training.run.progress import Progress
from attnviz.training.run.runs import place_in_queue
from attnviz.training.run.timeline import HEADER, TimelineWriter
from attnviz.view.run_header import run_header
from tests.training.runs import small_run

FILES = (
    "config.json",
    "state.json",
    "metrics.jsonl",
    "attention.bin",
    "resume.safetensors",
    "commands.jsonl",
    "checkpoints",
    "checkpoints/step-000002.safetensors",
)
ODD: tuple[Any, ...] = (
    2**31, 10**9, 2**64, 10**400, -1, 0, 0.5, 1e300, "x", "x" * 500, [], [[1]], [1, [2, [3]]], None, True, {"a": [1]},
)  # fmt: skip


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps that was stopped: it has every file."""
    run = small_run(tmp_path_factory.mktemp("recorded") / "run", steps=2)
    record(run)
    run.write_state(run.state().__class__("stopped", 2))
    run.commands.send("pause")
    return run.folder


@pytest.fixture
def folder(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "run"))


def readings(folder: Path) -> Iterator[Callable[[], object]]:
    """All that pages, routes and the command line do with a run."""
    yield lambda: all_runs(folder.parent)
    run = Run.open(folder)
    yield run.state
    yield run.metrics
    yield lambda: Progress(run.metrics_path, run.config.task.metric).look()
    yield lambda: json.dumps(run_header(run))
    yield lambda: metrics_csv(run)
    yield lambda: run.model(2)
    yield lambda: model_files(run)
    yield lambda: pytorch_script(run)
    yield lambda: run_zip(run)
    yield lambda: place_in_queue(run)
    yield lambda: [run.timeline().weights(step) for step in run.timeline().steps]
    yield lambda: run.commands.poll()
    yield lambda: record(run)


def read_all(folder: Path) -> list[str]:
    """What the readings said; an OSError is one of a file that somebody takes away meanwhile, and tells which."""
    said: list[str] = []
    readers = readings(folder)
    while True:
        try:
            read = next(readers, None)
            if read is None:
                return said
            read()
        except AttnvizError as error:
            said.append(str(error))
        except OSError as error:
            said.append(str(error.strerror))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def folder_of(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def deep(path: Path) -> None:
    path.write_text('{"a":' * 100_000 + "1" + "}" * 100_000 + "\n")


def noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 50 + b"\n")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**41)


@pytest.mark.parametrize("make", [empty, folder_of, pipe, loop, dangling, device, deep, noise, huge])
@pytest.mark.parametrize("name", FILES)
def test_something_else_in_place_of_a_file(name: str, make: Callable[[Path], None], folder: Path) -> None:
    path = folder / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    make(path)
    good = small_run(folder.parent / "good")
    tracemalloc.start()
    try:
        assert all(len(words) < 1000 for words in read_all(folder))
        assert tracemalloc.get_traced_memory()[1] < 2**27
    finally:
        tracemalloc.stop()
    assert good in all_runs(folder.parent), "one broken entry, and the others are there"
    if os.path.lexists(folder / "config.json"):
        delete_run("run", folder.parent)
        assert not folder.exists()


def test_a_folder_that_nobody_may_read_is_one_entry(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, who runs these tests at times, may read everything, the operating system's word is put in."""
    (folder.parent / "locked").mkdir()
    (folder.parent / "lost+found").mkdir()
    (folder.parent / "notes.txt").touch()
    before = os.open

    def refuse(path: Any, *args: Any, **options: Any) -> int:
        if "locked" in str(path) or "lost+found" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return before(path, *args, **options)

    monkeypatch.setattr(os, "open", refuse)
    found = all_runs(folder.parent)
    assert [run.name for run in found if isinstance(run, Run)] == ["run"]
    (error,) = (each for each in found if isinstance(each, RunError))
    assert repr(error) == repr(RunCorrupt("locked", "config.json", "Permission denied"))


def test_a_folder_of_runs_that_cannot_be_listed_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    for name in ("file", "loop"):
        (error,) = all_runs(tmp_path / name)
        assert isinstance(error, RunCorrupt)
    assert all_runs(tmp_path / "none") == []


def places(values: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in values.items() if isinstance(values, dict) else ():
        yield (*before, name)
        yield from places(value, (*before, name))


def changed(text: str, place: tuple[str, ...], value: Any) -> str:
    values = json.loads(text)
    inner = values
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return json.dumps(values)


def test_odd_values_in_the_configuration(folder: Path) -> None:
    """Every setting as every odd value: the run opens and all of it can be seen, or it is refused with a reason."""
    file = folder / "config.json"
    text = file.read_text()
    refused: list[str] = []
    for place in places(json.loads(text)):
        for value in ODD:
            file.write_text(changed(text, place, value))
            try:
                run = Run.open(folder)
            except RunError as error:
                refused.append(str(error))
            else:
                run_header(run)
                run.config.task.examples()
    assert len(refused) > 300
    assert all(len(words) < 600 for words in refused)


@pytest.mark.parametrize("name", ["state.json", "metrics.jsonl"])
def test_odd_values_in_what_is_written_on_the_way(name: str, folder: Path) -> None:
    file = folder / name
    line = file.read_text().splitlines()[-1] if name == "metrics.jsonl" else file.read_text()
    values = {"process": {"host": "x", "pid": 5, "started": "y"}, "error": {"code": "x", "details": {}}}
    line = json.dumps(json.loads(line) | (values if name == "state.json" else {}))
    for place in places(json.loads(line)):
        for value in ODD:
            file.write_text(changed(line, place, value) + "\n")
            run = Run.open(folder)
            progress = Progress(run.metrics_path, "accuracy")
            for read in (run.state, run.metrics, progress.look, partial(metrics_csv, run)):
                with suppress(RunCorrupt):
                    read()


def test_a_process_is_no_path(folder: Path) -> None:
    state = {"state": "running", "step": 1, "process": {"host": "x", "pid": "../self", "started": ""}}
    (folder / "state.json").write_text(json.dumps(state))
    with pytest.raises(RunCorrupt, match="a process is a host, a number above 0 and a start"):
        Run.open(folder).state()


HEADERS: list[Any] = [
    {"format": 1, "sites": [{"sequence": 1e30, "site": "a", "shape": [1, 1, 1]}]},
    {"format": 1, "sites": [{"sequence": 10**30, "site": "a", "shape": [1, 1, 1]}]},
    {"format": 1, "sites": [{"sequence": -1, "site": "a", "shape": [1, 1, 1]}]},
    {"format": 1, "sites": [{"sequence": 0, "site": "a", "shape": [10**6, 10**6, 10**6]}]},
    {"format": 1, "sites": [{"sequence": 0, "site": "a", "shape": [1, 2**27, 1]}] * 3},
    {"format": 1, "sites": [{"sequence": 0, "site": "a", "shape": [1, -1, 1]}]},
    {"format": 1, "sites": [{"sequence": 0, "site": "a", "shape": [1, 1]}]},
    {"format": 1, "sites": [{"sequence": 0, "site": "a", "shape": "abc"}]},
    {"format": 1, "sites": [{"sequence": 0, "site": 5, "shape": [1, 1, 1]}]},
    {"format": 1, "sites": {"a": 1}},
    {"format": 1, "sites": 3},
    {"format": 1},
    [],
    None,
]


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: json.dumps(header)[:60])
def test_the_counts_of_a_timeline_are_held_to_what_can_be(header: Any, tmp_path: Path) -> None:
    path = tmp_path / "attention.bin"
    path.write_bytes(json.dumps(header).encode() + b"\n" + HEADER.pack(b"SNAP", 1, 0, 3, 0) + b"abc")
    for read in (Timeline, lambda path: TimelineWriter(path, 3)):
        with pytest.raises(RunCorrupt):
            read(path)


def timeline_of(path: Path, size: int, payload: bytes, step: int = 0) -> Timeline:
    line = {"format": 1, "sites": [{"sequence": 0, "site": "a", "shape": [1, 1, size]}]}
    frame = HEADER.pack(b"SNAP", 1, step, len(payload), zlib.crc32(payload)) + payload
    path.write_bytes(json.dumps(line).encode() + b"\n" + frame)
    return Timeline(path)


def test_a_snapshot_is_unpacked_to_its_size_and_no_further(tmp_path: Path) -> None:
    path = tmp_path / "attention.bin"
    bomb = zlib.compress(bytes(2**28), 9)
    promised = zlib.compress(bytes(10), 9)
    for size, payload in ((10, bomb), (2**28, promised), (10, b"no zlib"), (10, b"")):
        timeline = timeline_of(path, size, payload)
        tracemalloc.start()
        try:
            with pytest.raises(RunCorrupt, match="the snapshot of step 0 is damaged"):
                timeline.weights(0)
            assert tracemalloc.get_traced_memory()[1] < 2**23
        finally:
            tracemalloc.stop()
    assert timeline_of(path, 10, promised).weights(0)[0]["a"].shape == (1, 1, 10)


def test_a_first_line_without_an_end(tmp_path: Path) -> None:
    path = tmp_path / "attention.bin"
    path.write_bytes(b"[" * 2**21)
    with pytest.raises(RunCorrupt, match="its first line has more than 1,048,576 bytes"):
        Timeline(path)


def test_weights_of_another_shape_are_not_read(folder: Path) -> None:
    """Names and shapes are in the header: what does not fit is refused before there is memory for it."""
    run = Run.open(folder)
    path = run.checkpoint_path(2)
    claimed = {"decoder": {"dtype": "F32", "shape": [2**20, 2**20], "data_offsets": [0, 2**42]}}
    header = json.dumps(claimed).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(RunCorrupt, match=r"step-000002\.safetensors cannot be read"):
        run.model(2)
    save_file({"odd": torch.zeros(3)}, path)
    with pytest.raises(RunCorrupt, match="another shape"):
        run.model(2)
    save_file({name: torch.zeros(2) for name in ("weights", "exp_avg")}, run.resume_path)
    with pytest.raises(RunCorrupt, match=r"resume\.safetensors cannot be read: size mismatch"):
        record(run)


def test_names_of_checkpoints_are_those_that_are_written(folder: Path) -> None:
    run = Run.open(folder)
    kept = run.checkpoints()
    for name in ("step-٣٤٥٦٧٨", "step-7", "step-0000000009", "step-", "step--00001", f"step-{'9' * 200}"):
        (folder / "checkpoints" / f"{name}.safetensors").touch()
    assert run.checkpoints() == kept


def test_a_link_out_of_the_folder_does_not_leave_it(folder: Path) -> None:
    secret = folder.parent / "secret"
    secret.write_bytes(b"secret")
    for name in ("resume.safetensors", "notes.txt"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(secret)
    assert b"secret" not in run_zip(Run.open(folder))
