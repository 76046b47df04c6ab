"""Files of labelled texts and tagged words, written alike: CSV "text,label", or a word and its tag a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attnviz.errors import DataNoColumnNamed
from attnviz.errors.base import Why
from attnviz.tasks.own.readers.conll import read_conll
from attnviz.tasks.own.readers.decoding import decode, read_data
from attnviz.tasks.own.readers.delimited import SIGNS
from attnviz.tasks.own.readers.labelled_rows import LABEL, MOST_ROWS, TEXT, read_labelled
from attnviz.tasks.own.readers.named_columns import named_columns
from attnviz.tasks.own.readers.workbooks import MOST_BYTES, WORKBOOKS, as_table

__all__ = [
    "TABLES",
    "TAGGED",
    "labelled_csv",
    "labelled_text",
    "read_content",
    "read_file",
    "tagged_lines",
    "tagged_text",
    "usual_columns",
]

TAGGED = (".conll", ".iob", ".bio", ".iob2")
JSON = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv", ".txt", *JSON, *WORKBOOKS)
TEXTS = (TEXT, "sentence", "review")  # names of columns that need not be said
LABELS = (LABEL, "class", "category", "target")


def read_file(path: Path, text: str = "", label: str = "", encoding: str = "", tags: bool = False) -> tuple[str, bool]:
    """Read a file of labelled texts, or of tagged words where its name or `tags` says so.

    Args:
        path: file of one of the kinds `TABLES` and `TAGGED`.
        text: column of the texts, or of the words: its name, or its number from 1; "": told by the file.
        label: column of the labels, or of the tags, likewise.
        encoding: see `decode`.
        tags: it holds tagged words, whatever its name.

    Returns:
        The data as `TunedLabels` or `TunedTags` read them, and whether they are tags.

    Raises:
        InputError: the data cannot be read so; each error says why.
    """
    return read_content(read_data(path, MOST_BYTES), path.name, text, label, encoding, tags)


def read_content(
    data: bytes, name: str, text: str = "", label: str = "", encoding: str = "", tags: bool = False
) -> tuple[str, bool]:
    """Read the content of a file of that name; see `read_file`.

    Raises:
        InputError: likewise.
    """
    kind = Path(name).suffix.lower()
    if tags or kind in TAGGED:
        return tagged_text(decode(data, encoding, MOST_BYTES).text, text, label), True
    table = as_table(data, kind, encoding).text
    objects = {"separator": "json"} if kind in JSON else {}
    return labelled_csv(table, **{**objects, **usual_columns(table, text, label)}), False


def labelled_text(content: str, text: str = "", label: str = "") -> str:
    """Return the columns of texts and labels of a table as CSV "text,label".

    Example:
        >>> labelled_text("id;review;stars\\n1;good;5\\n2;bad;1", "review", "stars")
        'text,label\\ngood,5\\nbad,1\\n'
    """
    return labelled_csv(content, **usual_columns(content, text, label))


def labelled_csv(content: str, **reading: Any) -> str:
    """Return the columns of texts and labels of a table as CSV "text,label"; `reading` as for `read_labelled`."""
    return _written(read_labelled(content, **reading))


def usual_columns(content: str, text: str = "", label: str = "") -> dict[str, Any]:
    """Return how to read a table for `read_labelled`, from the names or numbers of its columns; see `named_columns`.

    Raises:
        DataNoColumnNamed: a name that was given is no column.

    Example:
        >>> usual_columns("id;review;class\\n1;good;5")
        {'separator': 'semicolon', 'header': 'yes', 'text_column': 2, 'label_column': 3}
    """
    said = {"text_column": text, "label_column": label}
    return named_columns(content, said, {"text_column": TEXTS, "label_column": LABELS}, MOST_ROWS)


def tagged_text(content: str, word: str = "", tag: str = "") -> str:
    """Return the columns of words and tags, a word and its tag a line.

    Example:
        >>> tagged_text("1 Anna B-PER\\n2 sings O\\n", "2", "3")
        'Anna B-PER\\nsings O\\n'
    """
    for name in filter(None, (word, tag)):
        if not name.isdecimal():
            raise DataNoColumnNamed(name, Why("numbered"))
    return tagged_lines(content, word_column=int(word or 0), tag_column=int(tag or 0))


def tagged_lines(content: str, **reading: Any) -> str:
    """Return a word and its tag a line, an empty line between sentences; `reading` as for `read_conll`."""
    sentences = read_conll(content, **reading)
    return "\n".join("".join(f"{word} {tag}\n" for word, tag in sentence) for sentence in sentences)


def _written(rows: Sequence[Sequence[str]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=SIGNS["comma"], lineterminator="\n")
    writer.writerows([(TEXT, LABEL), *rows])
    return file.getvalue()
