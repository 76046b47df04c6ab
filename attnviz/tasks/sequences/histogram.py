"""Histogram: how often does the symbol here occur in the whole sequence?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Generator, Tensor

from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.tasks.base import IGNORE, LETTERS, Batch, Split, Task, draw
from attnviz.tasks.choice import one_of, whole
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["Histogram"]


@dataclass(frozen=True)
class Histogram(Task):
    """An encoder writes below each letter how often it occurs.

        read    <bos> a b b c a b
        write         2 3 3 1 2 3

    A head that reads its own letter alone cannot count: its weights sum to 1, so three equal values have the same mean
    as one. `<bos>` makes counting possible: a head that reads its own letter and `<bos>` gives `<bos>` a share of 1/2,
    1/3, 1/4 ... that tells the number. Without it (`bos=False`) a model has to keep the shares of all letters apart at
    once, which is harder the more letters there are.

    Example:
        >>> task = Histogram(length=6)
        >>> batch = task.sample(1, torch.Generator().manual_seed(1))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'c e b b b e'
        >>> task.tokenizer.decode(batch.targets[0, 1:].tolist())
        '1 2 3 3 3 2'

    Attributes:
        length: letters of a sequence.
        n_symbols: letters a, b, c ... in use, at least three.
        bos: `<bos>` in front.

    Raises:
        ConfigError: a length below 2, fewer than three letters or more than the alphabet has.

    Source:
        Weiss, Goldberg and Yahav 2021, "Thinking Like Transformers" (the task, and the role of `<bos>`); Behrens,
        Biggio and Zdeborová 2024, "Counting in Small Transformers" (the two ways to count).
    """

    length: int = whole(10, 2, offered=range(4, 25))
    n_symbols: int = whole(6, 3, len(LETTERS), offered=range(3, 13))
    bos: bool = one_of(True, (False, True))

    name = "histogram"
    architecture = "encoder"
    metric = "accuracy"

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Letters and numbers, `<bos>` in front or not."""
        numbers = (str(number) for number in range(1, self.length + 1))
        return Tokenizer("symbols", (*LETTERS[: self.n_symbols], *numbers), add_bos=self.bos)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """n sequences of up to two, three, four ... different letters, each as frequent, so that high counts occur."""
        return self._batch(draw(n, split, lambda count: self._candidates(count, generator)))

    def _batch(self, letters: Tensor) -> Batch:
        """(B, N) letters."""
        counts = (letters[:, :, None] == letters[:, None, :]).sum(2)  # (B, N)
        targets = counts + (Tokenizer.n_specials + self.n_symbols - 1)
        if not self.bos:
            return Batch(letters, targets)
        first = torch.full((len(letters), 1), Tokenizer.bos_id)
        return Batch(torch.cat((first, letters), 1), torch.cat((torch.full_like(first, IGNORE), targets), 1))

    def _candidates(self, count: int, generator: Generator) -> Tensor:
        letters = torch.rand(count, self.n_symbols, generator=generator).argsort(1)
        different = torch.randint(2, self.n_symbols + 1, (count, 1), generator=generator)
        chosen = torch.rand(count, self.length, generator=generator).mul(different).long()
        return letters.gather(1, chosen) + Tokenizer.n_specials

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect each letter to attend to all letters like itself, and to `<bos>`."""
        bos = Tokenizer.bos_id
        pairs = ((i, j) for i, a in enumerate(tokens) if a != bos for j, b in enumerate(tokens) if b in (a, bos))
        return (Pattern.of("same symbol or <bos>" if self.bos else "same symbol", pairs, tokens),)

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return how often each letter occurs, as far as there is a number for it."""
        symbols = tokens[1:] if self.bos else tokens
        first_number = Tokenizer.n_specials + self.n_symbols
        if any(token >= first_number for token in symbols) or max(map(symbols.count, symbols)) > self.length:
            return super().answers(tokens)
        return self._batch(torch.tensor([symbols])).due(len(tokens))

    def is_like(self, symbols: Sequence[str]) -> bool:
        """As many letters as it learned; the numbers are what it writes."""
        return len(symbols) == self.length and all(symbol in LETTERS for symbol in symbols)

    def mended(self, text: str) -> Iterable[str]:
        """Again and again, up to the length."""
        letters = text.split()
        return (" ".join((letters * self.length)[: self.length]),)

    def model_config(self) -> ModelConfig:
        """Return a network of one layer, one head, no positions: where a letter stands does not matter."""
        return self.transformer(
            self.length + 1, d_model=64, n_heads=1, n_layers=1, d_ff=256, positions="none", embedding_std=0.25
        )

    def texts(self) -> tuple[Example, ...]:
        """Return sequences to type."""
        rows = ("abbaacaaba", "aaaaaaaaab", "abcabcabca", "aabbbbcccc")
        return tuple(" ".join((row * self.length)[: self.length]) for row in rows)
