"""Labelled texts of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any, Literal

from attnviz.errors import DataLabels, SettingNotOffered, TextTooLong
from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.models.recurrent_config import RecurrentConfig
from attnviz.tasks.base import Baseline, Batch
from attnviz.tasks.choice import column, one_of, own_file
from attnviz.tasks.language.classify import label_baselines, labelled
from attnviz.tasks.language.vocabulary import Vocabulary
from attnviz.tasks.own.data import MOST_TOKENS, DividedTask
from attnviz.tasks.own.readers.alike import read_alike
from attnviz.tasks.own.readers.delimited import HEADERS, SEPARATORS, Header, Separator
from attnviz.tasks.own.readers.labelled_rows import (
    LEAST_LABELS,
    MOST_LABELS,
    MOST_ROWS,
    Row,
    labelled_layout,
    read_labelled,
)
from attnviz.tokenizers import Kind, Tokenizer

__all__ = ["OwnLabelled", "Row", "read_labelled"]

Unit = Literal["words", "characters"]
KINDS: dict[Unit, Kind] = {"words": "symbols", "characters": "characters"}
MOST_SYMBOLS = 10_000  # that a model knows, the most frequent ones


@dataclass(frozen=True)
class OwnLabelled(DividedTask[Row]):
    """An encoder learns the labels of texts that somebody brought, and tells them at `<bos>`.

        read    <bos> a very good film
        write   positive

    Texts are divided by a hash: a tenth each for validation and test, and the same text never on two sides; or these
    have data of their own. A word, or a character, that is in no training text is read as `<unk>` or "□", and half of
    the time one that is there once, so that it is learned as well.

    Example:
        >>> rows = [f"{n} is {'even' if n % 2 == 0 else 'odd'},{n % 2}" for n in range(40)]
        >>> task = OwnLabelled("\\n".join(rows))
        >>> import torch
        >>> batch = task.sample(1, torch.Generator().manual_seed(0), "test")
        >>> task.tokenizer.decode(batch.tokens[0].tolist()), task.labels[batch.targets[0, 0]]
        ('<unk> is even', '0')

    Attributes:
        text: a text and its label a line, as CSV; see `read_labelled`.
        unit: what the model reads: "words", separated by blanks, or "characters".
        separator: between columns; see `labelled_layout` in the readers, as for the next three.
        header: whether the first line names the columns.
        text_column: column of the texts, counted from 1.
        label_column: column of the labels, counted from 1.
        validation_text: data for validation, laid out likewise; "": a tenth of the texts.
        test_text: data for the test, likewise.

    Raises:
        InputError: of `read_labelled`; DataUnclear: what the data do not tell, and must be said.
        DataOfSplit: data of their own for validation or test cannot be read.
        DataLabels: not 2 to 20 different labels.
        TextTooLong: a text of more than 2,047 words or characters.
        DataTooFew: fewer than 20 different texts.
        ConfigError: no such unit.
    """

    text: str = field(repr=False)
    unit: Unit = one_of("words", tuple(KINDS))
    separator: Separator = one_of("auto", SEPARATORS, reading=True)
    header: Header = one_of("auto", HEADERS, reading=True)
    text_column: int = column()
    label_column: int = column()
    validation_text: str = own_file()
    test_text: str = own_file()

    name = "own labels"
    architecture = "encoder"
    metric = "accuracy"
    readout = "whole"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unit not in KINDS:
            raise SettingNotOffered("unit", self.unit, list(KINDS))
        if not LEAST_LABELS <= len(self.labels) <= MOST_LABELS:
            raise DataLabels(len(self.labels), LEAST_LABELS, MOST_LABELS)
        assert self.parts  # dividing refuses too few texts
        if self.max_len > MOST_TOKENS:
            raise TextTooLong(self.max_len, MOST_TOKENS)

    @classmethod
    def stored(cls, **parameters: Any) -> OwnLabelled:
        """The task of a run; an older one was read as two columns, with a header only where that says "text,label"."""
        if "header" not in parameters:
            first = parameters["text"].strip().split("\n", 1)[0]
            parameters["separator"] = "tab" if "\t" in first else "comma"
            named = first.replace("\t", ",").replace(" ", "").replace('"', "").strip().lower() == "text,label"
            parameters |= {"header": "yes" if named else "no", "text_column": 1, "label_column": 2}
        return cls(**parameters)

    def _parsed(self, text: str) -> list[Row]:
        return read_labelled(text, **self.reading)

    def _parsed_alike(self, text: str) -> list[Row]:
        layout = labelled_layout(self.text, **self.reading)
        return read_labelled(text, **read_alike(text, layout, self.reading, MOST_ROWS))

    def text_in(self, item: Row) -> str:
        """Return the text of a row."""
        return item.text

    def labels_in(self, item: Row) -> Sequence[str]:
        """Return the label of a row."""
        return (item.label,)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels of all texts, in alphabetical order."""
        return tuple(sorted({row.label for row in self.all_items}))

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

    def batch(self, chosen: Sequence[Row], forget: Random | None = None) -> Batch:
        """Some texts with their labels."""
        read = [self._vocabulary.read(self._symbols(row.text), forget) for row in chosen]
        tokens = [[Tokenizer.bos_id, *self.tokenizer.encode_symbols(symbols)] for symbols in read]
        return labelled(tokens, [self.labels.index(row.label) for row in chosen])

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Return the most frequent label, and a linear model of word counts."""
        return label_baselines(self, seed)

    @cached_property
    def max_len(self) -> int:
        """Tokens of the longest text."""
        return 1 + max(len(self._symbols(row.text)) for row in self.all_items)

    def model_config(self) -> ModelConfig:
        """Return the model of the sentiment task with dropout, because there may be few texts."""
        return self.transformer(self.max_len, positions="rotary", pooling="additive", dropout=0.1)

    def recurrent_config(self) -> RecurrentConfig:
        """Return the same for a recurrent network, which can read longer texts than it learned from."""
        return replace(super().recurrent_config(), max_len=MOST_TOKENS, pooling="additive", dropout=0.2)

    def texts(self) -> tuple[Example, ...]:
        """Return texts of the test."""
        separator = " " if self.unit == "words" else ""
        rows = self.parts["test"][:3]
        return tuple(separator.join(self._vocabulary.read(self._symbols(row.text))) for row in rows)
