"""JSON is measured before it is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attnviz.bounded import read_json


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": "' + b"x" * 1000 + b'"}', "longer"),
        (b'{"a": ' + b"[" * 120 + b"]" * 120 + b"}", "deeply"),
        (b'{"a": ' + b"[" * 400, "deeply|Expecting"),
        (b"[1]", "object"),
        (b"\xff\xfe{}", "decode"),
        (b'{"a": 1' + b"0" * 480 + b"}", None),
        (b"", "Expecting"),
    ],
)
def test_what_is_no_plain_object_is_refused(content: bytes, said: str | None, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    if said is None:
        assert list(read_json(path, 500)) == ["a"]
        return
    with pytest.raises(ValueError, match=said):
        read_json(path, 500 if said == "longer" else 10_000)


def test_a_million_brackets_end_well(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}")
    with pytest.raises(ValueError, match="deeply"):
        read_json(path)


def test_folders_and_pipes_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a file"):
        read_json(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a file"):
        read_json(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(OSError, match=r"loop|symbolic"):
        read_json(tmp_path / "loop")
