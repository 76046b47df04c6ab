"""Program that reads a workbook from standard input and writes the cells of its first sheet that is not hidden as JSON.

A process of its own, which may fail: the library makes room for every cell up to the last one, so that one cell far
outside the table asks for 500 GB, and the library then ends its process. The file imports nothing of attnviz.
"""

import contextlib
import io
import json
import sys


def main(most_rows: int, most_columns: int, nbytes: int) -> None:
    """Write {"sheets": ..., "rows": ...}, {"columns": ...} where there are too many of them, or {"error": ...}."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on every system
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (nbytes, nbytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from python_calamine import CalamineError, SheetTypeEnum, SheetVisibleEnum, load_workbook

    try:
        workbook = load_workbook(io.BytesIO(sys.stdin.buffer.read()))
        tables = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
        tables.sort(key=lambda sheet: sheet.visible != SheetVisibleEnum.Visible)
        names = [sheet.name for sheet in tables]
        sheet = workbook.get_sheet_by_name(names[0])
        if sheet.width > most_columns:
            found: object = {"columns": sheet.width}
        else:
            found = {"sheets": names, "rows": sheet.to_python(nrows=most_rows)}
    except (CalamineError, IndexError):  # no table, but charts alone
        found = {"error": "it is no workbook, or it is damaged"}
    json.dump(found, sys.stdout, default=str)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
