"""Labelled texts of one's own."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import StringIO
from random import Random
from typing import Literal, NamedTuple

import torch
from torch import Generator

from attnviz.errors import (
    ConfigError,
    DataBlank,
    DataColumns,
    DataEmpty,
    DataLabels,
    DataLineTooLong,
    DataQuote,
    DataTooMany,
)
from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.models.recurrent_config import RecurrentConfig
from attnviz.tasks.base import SPLITS, Baseline, Batch, Split, Task
from attnviz.tasks.choice import one_of
from attnviz.tasks.classify import label_baselines, labelled
from attnviz.tasks.own_data import divided, picked
from attnviz.tasks.vocabulary import Vocabulary
from attnviz.tokenizers import Kind, Tokenizer

__all__ = ["MOST_ROWS", "OwnLabelled", "Row", "read_labelled"]

Unit = Literal["words", "characters"]
KINDS: dict[Unit, Kind] = {"words": "symbols", "characters": "characters"}
HEADER = ["text", "label"]
MOST_ROWS = 20_000
MOST_CHARACTERS = 1000  # of a text
LEAST_LABELS, MOST_LABELS = 2, 20
MOST_SYMBOLS = 10_000  # that a model knows, the most frequent ones


class Row(NamedTuple):
    """A text, white space of all kinds made one blank, and its label."""

    text: str
    label: str


def read_labelled(text: str) -> list[Row]:
    """Texts and labels: CSV or, where the first line has a tab, TSV; a first line "text,label" is left out.

    Raises:
        DataEmpty: there is no row.
        DataColumns: a line without exactly two columns.
        DataBlank: an empty text or label.
        DataQuote: a quotation mark that is not closed.
        DataLineTooLong: a text of more than 1,000 characters.
        DataTooMany: more than 20,000 rows.

    Example:
        >>> read_labelled('text,label\\n"good, very good",positive\\nbad,negative')
        [Row(text='good, very good', label='positive'), Row(text='bad', label='negative')]
    """
    rows: list[Row] = []
    for line, cells in _records(text):
        if not rows and [cell.strip().lower() for cell in cells] == HEADER:
            continue
        if len(rows) == MOST_ROWS:
            raise DataTooMany(line, MOST_ROWS)
        rows.append(_row(line, cells))
    if not rows:
        raise DataEmpty
    return rows


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each record that is not empty, and the line where it begins."""
    delimiter = "\t" if "\t" in text.lstrip().split("\n", 1)[0] else ","
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            raise DataQuote(line) from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _row(line: int, cells: list[str]) -> Row:
    if len(cells) != 2:
        raise DataColumns(line, len(cells))
    row = Row(*(" ".join(cell.split()) for cell in cells))
    for name, value in row._asdict().items():
        if not value:
            raise DataBlank(line, name)
        if len(value) > MOST_CHARACTERS:
            raise DataLineTooLong(line, len(value), MOST_CHARACTERS)
    return row


@dataclass(frozen=True)
class OwnLabelled(Task):
    """An encoder learns the labels of texts that somebody brought, and tells them at `<bos>`.

        read    <bos> a very good film
        write   positive

    Texts are divided by a hash: a tenth each for validation and test, and the same text never on two sides. A word, or
    a character, that is in no training text is read as "<unk>" or "□", and half of the time one that is there once, so
    that it is learned as well.

    Example:
        >>> rows = [f"{n} is {'even' if n % 2 == 0 else 'odd'},{n % 2}" for n in range(40)]
        >>> task = OwnLabelled("\\n".join(rows))
        >>> batch = task.sample(1, torch.Generator().manual_seed(0), "test")
        >>> task.tokenizer.decode(batch.tokens[0].tolist()), task.labels[batch.targets[0, 0]]
        ('<unk> is even', '0')

    Attributes:
        text: a text and its label a line, as CSV or TSV; see `read_labelled`.
        unit: what the model reads: "words", separated by blanks, or "characters".

    Raises:
        InputError: of `read_labelled`.
        DataLabels: not 2 to 20 different labels.
        DataTooFew: fewer than 20 different texts.
        ConfigError: no such unit.
    """

    text: str = field(repr=False)
    unit: Unit = one_of("words", tuple(KINDS))

    name = "own labels"
    architecture = "encoder"
    metric = "accuracy"
    readout = "whole"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unit not in KINDS:
            raise ConfigError(f"unit is {self.unit!r}; choose one of {', '.join(KINDS)}")
        if not LEAST_LABELS <= len(self.labels) <= MOST_LABELS:
            raise DataLabels(len(self.labels), LEAST_LABELS, MOST_LABELS)
        assert self.parts  # dividing refuses too few texts

    @cached_property
    def _rows(self) -> list[Row]:
        return read_labelled(self.text)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels in the text, in alphabetical order."""
        return tuple(sorted({row.label for row in self._rows}))

    @cached_property
    def parts(self) -> dict[Split, list[Row]]:
        """The rows of each split."""
        side = divided(row.text for row in self._rows)
        return {split: [row for row in self._rows if side[row.text] == split] for split in SPLITS}

    def _symbols(self, text: str) -> list[str]:
        return text.split() if self.unit == "words" else list(text)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary((self._symbols(row.text) for row in self.parts["train"]), KINDS[self.unit], MOST_SYMBOLS)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The words or characters of training texts, one symbol for all others; `<bos>` in front."""
        words = self._vocabulary
        return Tokenizer(KINDS[self.unit], words.symbols, add_bos=True, unknown=words.unknown)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """n texts of the split's part; none comes again before all have come."""
        part = self.parts[split]
        forget = Random(int(torch.randint(2**62, (), generator=generator))) if split == "train" else None
        return self._batch([part[index] for index in picked(len(part), n, generator)], forget)

    def items(self, split: Split = "test") -> Batch:
        """All texts of the split's part, in the order of the data."""
        return self._batch(self.parts[split])

    def _batch(self, chosen: list[Row], forget: Random | None = None) -> Batch:
        read = [self._vocabulary.read(self._symbols(row.text), forget) for row in chosen]
        tokens = [[Tokenizer.bos_id, *self.tokenizer.encode_symbols(symbols)] for symbols in read]
        return labelled(tokens, [self.labels.index(row.label) for row in chosen])

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """The most frequent label, and a linear model of word counts."""
        return label_baselines(self, seed)

    @cached_property
    def max_len(self) -> int:
        """Tokens of the longest text."""
        return 1 + max(len(self._symbols(row.text)) for row in self._rows)

    def model_config(self) -> ModelConfig:
        """As for sentiment, with dropout, for there may be few texts."""
        return ModelConfig(
            architecture="encoder",
            vocab_size=self.tokenizer.vocab_size,
            max_len=self.max_len,
            positions="rotary",
            pooling="additive",
            dropout=0.1,
            n_outputs=len(self.labels),
        )

    def recurrent_config(self) -> RecurrentConfig:
        """As for sentiment, likewise."""
        return replace(super().recurrent_config(), pooling="additive", dropout=0.2)

    def texts(self) -> tuple[Example, ...]:
        """Texts of the test."""
        separator = " " if self.unit == "words" else ""
        rows = self.parts["test"][:3]
        return tuple(separator.join(self._vocabulary.read(self._symbols(row.text))) for row in rows)
