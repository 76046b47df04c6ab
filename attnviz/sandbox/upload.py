"""Unpacking a model's folder from a zip file that nobody has reason to trust.

Nothing in the file is believed: what is unpacked is counted while it is written, only plain files side by side are
taken, only of the kinds that a model needs, and names decide nothing but the name of the file in the one folder.
"""

from __future__ import annotations

import json
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from attnviz.bounded import read_json, reason
from attnviz.errors import (
    UploadError,
    UploadFileKind,
    UploadFileSize,
    UploadNoModel,
    UploadNotZip,
    UploadPath,
    UploadTooLarge,
    UploadTooMany,
    UploadUnwritable,
)
from attnviz.errors.base import Why

__all__ = ["KINDS", "MAX_FILES", "unpack"]

KINDS = (".json", ".txt", ".model", ".safetensors", ".jinja")
MAX_FILES = 200
LONGEST_NAME = 200  # bytes; file systems take no more than 255
MB = 2**20
LIMITS = {
    "config.json": 4 * MB,
    "tokenizer.json": 32 * MB,
    "vocab.json": 16 * MB,
    "model.safetensors.index.json": 16 * MB,
    ".json": 4 * MB,
    ".txt": 16 * MB,
    ".model": 16 * MB,
    ".jinja": MB,
}
"""Bytes of a file of that name, or of that kind; weights have the limit of the whole alone."""

NAMES_FILES = re.compile(r"(.*_(file|path)|_?name_or_path|vocab|merges|init_inputs|tokenizer_object)")
"""Settings of a tokenizer that are taken for the place of a file."""

TOKENS = re.compile(r".*(_token_ids?|_tokens|_ids|_to_id)")
"""Settings of generation that name tokens; the others say how to generate, which is for the server to say."""

LEFT_OUT: Mapping[str, Callable[[str], bool]] = {
    "tokenizer_config.json": lambda setting: NAMES_FILES.fullmatch(setting) is not None,
    "special_tokens_map.json": lambda setting: NAMES_FILES.fullmatch(setting) is not None,
    "generation_config.json": lambda setting: TOKENS.fullmatch(setting) is None,
}
"""Settings that are left out of a file, by its name."""
CHUNK = 2**20  # bytes
AT_ONCE = 2 * CHUNK
CONFIG = "config.json"


def unpack(file: BinaryIO, name: str, folder: Path, max_bytes: int) -> int:
    """Unpack a zip file with one model into a new folder; a file that is refused leaves nothing behind.

    Args:
        file: the zip file.
        name: name of the file, for messages.
        folder: folder to make.
        max_bytes: most bytes of the file; unpacked it may take twice as much.

    Returns:
        Bytes that were written.

    Raises:
        UploadTooLarge, UploadTooMany: more than the limits.
        UploadFileKind: it holds files of other kinds; all are named.
        UploadPath: a path that leads elsewhere, a link, or a folder within the folder.
        UploadNoModel: there is no config.json.
        UploadFileSize: a file is larger than any of its kind needs to be.
        UploadNotZip: it is damaged, encrypted or no zip file.
        UploadUnwritable: the disk is full.
    """
    try:
        _check_size(file, name, max_bytes)
        with zipfile.ZipFile(_Careful(file)) as archive:
            members = _members(archive.infolist(), name)
            folder.mkdir(parents=True)
            size = _write(archive, members, name, folder, 2 * max_bytes)
        _leave_out(folder)
        return size
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        _remove(folder)
        raise UploadNotZip(name, _reason(error)) from error
    except UploadError:
        _remove(folder)
        raise
    except OSError as error:
        _remove(folder)
        raise UploadUnwritable(name, reason(error)) from error


class _Careful:
    """A file that refuses to be read in larger pieces than an honest zip file needs."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(AT_ONCE + 1 if size < 0 else min(size, AT_ONCE + 1))
        if len(content) > AT_ONCE:
            raise zipfile.BadZipFile("its list of files is too long")
        return content


def _check_size(file: BinaryIO, name: str, max_bytes: int) -> None:
    if file.seek(0, 2) > max_bytes:
        raise UploadTooLarge(name, _megabytes(max_bytes))
    file.seek(0)


def _members(listed: Sequence[zipfile.ZipInfo], name: str) -> list[zipfile.ZipInfo]:
    """Return the files of the model, once all of them may be taken."""
    files = [member for member in listed if not member.is_dir() and not _of_the_system(member.filename)]
    if len(files) > MAX_FILES:
        raise UploadTooMany(name, len(files), MAX_FILES)
    for member in files:
        _check_path(member, name)
    others = [_shown(PurePosixPath(member.filename).name) for member in files if not member.filename.endswith(KINDS)]
    if others:
        raise UploadFileKind(name, others, KINDS)
    if CONFIG not in {PurePosixPath(member.filename).name for member in files}:
        raise UploadNoModel(name)
    folders = {PurePosixPath(member.filename).parent for member in files}
    for member in files:  # all in one place, each name once
        if len(folders) > 1 and PurePosixPath(member.filename).parent != min(folders):
            raise UploadPath(name, _shown(member.filename))
        if member.flag_bits & 1:
            raise zipfile.BadZipFile("it is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile("its compression is not the usual one")
    return files


def _shown(path: str) -> str:
    """Return a path for a message: in one line, of bounded length, every sign that cannot be seen escaped."""
    seen = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in path)
    return seen if len(seen) <= 100 else seen[:97] + "..."


def _of_the_system(path: str) -> bool:
    """Whether macOS or Windows put this file beside those of a person."""
    return path.startswith("__MACOSX/") or PurePosixPath(path).name in (".DS_Store", "Thumbs.db", "desktop.ini")


def _check_path(member: zipfile.ZipInfo, name: str) -> None:
    path = PurePosixPath(member.filename)
    kind = stat.S_IFMT(member.external_attr >> 16)
    long = len(path.name.encode("utf-8", "surrogatepass")) > LONGEST_NAME
    deep = len(path.parts) > 2 or any(part.startswith(".") for part in path.parts)
    strange = any(ord(sign) < 32 or sign in "\\:" for sign in member.filename)
    if path.is_absolute() or long or deep or strange or kind not in (0, stat.S_IFREG):
        raise UploadPath(name, _shown(member.filename))


def _write(
    archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], name: str, folder: Path, max_bytes: int
) -> int:
    """Write the files, and count what comes out, whatever the list of files says of it."""
    written = 0
    for member in members:
        path = folder / PurePosixPath(member.filename).name
        limit = _limit(path.name)
        try:
            path.touch(exist_ok=False)
        except FileExistsError as error:
            raise UploadPath(name, _shown(member.filename)) from error
        with archive.open(member) as source, path.open("wb") as target:
            while chunk := source.read(CHUNK):
                written += len(chunk)
                if written > max_bytes:
                    raise UploadTooLarge(name, _megabytes(max_bytes))
                target.write(chunk)
                if limit is not None and target.tell() > limit:
                    raise UploadFileSize(name, path.name, _megabytes(limit))
    return written


def _limit(file: str) -> int | None:
    return LIMITS.get(file, LIMITS.get(PurePosixPath(file).suffix))


def _leave_out(folder: Path) -> None:
    """Leave out settings that a model works without, and that could reach elsewhere or make it work without end.

    Where the files of a tokenizer were when it was saved says nothing here: they lie beside its settings.
    """
    for name, is_left_out in LEFT_OUT.items():
        path = folder / name
        if not path.is_file():
            continue
        try:
            values = read_json(path)
        except ValueError:  # opening it says what is wrong
            continue
        kept = {key: value for key, value in values.items() if not is_left_out(key)}
        if kept != values:
            path.write_text(json.dumps(kept), encoding="utf-8")


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0][:100].rstrip(".") if text else Why("ends-early")


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MB"
