"""Files of tagged words, as the shared tasks of CoNLL have them."""

from __future__ import annotations

import re

from attnviz.errors import (
    DataColumnsUnclear,
    DataEmpty,
    DataLineTooLong,
    DataSameColumn,
    DataSentenceRagged,
    DataSentenceTooLong,
    DataTag,
    DataTagMissing,
    DataTooMany,
    DataTooManyColumns,
    DataWord,
)
from attnviz.tasks.language.bio import is_tag
from attnviz.tasks.own.readers.decoding import unified
from attnviz.tasks.own.readers.delimited import MOST_COLUMNS, Header, Layout, Record, chosen, column_names

__all__ = ["MOST_SENTENCES", "MOST_WORDS", "Sentence", "conll_layout", "first_and_last", "read_conll"]

Sentence = tuple[tuple[str, str], ...]
"""Words and their tags."""

MOST_SENTENCES = 20_000
MOST_WORDS = 200  # of a sentence
MOST_CHARACTERS = 1000  # of a line
DOCUMENT = "-DOCSTART-"
COUNTED = re.compile(r"\d+([-.:]\d+)?")  # an index: 7, and in CoNLL-U 7-8 or 7.1


def read_conll(text: str, header: Header = "auto", word_column: int = 0, tag_column: int = 0) -> tuple[Sentence, ...]:
    """Read the sentences of a file with a word and its tag a line, and an empty line between sentences.

    Columns are separated by tabs where each line has some, else by blanks. A line that begins with "-DOCSTART-" ends a
    sentence and is left out, and so is a comment: a line that begins with "#" and does not end with a tag. I- after O
    is read as conlleval reads it, see `attnviz.tasks.language.bio.spans`.

    Args:
        header: "yes": the first line names the columns. "auto": it does not.
        word_column: of the word, counted from 1. 0: the first, unless that is an index: numbers all through, or the
            same in all lines of each sentence.
        tag_column: column of the tag, counted from 1. 0: the last, as the format has it, or the only one with BIO tags.

    Raises:
        DataEmpty: there is no word.
        DataColumnsUnclear: the data do not tell which columns are meant.
        DataTagMissing: a line has one column.
        DataTag: a tag that is no BIO tag.
        DataSentenceRagged: a line of another number of columns than the others of its sentence.
        DataWord: a word with a blank in it.
        DataLineTooLong: a line of more than 1,000 characters.
        DataSentenceTooLong: a sentence of more than 200 words.
        DataTooMany: more than 20,000 sentences.

    Example:
        >>> read_conll("Anna B-PER\\nsings O\\n\\nOslo NNP B-LOC\\n")
        ((('Anna', 'B-PER'), ('sings', 'O')), (('Oslo', 'B-LOC'),))
        >>> read_conll("1\\tAnna\\tB-PER\\n2\\tsings\\tO\\n", word_column=2)
        ((('Anna', 'B-PER'), ('sings', 'O')),)

    Source:
        Tjong Kim Sang and De Meulder 2003, "Introduction to the CoNLL-2003 Shared Task", section 2.
    """
    first, sentences = _sentences(text, header)
    layout = _layout(sentences, first, word_column, tag_column).settled()
    tag = int(layout.taken["tag_column"])
    columns = (int(layout.taken["word_column"]), 0 if tag == layout.width and not tag_column else tag)
    return tuple(tuple(_word(record, *columns) for record in sentence) for sentence in sentences)


def conll_layout(text: str, header: Header = "auto", word_column: int = 0, tag_column: int = 0) -> Layout:
    """Determine the layout of a file of tagged words, from the settings and the data; see `read_conll`.

    Raises:
        InputError: of `read_conll`.
    """
    first, sentences = _sentences(text, header)
    return _layout(sentences, first, word_column, tag_column)


def first_and_last(text: str) -> str:
    """Return the first and the last column of each line, separated by blanks or tabs; the rest left out.

    Example:
        >>> first_and_last("EU NNP B-ORG\\n\\n# a comment\\n")
        'EU B-ORG\\n\\n# a comment\\n'
    """
    lines = unified(text).split("\n")
    return "\n".join(
        line if _is_left_out(columns) else f"{columns[0]} {columns[-1]}"
        for line, columns in ((line, line.split()) for line in lines)
    )


def _sentences(text: str, header: Header) -> tuple[Record | None, list[list[Record]]]:
    """Return the header, and the columns of each word, by sentences."""
    lines = unified(text).split("\n")
    tabs = ["\t" in line.strip() for line in lines if not _is_left_out(line.split())]
    separator = "\t" if all(tabs) else None
    sentences: list[list[Record]] = []
    words: list[Record] = []
    first: Record | None = None
    for number, line in enumerate(lines, start=1):
        if len(line) > MOST_CHARACTERS:
            raise DataLineTooLong(number, len(line), MOST_CHARACTERS)
        columns = line.split()
        if _ends_sentence(columns):
            sentences += [words] if words else []
            words = []
        elif _is_left_out(columns):
            continue
        elif header == "yes" and first is None:
            first = _record(line, number, separator)
        else:
            words.append(_record(line, number, separator))
            _check_size(len(sentences), words)
    sentences += [words] if words else []
    if not sentences:
        raise DataEmpty
    return first, sentences


def _ends_sentence(columns: list[str]) -> bool:
    return not columns or columns[0] == DOCUMENT


def _is_left_out(columns: list[str]) -> bool:
    """Whether a line has no word: between sentences, or a comment."""
    return _ends_sentence(columns) or (columns[0].startswith("#") and not is_tag(columns[-1]))


def _record(line: str, number: int, separator: str | None) -> Record:
    """Return the columns of a line; tabs at its end, as spreadsheets write them, make none."""
    cells = line.rstrip().split(separator)
    if len(cells) > MOST_COLUMNS:
        raise DataTooManyColumns(number, len(cells), MOST_COLUMNS)
    return Record(number, [cell.strip() for cell in cells])


def _layout(sentences: list[list[Record]], header: Record | None, word: int, tag: int) -> Layout:
    rows = [record for sentence in sentences for record in sentence]
    width = max(len(record.cells) for record in rows)
    taken: dict[str, str | int] = {"header": "no" if header is None else "yes"}
    said = {"word_column": word, "tag_column": tag}
    taken |= {name: place for name, place in said.items() if chosen(name, place, rows)}
    if word and word == tag:
        raise DataSameColumn(word)
    columns = list(range(1, width + 1))
    tags = tag or _tag_column(rows, columns)
    if tags is None:
        return Layout(rows, taken, header, DataColumnsUnclear(column_names(rows, columns), ["tag_column"]))
    taken["tag_column"] = tags
    others = [place for place in columns if place != tags]
    words = word or _word_column(sentences, others)
    if words is None:
        return Layout(rows, taken, header, DataColumnsUnclear(column_names(rows, others), ["word_column"]))
    return Layout(rows, {**taken, "word_column": words}, header)


def _tag_column(rows: list[Record], columns: list[int]) -> int | None:
    """The last column, or the only one in which all are BIO tags; None: there are several, and the last is none."""
    if all(is_tag(record.cells[-1]) for record in rows):
        return columns[-1]
    possible = [place for place in columns if all(is_tag(record.cell(place)) for record in rows)]
    if len(possible) > 1:
        return None
    return possible[0] if possible else columns[-1]  # the line without a tag is named then


def _word_column(sentences: list[list[Record]], columns: list[int]) -> int | None:
    """Return the first column; None: it is an index, and there are others."""
    return None if len(columns) > 1 and _is_index(sentences, columns[0]) else columns[0]


def _is_index(sentences: list[list[Record]], place: int) -> bool:
    """Whether a column counts the words or names the sentence: numbers alone, or one value in each sentence."""
    if all(COUNTED.fullmatch(record.cell(place)) for sentence in sentences for record in sentence):
        return True
    several = [{record.cell(place) for record in sentence} for sentence in sentences if len(sentence) > 1]
    return bool(several) and all(len(values) == 1 for values in several)


def _word(record: Record, word_column: int, tag_column: int) -> tuple[str, str]:
    """Return a word and its tag; the tag is in the last column, however many a line has, where none was said."""
    tag = record.cell(tag_column) if tag_column else record.cells[-1]
    word = record.cell(word_column)
    if not is_tag(tag):
        raise DataTag(record.line, tag)
    if not word or len(word.split()) > 1:
        raise DataWord(record.line, word)
    return word, tag


def _check_size(complete: int, words: list[Record]) -> None:
    """Refuse one sentence too many, one word too many in it, or a line with another number of columns."""
    line, width = words[-1].line, len(words[-1].cells)
    if complete == MOST_SENTENCES:
        raise DataTooMany(line, MOST_SENTENCES)
    if len(words) > MOST_WORDS:
        raise DataSentenceTooLong(line, MOST_WORDS)
    if width == 1:
        raise DataTagMissing(line, words[-1].cells[0])
    if width != len(words[0].cells):
        raise DataSentenceRagged(line, width, len(words[0].cells))
