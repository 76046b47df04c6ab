"""Files are measured before they are read: kind, size, depth."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from attnviz.bounded import MAX_DEPTH, open_regular, parse_json, read_bytes, read_json
from attnviz.training.run.files import clear_unfinished, write_atomically


def make_folder(path: Path) -> None:
    path.mkdir()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [make_folder, make_pipe, make_loop, make_device])
def test_what_is_no_file_is_not_waited_for(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "odd")
    for read in (open_regular, read_json, lambda path: read_bytes(path, 10)):
        with pytest.raises(OSError, match=r"not a file|symbolic links"):
            read(tmp_path / "odd")
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "a\0b")


def test_sizes_are_bounds(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_bytes(file, 5) == b"12345"
    with pytest.raises(ValueError, match="it is longer than"):
        read_bytes(file, 4)
    with file.open("wb") as sparse:
        sparse.truncate(2**40)
    with pytest.raises(ValueError, match="it is longer than"):
        read_json(file)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 2, 900, 100_000])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded(depth: int, begin: str, end: str) -> None:
    with pytest.raises(ValueError, match="it is nested too deeply"):
        parse_json(begin * depth + "1" + end * depth)
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "1e999", '{"a": 1, "a": 1}', "9" * 5000, "", "{"])
def test_strict_json_has_one_meaning(text: str) -> None:
    with pytest.raises(ValueError, match=r"number|twice|Expect|digits"):
        parse_json(text, strict=True)


def test_what_a_killed_process_left_is_cleared(tmp_path: Path) -> None:
    write_atomically(tmp_path / "state.json", b"{}")
    for name in (".state.json.12-34.tmp", ".x.tmp"):
        (tmp_path / name).touch()
    for name in ("mine.tmp", ".hidden", ".state.json.tmp.txt"):
        (tmp_path / name).touch()
    (tmp_path / ".folder.tmp").mkdir()
    assert clear_unfinished(tmp_path) == 2
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"state.json", "mine.tmp", ".hidden", ".state.json.tmp.txt", ".folder.tmp"}
