"""Bytes of a file as text: what kind of file it is, its encoding, its line ends."""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import NamedTuple

from charset_normalizer import from_bytes

from attnviz.bounded import open_regular, reason
from attnviz.errors import (
    DataArchive,
    DataBinary,
    DataEmpty,
    DataEncoding,
    DataEncodingUnclear,
    DataSpreadsheet,
    DataTooLarge,
    DataUnreadable,
)

__all__ = ["ENCODINGS", "MOST_BYTES", "Decoded", "decode", "read_data", "unified"]

MOST_BYTES = 5 * 2**20

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "gb18030": "GBK / GB 18030",
    "big5": "Big5",
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "shift_jis": "Shift JIS",
    "euc_kr": "EUC-KR",
}
"""Encodings that may be chosen, by Python's names, and what people call them."""

GUESSED = ("gb18030", "big5", "cp1252")  # those that are taken without being named
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
OFFICE = (b"[Content_Types].xml", b"mimetypeapplication/vnd.oasis", b"xl/workbook")  # in the zip files of spreadsheets
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls
CONTROLS = frozenset(map(chr, range(32))) - set("\t\n\r\f\v\x1a") | {"\x7f"}  # \x1a: DOS ends a file with it


class Decoded(NamedTuple):
    """The text of a file.

    Attributes:
        text: without a byte order mark, its lines ended by "\\n".
        encoding: a key of ENCODINGS.
        certain: told by a byte order mark, by being valid UTF-8, or by who brought the file; not certain: the likeliest
            of GBK, Big5 and Windows-1252.
        sheets: names of all sheets of a workbook that has several, the one that was read first; () of other files.
    """

    text: str
    encoding: str
    certain: bool
    sheets: tuple[str, ...] = ()


def decode(data: bytes, encoding: str = "", limit: int = MOST_BYTES) -> Decoded:
    """Read the text of a file.

    Args:
        data: its bytes.
        encoding: a key of ENCODINGS, or "": told by a byte order mark, else UTF-8 where it is valid, else UTF-16 where
            every other byte is 0, else the likeliest of GBK, Big5 and Windows-1252 by charset-normalizer.
        limit: bytes at most.

    Raises:
        DataTooLarge: more bytes than the limit.
        DataEmpty: no bytes, or nothing but white space.
        DataSpreadsheet: a workbook, not a text.
        DataArchive: a compressed file.
        DataBinary: bytes that no text has.
        DataEncoding: the bytes are no text in that encoding, or in none that is known.
        DataEncodingUnclear: several encodings are as likely as each other.

    Example:
        >>> decode("不错,positive\\r\\n".encode("gbk") * 9).encoding
        'gb18030'
        >>> decode(b"one\\r\\ntwo")
        Decoded(text='one\\ntwo', encoding='utf-8', certain=True, sheets=())
    """
    _check_kind(data, limit)
    marked = next(((mark, name) for mark, name in MARKS if data.startswith(mark)), None)
    if marked is not None and encoding in ("", marked[1]):
        mark, encoding = marked
        return _decoded(data[len(mark) :], encoding, certain=True)
    if encoding:
        return _decoded(data, encoding, certain=True)
    if _is_text(data, "utf-8"):
        return _decoded(data, "utf-8", certain=True)
    if (wide := _wide(data)) is not None:
        return _decoded(data, wide, certain=True)
    if b"\0" in data:
        raise DataBinary(_line(data, data.index(b"\0")))
    return _decoded(data, _likeliest(data), certain=False)


def read_data(path: Path, limit: int) -> bytes:
    """Return the content of a file of data.

    Raises:
        DataTooLarge: it has more bytes than the limit.
        DataUnreadable: it is not there, cannot be read, or is a folder, a pipe or a device.
    """
    try:
        with open_regular(path) as file:
            if (size := os.fstat(file.fileno()).st_size) > limit:
                raise DataTooLarge(size, limit)
            return file.read(limit + 1)
    except OSError as error:
        raise DataUnreadable(str(path), reason(error)) from error


def unified(text: str) -> str:
    """A text without a byte order mark, its lines ended by "\\n" whatever ended them: the same data on every system.

    Example:
        >>> unified("\\ufeffone\\r\\ntwo\\rthree\\n")
        'one\\ntwo\\nthree\\n'
    """
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _check_kind(data: bytes, limit: int) -> None:
    """Refuse what is not text by its size and its first bytes."""
    if len(data) > limit:
        raise DataTooLarge(len(data), limit)
    if not data.strip():
        raise DataEmpty
    if data.startswith(OLD_OFFICE) or (data.startswith(b"PK") and any(name in data for name in OFFICE)):
        raise DataSpreadsheet
    if data.startswith(ARCHIVES):
        raise DataArchive
    if data.startswith(b"%PDF-"):
        raise DataBinary(1)


def _decoded(data: bytes, encoding: str, certain: bool) -> Decoded:
    """Return the text in one encoding, which must be a text."""
    if encoding not in ENCODINGS:
        raise DataEncoding(0, encoding, ", ".join(ENCODINGS))
    try:
        text = unified(data.decode(encoding))
    except UnicodeDecodeError as error:
        raise DataEncoding(_line(data, error.start), ENCODINGS[encoding], ", ".join(ENCODINGS)) from None
    strange = next((place for place, character in enumerate(text) if character in CONTROLS), None)
    if strange is not None:
        raise DataBinary(text.count("\n", 0, strange) + 1)
    if not text.strip():
        raise DataEmpty
    return Decoded(text, encoding, certain)


def _is_text(data: bytes, encoding: str) -> bool:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return "\0" not in text


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: in at least two characters of five, as in all Latin ones, the upper byte is 0."""
    upper = {"utf-16-be": data[::2].count(0), "utf-16-le": data[1::2].count(0)}
    name = max(upper, key=upper.__getitem__)
    return name if 5 * upper[name] >= len(data) and _is_text(data, name) else None


def _likeliest(data: bytes) -> str:
    """Return the encoding of a text that is not Unicode."""
    possible = [name for name in GUESSED if _is_text(data, name)]
    if not possible:
        raise DataEncoding(_first_wrong(data), ENCODINGS["utf-8"], ", ".join(ENCODINGS))
    found = sorted(from_bytes(data, cp_isolation=possible), key=lambda match: (match.chaos, -match.coherence))
    best = [match for match in found if (match.chaos, match.coherence) == (found[0].chaos, found[0].coherence)]
    likely = [name for name in possible if any(match.encoding == name for match in best)] or possible
    if len(likely) > 1:
        raise DataEncodingUnclear([ENCODINGS[name] for name in likely], likely)
    return likely[0]


def _first_wrong(data: bytes) -> int:
    """Return the first line that is not UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return _line(data, error.start)
    return 1


def _line(data: bytes, place: int) -> int:
    """Return the line of a byte."""
    return data.count(b"\n", 0, place) + 1
