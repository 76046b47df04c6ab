"""What a task is: batches from a seeded generator, split so that no input is on two sides, and a metric."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import torch
from torch import Generator, Tensor

from attnviz.errors import ConfigError, InputError
from attnviz.models.bundle import Example
from attnviz.models.config import Architecture, ModelConfig
from attnviz.models.transformer import Transformer
from attnviz.tasks.choice import Choice, check_limits, choices
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["IGNORE", "LETTERS", "Batch", "Metric", "Split", "Task", "collate", "draw", "split_of", "words"]

IGNORE = -100  # the target where nothing is scored, as in torch's cross-entropy
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")

Split = Literal["train", "validation", "test"]
Metric = Literal["exact match", "accuracy", "nats per symbol"]
SPLITS: tuple[Split, ...] = get_args(Split)
MOST_TRIED = 10_000  # candidates without any for a split that has a tenth of them
BUCKETS: dict[Split, range] = {"test": range(2), "validation": range(2, 4), "train": range(4, 20)}  # of 20


@dataclass(frozen=True)
class Batch:
    """Sequences to learn from.

    Attributes:
        tokens: (B, T) int64, what the model reads (the decoder of an encoder-decoder).
        targets: (B, T) int64, the right output at each position, IGNORE where nothing is scored.
        padding: (B, T) bool, True for real tokens; None when all are real.
        source: (B, Ts) int64, what the encoder of an encoder-decoder reads, else None.
        source_padding: (B, Ts) bool likewise.
    """

    tokens: Tensor
    targets: Tensor
    padding: Tensor | None = None
    source: Tensor | None = None
    source_padding: Tensor | None = None


class Task(ABC):
    """A family of sequences with right answers.

    Class attributes:
        name: short name.
        architecture: the kind of model that can do it.
        metric: "exact match", the share of sequences with every scored position right; "accuracy", the share of scored
            positions that are right; "nats per symbol", the cross-entropy itself (lower is better).
    """

    name: ClassVar[str]
    architecture: ClassVar[Architecture]
    metric: ClassVar[Metric]

    @property
    @abstractmethod
    def tokenizer(self) -> Tokenizer:
        """Of what the model reads and writes (the target of an encoder-decoder)."""

    @property
    def source_tokenizer(self) -> Tokenizer | None:
        """Of the source of an encoder-decoder, else None."""
        return None

    @abstractmethod
    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """n sequences, drawn with the generator alone; no input occurs in two splits."""

    @abstractmethod
    def model_config(self) -> ModelConfig:
        """A small model that learns the task."""

    def __post_init__(self) -> None:
        """Refuse parameters beyond their limits; families that need more extend it."""
        check_limits(self)

    @classmethod
    def choices(cls) -> tuple[Choice, ...]:
        """What a person may change, and the values to offer: the fields that say so."""
        return choices(cls)

    @abstractmethod
    def texts(self) -> tuple[Example, ...]:
        """Texts worth typing, (source, target) pairs for an encoder-decoder; not every variant of a task reads all."""

    def examples(self) -> tuple[Example, ...]:
        """Texts to type: those of `texts` that the model reads, or two from test data where these are too few."""
        found = tuple(text for text in self.texts() if self._reads(text))
        return found if len(found) >= 2 else found + self._sampled_texts(2)

    def _reads(self, example: Example) -> bool:
        source, target = example if isinstance(example, tuple) else (None, example)
        config = self.model_config()
        try:
            fits = len(self.tokenizer.encode(target)) <= config.max_len
            if source is not None and self.source_tokenizer is not None:
                fits = fits and len(self.source_tokenizer.encode(source)) <= (config.source_max_len or 0)
        except InputError:
            return False
        return fits

    def _sampled_texts(self, n: int) -> tuple[Example, ...]:
        batch = self.sample(n, Generator().manual_seed(0), "test")
        targets = [self.tokenizer.decode(row) for row in batch.tokens.tolist()]
        if batch.source is None or self.source_tokenizer is None:
            return tuple(targets)
        sources = [self.source_tokenizer.decode(row) for row in batch.source.tolist()]
        return tuple(zip(sources, targets, strict=True))

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """What attention should read in one sequence, as far as it is known; a model may use several heads for it.

        Args:
            tokens: of the stack that writes the answer, without padding; any text the tokenizer reads, so that a
                sequence which is no question of this task has patterns without a scored row.
            source: of the encoder of an encoder-decoder.
        """
        return ()

    def spectrum(self, network: Transformer) -> Tensor | None:
        """How much of what a network has learned lies at each frequency; None where that means nothing.

        Returns:
            (F,) shares that sum to 1, the lowest frequency first.
        """
        return None

    def accuracy(self, logits: Tensor, batch: Batch) -> float:
        """Share of right arg-max outputs, 0 to 1: of sequences for "exact match", of scored positions otherwise.

        Args:
            logits: (B, T, V).
            batch: what they answer.
        """
        scored = batch.targets != IGNORE  # (B, T)
        right = logits.argmax(-1) == batch.targets  # (B, T)
        if self.metric == "exact match":
            return float((right | ~scored).all(1).float().mean())
        return float(right[scored].float().mean())


def split_of(keys: Tensor) -> list[Split]:
    """The split every row belongs to, by a hash of the row: always the same, whatever drew it.

    Four fifths of all possible rows are for training, a tenth each for validation and test.

    Args:
        keys: (N, L) int64; rows of different lengths are padded with a value that no row uses.

    Example:
        >>> split_of(torch.tensor([[1, 2], [2, 2], [2, 5], [1, 2]]))
        ['train', 'test', 'validation', 'train']
    """
    buckets = hash_rows(keys).remainder(20).tolist()
    return [next(split for split in SPLITS if bucket in BUCKETS[split]) for bucket in buckets]


def hash_rows(keys: Tensor) -> Tensor:
    """(N, L) int64 -> (N,) well-mixed int64, with wrapping arithmetic.

    Source:
        The finaliser of splitmix64 (Steele, Lea and Flood 2014), after each column.
    """
    state: Tensor = torch.full((keys.shape[0],), 0x243F6A8885A308D3, dtype=torch.int64)
    for column in keys.unbind(1):
        state = state ^ (column + 1)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            state = (state ^ _shift_right(state, shift)) * (factor - 2**64)  # as a signed number
        state = state ^ _shift_right(state, 31)
    return state


def _shift_right(values: Tensor, bits: int) -> Tensor:
    """Logical shift: zeros come in from the left, not the sign."""
    ones = 2 ** (64 - bits) - 1
    return torch.bitwise_and(values >> bits, ones)


def draw(n: int, split: Split, candidates: Callable[[int], Tensor], buckets: Mapping[Split, range] = BUCKETS) -> Tensor:
    """n rows of one split, by drawing candidates and keeping those that belong to it.

    Args:
        n: rows wanted.
        split: which side.
        candidates: called with a number, returns that many random rows (number, L) int64.
        buckets: which twentieths of all rows belong to each split.

    Raises:
        ConfigError: no candidate belongs to the split, because there are hardly any different ones.
    """
    kept: list[Tensor] = []
    missing = n
    mine = buckets[split]
    share = len(mine) / 20
    tried = 0
    while missing > 0:
        if tried > MOST_TRIED and missing == n:
            raise ConfigError(f"the task has too few inputs, none of them for {split}: allow more symbols or lengths")
        rows = candidates(int(missing / share * 1.1) + 8)
        bucket = hash_rows(rows).remainder(20)
        inside = (bucket >= mine.start) & (bucket < mine.stop)
        kept.append(rows[inside][:missing])
        missing -= len(kept[-1])
        tried += len(rows)
    return torch.cat(kept)


def collate(rows: list[list[int]], fill: int = Tokenizer.pad_id) -> tuple[Tensor, Tensor | None]:
    """Rows of different lengths as one tensor (B, T), and which of its tokens are real (None: all).

    Example:
        >>> collate([[5, 6], [7]])
        (tensor([[5, 6],
                [7, 0]]), tensor([[ True,  True],
                [ True, False]]))
    """
    width = max(map(len, rows))
    tokens = torch.tensor([row + [fill] * (width - len(row)) for row in rows])  # (B, T)
    lengths = torch.tensor([len(row) for row in rows])
    real = torch.arange(width) < lengths[:, None]  # (B, T)
    return tokens, None if bool(real.all()) else real


def words(text: str, separator: str | None = None) -> tuple[str, ...]:
    """A word list written as one text: `words("red blue")` is `("red", "blue")`."""
    return tuple(text.split(separator))
