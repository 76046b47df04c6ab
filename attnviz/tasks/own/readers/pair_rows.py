"""Sources and their targets, from a table or JSON lines that somebody brought; a row may read the turns before it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

from attnviz.errors import DataEmpty, DataTooMany
from attnviz.tasks.own.readers.decoding import unified
from attnviz.tasks.own.readers.delimited import Header, Layout, Record, Separator, records
from attnviz.tasks.own.readers.json_lines import TURN, Nested
from attnviz.tasks.own.readers.named_columns import named_columns
from attnviz.tasks.own.readers.two_columns import TwoColumns, texts_in

__all__ = ["MOST_PAIRS", "Pair", "pair_columns", "pair_layout", "read_pairs"]

MOST_PAIRS = 20_000
MOST_CHARACTERS = 10_000  # of a side
SOURCES = ("source", "src", "input", "question", "article", "document", "context", "源", "原文", "问题")
TARGETS = ("target", "tgt", "output", "answer", "summary", "response", "reply", "目标", "译文", "回答", "摘要")

NAMES = {"source_column": SOURCES, "target_column": TARGETS}


class Pair(NamedTuple):
    """A source and its target, white space of all kinds made one blank.

    Attributes:
        source: text to read, the turns before it in front.
        target: text to write.
        whole: text that is never on two sides: the source, or where turns are read the whole dialogue.
    """

    source: str
    target: str
    whole: str


def read_pairs(text: str, turns: int = 0, **reading: Any) -> list[Pair]:
    """Read sources and targets.

    Args:
        text: CSV; with tabs, semicolons or another separator likewise, or JSON lines, where a list is turns.
        turns: turns of the same dialogue, sources and targets alike, that are read before each source; an empty line
            ends a dialogue.
        reading: what is said of the table; see `pair_layout`.

    Raises:
        DataUnclear: the data do not tell one of these choices.
        DataEmpty: there is no row.
        DataColumns, DataRagged: a line without these columns, or with more than the first line has.
        DataBlank: an empty source or target.
        DataNested: an object in its place, or a list of more than turns.
        DataLineTooLong: a source or target of more than 10,000 characters.
        DataTooMany: more than 20,000 rows.
        InputError: of `attnviz.tasks.own.readers.delimited.records`.

    Example:
        >>> read_pairs("bonjour\\thello")[0][:2]
        ('bonjour', 'hello')
        >>> [pair.source for pair in read_pairs("hi\\thello\\ntea ?\\tyes\\n\\nbye\\tbye", turns=2)]
        ['hi', 'hi | hello | tea ?', 'bye']
    """
    layout = pair_layout(text, **reading).settled()
    places = {name: int(layout.taken[f"{name}_column"]) for name in ("source", "target")}
    if len(layout.records) > MOST_PAIRS:
        raise DataTooMany(layout.records[MOST_PAIRS].line, MOST_PAIRS)
    rows = [texts_in(record, places, MOST_CHARACTERS, Nested) for record in layout.records]
    if not rows:
        raise DataEmpty
    if not turns:
        return [Pair(source, target, source) for source, target in rows]
    starts = _starts(unified(text), str(layout.taken["separator"]))
    return [pair for dialogue in _dialogues(layout.records, rows, starts) for pair in _with_turns(dialogue, turns)]


def pair_layout(
    text: str, separator: Separator = "auto", header: Header = "auto", source_column: int = 0, target_column: int = 0
) -> Layout:
    """Determine the layout of sources and targets, from the settings and the data.

    Args:
        text: CSV; with tabs, semicolons or another separator likewise, or JSON lines.
        separator: between columns. "auto": tabs where they make a table, else the only one that does.
        header: the first line names the columns. "auto": it does where it names both, as "source" and "target",
            "input" and "output", "question" and "answer" ... do.
        source_column: counted from 1. 0: the one that is named so, else the first of two.
        target_column: counted from 1. 0: the one that is named so, else the second of two.

    Raises:
        DataEmpty: there is no record.
        DataColumns, DataRagged: there is one column, a line without those that are read, or with more than the first.
        InputError: of `attnviz.tasks.own.readers.delimited.records`.
    """
    reader = TwoColumns(NAMES, MOST_PAIRS, swapped=lambda *_: False, header=lambda *_: "no")
    return reader.layout(text, separator, header, source_column, target_column)


def pair_columns(text: str, source: str = "", target: str = "") -> dict[str, Any]:
    """Return how to read a table for `read_pairs`, from the names or numbers of its columns; see `named_columns`.

    Raises:
        DataNoColumnNamed: a name that was given is no column.

    Example:
        >>> pair_columns("id,english,french\\n1,bread,pain", "english", "french")
        {'separator': 'comma', 'header': 'yes', 'source_column': 2, 'target_column': 3}
    """
    return named_columns(text, {"source_column": source, "target_column": target}, NAMES, MOST_PAIRS)


def _starts(text: str, separator: Any) -> set[int]:
    """Return the lines that follow a blank one."""
    rows = records(text, separator, 2 * MOST_PAIRS)
    return {after.line for before, after in pairwise(rows) if not before.width}


def _dialogues(rows: list[Record], sides: list[tuple[str, ...]], starts: set[int]) -> list[list[tuple[str, ...]]]:
    dialogues: list[list[tuple[str, ...]]] = [[]]
    for record, pair in zip(rows, sides, strict=True):
        if record.line in starts:
            dialogues.append([])
        dialogues[-1].append(pair)
    return [dialogue for dialogue in dialogues if dialogue]


def _with_turns(dialogue: list[tuple[str, ...]], turns: int) -> list[Pair]:
    said: list[str] = []
    whole = "\n".join(turn for pair in dialogue for turn in pair)
    pairs = []
    for source, target in dialogue:
        pairs.append(Pair(f" {TURN} ".join([*said[-turns:], source]), target, whole))
        said += [source, target]
    return pairs
