"""Bytes of a file as text, and the same data whatever the encoding, the dialect and the line ends."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.errors import (
    AttnvizError,
    DataArchive,
    DataBinary,
    DataEmpty,
    DataEncoding,
    DataEncodingUnclear,
    DataSpreadsheet,
    DataTooLarge,
    InputError,
)
from attnviz.tasks import OwnEntities, OwnLabelled, OwnPairs, OwnSeries, OwnText
from attnviz.tasks.own.readers.decoding import ENCODINGS, decode, unified
from attnviz.tasks.own.readers.delimited import SIGNS
from attnviz.tasks.own.readers.labelled_rows import read_labelled
from tests.refused import refused

CHINESE = "这家餐厅的菜很好吃，服务也周到。价格有点贵，但是值得。\n" * 5
TRADITIONAL = "這家餐廳的菜很好吃，服務也周到。價格有點貴，但是值得。\n" * 5
GERMAN = "Die Brühe war köstlich, das Gemüse frisch – für 12 € ein schönes Menü.\n" * 5


@pytest.mark.parametrize(
    ("text", "written", "name"),
    [
        (CHINESE, "utf-8", "utf-8"),
        (CHINESE, "utf-8-sig", "utf-8"),
        (CHINESE, "utf-16", "utf-16-le"),
        (GERMAN, "utf-16-be", "utf-16-be"),
        (GERMAN, "utf-16-le", "utf-16-le"),
        (CHINESE, "gbk", "gb18030"),
        (TRADITIONAL, "big5", "big5"),
        (GERMAN, "cp1252", "cp1252"),
    ],
)
def test_encodings_are_told(text: str, written: str, name: str) -> None:
    found = decode(text.replace("\n", "\r\n").encode(written))
    assert found == (text, name, name.startswith("utf"), ())
    assert found.encoding in ENCODINGS


def test_an_encoding_that_cannot_be_told_is_asked() -> None:
    data = "Temp °C\n3\n4\n".encode("cp1252")
    with pytest.raises(DataEncodingUnclear, match="GBK / GB 18030', 'Big5', 'Windows-1252") as caught:
        decode(data)
    assert caught.value.names == ["gb18030", "big5", "cp1252"]
    assert decode(data, "cp1252") == ("Temp °C\n3\n4\n", "cp1252", True, ())
    with refused(DataEncoding(1, "UTF-8", ", ".join(ENCODINGS))):
        decode(data, "utf-8")
    with refused(DataEncoding(0, "latin", ", ".join(ENCODINGS))):
        decode(data, "latin")


def zipped(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "text")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", DataEmpty()),
        (b" \n\t", DataEmpty()),
        (b"\xef\xbb\xbf\n", DataEmpty()),
        (zipped("[Content_Types].xml"), DataSpreadsheet()),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, DataSpreadsheet()),
        (zipped("data.csv"), DataArchive()),
        (gzip.compress(b"text", mtime=0), DataArchive()),
        (b"good,pos\nb\0d,neg\n", DataBinary(2)),
        (b"a\nb\x07c", DataBinary(2)),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj", DataBinary(1)),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", DataBinary(3)),
        (b"\x81\x0f\xff\xff", DataEncoding(1, "UTF-8", ", ".join(ENCODINGS))),
        (b"x" * 101, DataTooLarge(101, 100)),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, error: AttnvizError) -> None:
    with refused(error):
        decode(data, limit=100 if b"xxx" in data else 10**6)


def test_a_workbook_of_pandas_own_kind_is_refused(tmp_path: Path) -> None:
    """What a spreadsheet program zips begins with the list of its parts."""
    with zipfile.ZipFile(tmp_path / "book.csv", "w", zipfile.ZIP_DEFLATED) as book:
        for name in ("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"):
            book.writestr(name, "<xml/>" * 1000)
    with pytest.raises(DataSpreadsheet):
        decode((tmp_path / "book.csv").read_bytes())


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_of_somebody_elses(data: bytes) -> None:
    try:
        text = decode(data).text
    except InputError:
        return
    assert "\r" not in text
    for kind in (OwnText, OwnLabelled, OwnEntities, OwnSeries, OwnPairs):
        try:
            kind(text)
        except InputError:
            continue


CELLS = st.text(st.sampled_from("ab好é \"',;|\t\n."), min_size=1, max_size=12).filter(lambda cell: cell.strip())
ROWS = st.lists(st.tuples(CELLS, st.sampled_from(["pos", "neg"])), min_size=1, max_size=12)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@given(ROWS, st.sampled_from(list(SIGNS)), ENDS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
@settings(max_examples=200)
def test_a_table_that_was_written_is_read(rows: list[tuple[str, str]], separator: str, end: str, encoding: str) -> None:
    """Over dialects, encodings and line ends; what is said is said, for tables of such cells do not tell it."""
    file = io.StringIO()
    quoting = csv.QUOTE_ALL
    sign = SIGNS[separator]  # type: ignore[index]
    csv.writer(file, delimiter=sign, lineterminator=end, quoting=quoting).writerows([("text", "label"), *rows])
    name = "gb18030" if encoding == "gb18030" else ""
    text = decode(file.getvalue().encode(encoding), name).text
    read = read_labelled(text, separator=separator)  # type: ignore[arg-type]
    assert read == [(" ".join(cell.split()), label) for cell, label in rows]


@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 2)), min_size=80, max_size=90, unique=True), ENDS)
@settings(max_examples=30)
@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", ","), (";", "."), ("\t", ",")])
def test_numbers_that_pandas_wrote_are_read(separator: str, decimal: str, values: list[float], end: str) -> None:
    frame = pd.DataFrame({"day": [f"2024-{n}-x" for n in range(len(values))], "price": values})
    text = frame.to_csv(sep=separator, decimal=decimal, index=False, lineterminator=end)
    task = OwnSeries(text, length=8)
    assert (task.column.name, task.column.values) == ("price", tuple(values))


LABELLED = "\n".join(f"good {n},pos\nbad {n},neg" for n in range(20))
TAGGED = "\n\n".join(f"name{n} B-PER\nsings O" for n in range(30))
PAIRS = "\n".join(f"{n} and {n + 1}\t{n + 1} {n}" for n in range(30))
NUMBERS = "\n".join(str(n * n % 23) for n in range(300))
PROSE = "\n".join(f"line {n} of a text\n" for n in range(60))


@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize(
    ("kind", "text"),
    [(OwnText, PROSE), (OwnLabelled, LABELLED), (OwnEntities, TAGGED), (OwnSeries, NUMBERS), (OwnPairs, PAIRS)],
)
def test_line_ends_do_not_change_a_task(kind: type[OwnText], text: str, end: str) -> None:
    """The same task, so the same run: equal in all that it is made of."""
    assert kind("\ufeff" + text.replace("\n", end)) == kind(text)
    assert kind(text.replace("\n", end)).tokenizer == kind(text).tokenizer


def test_a_text_that_an_older_run_learned_keeps_its_carriage_returns() -> None:
    text = PROSE.replace("\n", "\r\n")
    assert OwnText.stored(text=text, length=16).text == text
    assert "\r" in OwnText.stored(text=text, length=16).tokenizer.symbols
    assert OwnText(text, 16).text == unified(text) == PROSE


@pytest.mark.parametrize("kind", [OwnText, OwnLabelled, OwnEntities, OwnSeries, OwnPairs])
def test_half_a_character_is_refused(kind: type[OwnText]) -> None:
    with pytest.raises(DataBinary, match="line 2"):
        kind("one\n\ud800 two")
