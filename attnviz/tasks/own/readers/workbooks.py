"""Tables that somebody brought as files: text in some encoding, or the first sheet of a workbook."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from pathlib import Path

from attnviz.bounded import reason
from attnviz.errors import DataPackage, DataTooLarge, DataWorkbook
from attnviz.tasks.own.readers.decoding import Decoded, decode, read_data
from attnviz.tasks.own.readers.delimited import SIGNS
from attnviz.tasks.own.readers.json_lines import json_cell
from attnviz.tasks.own.readers.labelled_rows import MOST_ROWS

__all__ = ["MOST_BYTES", "WORKBOOKS", "as_table", "read_table"]

MOST_BYTES = 100 * 2**20  # of a file, and of a workbook when it is unpacked
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")


def read_table(path: Path, encoding: str = "") -> Decoded:
    """Read a file of `MOST_BYTES` at most as `as_table` does.

    Raises:
        InputError: it cannot be read, or not so.
    """
    return as_table(read_data(path, MOST_BYTES), path.suffix.lower(), encoding)


def as_table(data: bytes, kind: str, encoding: str = "", limit: int = MOST_BYTES) -> Decoded:
    """Return a file as text with all its columns, as `read_labelled` takes it: of a workbook its first sheet as CSV.

    Args:
        data: content of the file.
        kind: ending of its name, such as ".csv"; one that is not among `WORKBOOKS` is read as text.
        encoding: see `decode`.
        limit: bytes that the file may have.

    Raises:
        InputError: it cannot be read so.
    """
    if len(data) > limit:
        raise DataTooLarge(len(data), limit)
    if kind in WORKBOOKS:
        return Decoded(_workbook(data, kind), "utf-8", True)
    return decode(data, encoding, limit)


def _workbook(data: bytes, kind: str) -> str:
    """Return the first sheet of a workbook as CSV."""
    try:
        from python_calamine import CalamineError, load_workbook
    except ImportError as error:
        raise DataPackage(kind, "python-calamine") from error
    if data.startswith(b"PK"):
        data = _unpacked(data)
    try:
        sheet = load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python(nrows=2 * MOST_ROWS + 2)
    except CalamineError as error:
        raise DataWorkbook(reason(error)) from error
    rows = [[" ".join(json_cell(value).split()) for value in row] for row in sheet]
    file = io.StringIO()
    writer = csv.writer(file, delimiter=SIGNS["comma"], lineterminator="\n")
    writer.writerows(row if any(row) else () for row in rows)  # an empty row may stand between dialogues
    return file.getvalue()


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
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise DataWorkbook(str(error)) from error
    return plain.getvalue()
