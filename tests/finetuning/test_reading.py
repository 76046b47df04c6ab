"""Files of labelled texts and of tagged words, of every kind, come to the same."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from attnviz.errors import (
    DataBlank,
    DataColumns,
    DataJsonLine,
    DataNested,
    DataNoColumnNamed,
    DataTooLarge,
    DataTooManyColumns,
    DataWorkbook,
)
from attnviz.errors.base import Why
from attnviz.finetuning.reading import read_content, read_file
from attnviz.tasks.own.readers.labelled_rows import labelled_layout
from attnviz.tasks.own.readers.pair_rows import read_pairs
from attnviz.tasks.own.readers.workbooks import MOST_BYTES, as_table
from tests.finetuning.conftest import workbook
from tests.refused import refused

SAME = 'text,label\ngood,5\n"bad, very bad",1\n'
FILES = {
    "a.csv": 'review,stars,id\ngood,5,x\n"bad, very bad",1,y\n',
    "a.tsv": "stars\treview\n5\tgood\n1\tbad, very bad\n",
    "a.jsonl": '{"stars": 5.0, "review": " good "}\n\n{"review": "bad,\\nvery  bad", "stars": "1"}\n',
}


@pytest.mark.parametrize("name", FILES)
def test_columns_by_their_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(FILES[name])
    assert read_file(path, "review", "stars") == (SAME, False)


@pytest.mark.parametrize("name", FILES)
def test_a_preview_has_every_column(name: str) -> None:
    table = labelled_layout(
        as_table(FILES[name].encode(), Path(name).suffix).text, header="yes", text_column=1, label_column=2
    )
    assert table.header is not None
    assert {*table.header.cells} == {"review", "stars"} | ({"id"} if name == "a.csv" else set())
    assert len(table.records) == 2


def test_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook([["review", "stars"], ["good", 5], ["bad, very bad", 1]]))
    assert read_file(path, "review", "stars") == (SAME, False)
    dialogues = workbook([["hi", "hello"], ["tea ?", "yes"], [], ["bye", "bye"]])
    assert [pair.source for pair in read_pairs(as_table(dialogues, ".xlsx").text, turns=2)][1:] == [
        "hi | hello | tea ?",
        "bye",
    ]
    assert as_table(dialogues, ".xlsx").sheets == (), "there is nothing to say"
    several = as_table(workbook([["good", 5], ["bad", 1]], others=("notes",)), ".xlsx")
    assert (several.text, several.sheets) == ("good\t5\nbad\t1\n", ("a", "notes")), "a hidden sheet is not the first"
    with refused(DataWorkbook(Why("workbook-sheet", sheet="a", others=["notes"]))):
        as_table(workbook([], others=("notes",)), ".xlsx")
    path.write_bytes(b"PK")
    with pytest.raises(DataWorkbook):
        read_file(path)


def test_a_workbook_that_cannot_be_opened_ends_no_process_of_ours() -> None:
    rows: list[list[str | int]] = [["text", "label"], ["good", 5]]
    whole = workbook(rows)
    far = workbook(rows, '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    wide = workbook(rows, '<row r="40"><c r="XFD40"><v>1</v></c></row>')
    entity = workbook([["text", "&bomb;"]])
    locked = bytearray(whole)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the bit that says so, of every member
        start = -1
        while (start := locked.find(mark, start + 1)) >= 0:
            locked[start + place] |= 1
    for content, error in (
        (far, DataWorkbook(Why("workbook-memory", most="1,024"))),
        (wide, DataTooManyColumns(1, 16384, 1000)),
        (entity, DataWorkbook(Why("workbook-unknown"))),
        (whole[:600], DataWorkbook(Why("workbook-unknown"))),
        (bytes(locked), DataWorkbook(Why("workbook-locked"))),
        ("EncryptedPackage".encode("utf-16-le"), DataWorkbook(Why("workbook-locked"))),
        (b"text,label", DataWorkbook(Why("workbook-unknown"))),
    ):
        with refused(error):
            as_table(content, ".xlsx")


def test_a_workbook_that_unpacks_to_more_than_there_is_memory_for() -> None:
    file = io.BytesIO(workbook([["text", "label"], ["good", 5]]))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/big.xml", "w") as big:
        for _ in range(MOST_BYTES // 2**20 + 1):
            big.write(bytes(2**20))
    assert len(file.getvalue()) < 2**18
    with pytest.raises(DataTooLarge):
        read_content(file.getvalue(), "a.xlsx")


def test_tagged_words(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("# a comment\n1 Anna B-PER\n2 sings O\n\n1 Oslo B-LOC\n")
    assert read_file(path, "2", "3") == ("Anna B-PER\nsings O\n\nOslo B-LOC\n", True)
    with pytest.raises(DataNoColumnNamed):
        read_file(path, "word")


def test_what_a_line_lacks_is_told_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for content, error, words in (
        ('{"text": "a", "label": 1}\n[1]', DataJsonLine, "Line 2 is not a JSON object"),
        ('{"text": "a"}', DataColumns, "Line 1"),
        ('{"text": "a", "label": null}', DataBlank, "1"),
        ("{", DataJsonLine, "Line 1"),
        ('{"text": "a", "label": {"stars": 1}}', DataNested, r'Line 1.*“label” holds a list or an object.*"stars": 1'),
        ('{"text": "a", "label": ["good", "new"]}', DataNested, "good | new"),
        ('{"text": [{"role": "user"}], "label": 1}', DataNested, "“text”"),
    ):
        path.write_text(content)
        with pytest.raises(error, match=words):
            read_file(path)
    assert read_pairs('{"source": ["hi", "tea ?"], "target": "yes", "by": {"id": 7}}')[0].source == "hi | tea ?"
    with pytest.raises(DataNested, match="“target”"):
        read_pairs('{"source": "hi", "target": {"text": "yes"}}')
