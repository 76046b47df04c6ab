"""Tables that somebody brought as files: text in some encoding, or a sheet of a workbook."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attnviz.errors import DataEmpty, DataPackage, DataTooLarge, DataTooManyColumns, DataWorkbook
from attnviz.errors.base import Why
from attnviz.tasks.own.readers.decoding import Decoded, decode, read_data
from attnviz.tasks.own.readers.delimited import MOST_COLUMNS, SIGNS
from attnviz.tasks.own.readers.json_lines import json_cell
from attnviz.tasks.own.readers.labelled_rows import MOST_ROWS

__all__ = ["MOST_BYTES", "WORKBOOKS", "as_table", "read_table"]

MOST_BYTES = 100 * 2**20  # of a file, and of a workbook when it is unpacked
CHILD = Path(__file__).with_name("workbook_child.py")
MOST_MEMORY = 2**30  # that a workbook takes when it is open
MOST_SECONDS = 60
LOCKED = "EncryptedPackage".encode("utf-16-le")  # in the files of Office that need a password
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")


def read_table(path: Path, encoding: str = "") -> Decoded:
    """Read a file of `MOST_BYTES` at most as `as_table` does.

    Raises:
        InputError: it cannot be read, or not so.
    """
    return as_table(read_data(path, MOST_BYTES), path.suffix.lower(), encoding)


def as_table(data: bytes, kind: str, encoding: str = "", limit: int = MOST_BYTES) -> Decoded:
    """Return a file as text with all its columns, as `read_labelled` takes it: of a workbook its first sheet.

    That is the first one that is not hidden, its cells separated by tabs, which no cell has.

    Args:
        data: content of the file.
        kind: ending of its name, such as ".csv"; one that is not among `WORKBOOKS` is read as text.
        encoding: see `decode`.
        limit: bytes that the file may have.

    Raises:
        InputError: it cannot be read so.

    Example:
        >>> as_table("\ufefftext,label".encode("utf-16-le"), ".csv")
        Decoded(text='text,label', encoding='utf-16-le', certain=True, sheets=())
    """
    if len(data) > limit:
        raise DataTooLarge(len(data), limit)
    if kind in WORKBOOKS:
        text, sheets = _workbook(data, kind)
        return Decoded(text, "utf-8", True, sheets if len(sheets) > 1 else ())
    return decode(data, encoding, limit)


def _workbook(data: bytes, kind: str) -> tuple[str, tuple[str, ...]]:
    """Return the first sheet of a workbook as text, and the names of all sheets, that one in front."""
    if find_spec("python_calamine") is None:
        raise DataPackage(kind, "python-calamine")
    if LOCKED in data:
        raise DataWorkbook(Why("workbook-locked"))
    names, sheet = _first_sheet(_unpacked(data) if data.startswith(b"PK") else data)
    rows = [[" ".join(json_cell(value).split()) for value in row] for row in sheet]
    file = io.StringIO()
    writer = csv.writer(file, delimiter=SIGNS["tab"], lineterminator="\n")
    writer.writerows(row if any(row) else () for row in rows)  # an empty row may stand between dialogues
    if not file.getvalue().strip():
        if len(names) > 1:
            raise DataWorkbook(Why("workbook-sheet", sheet=names[0], others=names[1:]))
        raise DataEmpty
    return file.getvalue(), tuple(names)


def _first_sheet(data: bytes) -> tuple[list[str], list[list[Any]]]:
    """Return the names of all sheets, and the cells of the first one of them that is not hidden, which is named first.

    They are read by a process that may end for want of memory; see its program.

    Raises:
        DataTooManyColumns: a row is too wide.
        DataWorkbook: it cannot be read.
    """
    limits = map(str, (2 * MOST_ROWS + 2, MOST_COLUMNS, MOST_MEMORY))
    try:
        done = subprocess.run(
            [sys.executable, str(CHILD), *limits],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=MOST_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise DataWorkbook(Why("workbook-slow", most=MOST_SECONDS)) from error
    except subprocess.CalledProcessError as error:
        raise DataWorkbook(Why("workbook-memory", most=f"{MOST_MEMORY / 2**20:,.0f}")) from error
    found: dict[str, Any] = json.loads(done.stdout)
    if "columns" in found:
        raise DataTooManyColumns(1, found["columns"], MOST_COLUMNS)
    if "error" in found:
        raise DataWorkbook(Why("workbook-unknown"))
    return found["sheets"], found["rows"]


def _unpacked(data: bytes) -> bytes:
    """Return a zip file with all its members uncompressed: a small one may unpack to more than there is memory for.

    Raises:
        DataTooLarge: it would.
        DataWorkbook: it cannot be unpacked.
    """
    plain, left = io.BytesIO(), MOST_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed, zipfile.ZipFile(plain, "w") as unpacked:
            for member in packed.infolist():
                with packed.open(member) as file:
                    content = file.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise DataTooLarge(MOST_BYTES - left, MOST_BYTES)
                unpacked.writestr(member.filename, content)
    except DataTooLarge:
        raise
    except RuntimeError as error:  # which zipfile raises for want of a password, NotImplementedError for new ways
        raise DataWorkbook(Why("workbook-locked")) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise DataWorkbook(Why("workbook-unknown")) from error
    return plain.getvalue()
