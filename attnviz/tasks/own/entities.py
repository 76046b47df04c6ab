"""Tagged sentences of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any

from attnviz.errors import DataTypes
from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.models.recurrent_config import RecurrentConfig
from attnviz.tasks.base import Batch
from attnviz.tasks.choice import column, one_of, own_file
from attnviz.tasks.language.bio import entity_types, tag_names
from attnviz.tasks.language.tagging import TaggingTask, tagged
from attnviz.tasks.language.vocabulary import Vocabulary
from attnviz.tasks.own.data import MOST_TOKENS, DividedTask
from attnviz.tasks.own.readers.conll import Sentence, first_and_last, read_conll
from attnviz.tasks.own.readers.delimited import HEADERS, Header
from attnviz.tokenizers import Tokenizer

__all__ = ["OwnEntities"]

MOST_TYPES = 20
MOST_SYMBOLS = 10_000  # words that a model knows, the most frequent ones


@dataclass(frozen=True)
class OwnEntities(DividedTask[Sentence], TaggingTask):
    """An encoder learns the tags of sentences that somebody brought, in the format of CoNLL.

        read    <bos> Anna  sings in Oslo
        write         B-PER O     O  B-LOC

    Sentences are divided by a hash of their words: a tenth each for validation and test, and the same sentence never
    on two sides; or these have data of their own. A word that is in no training sentence is read as `<unk>`, and half
    of the time one that is there once, so that `<unk>` is learned as well.

    Example:
        >>> text = "\\n\\n".join(f"{name} B-PER\\nsings O" for name in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        >>> task = OwnEntities(text)
        >>> import torch
        >>> batch = task.sample(1, torch.Generator().manual_seed(0), "test")
        >>> task.tokenizer.decode(batch.tokens[0].tolist()), [task.labels[tag] for tag in batch.targets[0, 1:].tolist()]
        ('<unk> sings', ['B-PER', 'O'])

    Attributes:
        text: a word and its tag a line, an empty line between sentences; see `read_conll`.
        header: whether the first line names the columns; see there, as for the next two.
        word_column: column of the word, counted from 1.
        tag_column: column of the tag, counted from 1.
        validation_text: data for validation, laid out likewise; "": a tenth of the sentences.
        test_text: data for the test, likewise.

    Raises:
        InputError: of `read_conll`; DataUnclear: what the data do not tell, and must be said.
        DataOfSplit: data of their own for validation or test cannot be read.
        DataTypes: no entities, or more than 20 types of them.
        DataTooFew: fewer than 20 different sentences.
    """

    text: str = field(repr=False)
    header: Header = one_of("auto", HEADERS, reading=True)
    word_column: int = column()
    tag_column: int = column()
    validation_text: str = own_file()
    test_text: str = own_file()

    name = "own entities"

    def __post_init__(self) -> None:
        super().__post_init__()
        n_types = len(entity_types(self.labels))
        if not 1 <= n_types <= MOST_TYPES:
            raise DataTypes(n_types, MOST_TYPES)
        assert self.parts  # dividing refuses too few sentences

    @classmethod
    def stored(cls, **parameters: Any) -> OwnEntities:
        """Return the task of a run; an older one was read as the first and the last word of each line."""
        if "word_column" not in parameters:
            parameters["text"] = first_and_last(parameters["text"])
        return cls(**parameters)

    def _parsed(self, text: str) -> Sequence[Sentence]:
        return read_conll(text, **self.reading)

    def text_in(self, item: Sentence) -> str:
        """Return the words of a sentence, one a line."""
        return "\n".join(word for word, _ in item)

    def labels_in(self, item: Sentence) -> Sequence[str]:
        """Return the tags of a sentence."""
        return [tag for _, tag in item]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Tags of all types in the data, in alphabetical order."""
        return tag_names(sorted(entity_types(tag for sentence in self.all_items for _, tag in sentence)))

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(([word for word, _ in sentence] for sentence in self.parts["train"]), "symbols", MOST_SYMBOLS)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The words of training sentences, `<unk>` for all others; `<bos>` in front."""
        return Tokenizer("symbols", self._vocabulary.symbols, add_bos=True, unknown=self._vocabulary.unknown)

    def batch(self, chosen: Sequence[Sentence], forget: Random | None = None) -> Batch:
        """Some sentences with their tags."""
        return tagged([self._read(sentence, forget) for sentence in chosen], self.tokenizer, self.labels)

    def _read(self, sentence: Sentence, forget: Random | None = None) -> list[tuple[str, str]]:
        words, tags = zip(*sentence, strict=True)
        return list(zip(self._vocabulary.read(words, forget), tags, strict=True))

    @cached_property
    def max_len(self) -> int:
        """Tokens of the longest sentence."""
        return 1 + max(map(len, self.all_items))

    def model_config(self) -> ModelConfig:
        """Return the model of the built-in sentences with dropout, because there may be few sentences."""
        return self.transformer(self.max_len, positions="rotary", dropout=0.1)

    def recurrent_config(self) -> RecurrentConfig:
        """Return an LSTM in both directions, likewise; it knows no positions, and so reads longer sentences."""
        return replace(super().recurrent_config(), max_len=MOST_TOKENS, dropout=0.2)

    def texts(self) -> tuple[Example, ...]:
        """Return sentences of the test."""
        return tuple(" ".join(word for word, _ in self._read(sentence)) for sentence in self.parts["test"][:3])
