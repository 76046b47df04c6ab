"""Reverse a sequence: position i must read position n - 1 - i."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Generator

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import IGNORE, LETTERS, Batch, Split, Task, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["Reverse"]


@dataclass(frozen=True)
class Reverse(Task):
    """An encoder writes at each position the symbol at the mirrored position.

        read    g f e d c <eos>
        write   c d e f g

    `<eos>` tells where the sequence ends: with lengths that vary, nothing else does.

    Example:
        >>> task = Reverse(min_length=3, max_length=3)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> [task.tokenizer.label(i) for i in batch.tokens[0].tolist()]
        ['q', 'p', 'b', '<eos>']
        >>> task.tokenizer.decode(batch.targets[0, :3].tolist())
        'b p q'

    Attributes:
        n_symbols: letters a, b, c ... in use.
        min_length: least length of a sequence.
        max_length: greatest length of a sequence.

    Raises:
        ConfigError: one letter only or more than the alphabet has, a length of 0, the least length above the greatest.
    """

    n_symbols: int = whole(26, 2, len(LETTERS), offered=range(2, len(LETTERS) + 1))
    min_length: int = whole(3, 1, offered=range(2, 6))
    max_length: int = whole(10, 1, offered=range(5, 25))

    name = "reverse"
    architecture = "encoder"
    metric = "exact match"
    typed = ("g f e d c", "s t r e s s e d", "n o t", "a b c d e f g h i j")  # sequences to type

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Letters, and `<eos>` behind them."""
        return Tokenizer("symbols", LETTERS[: self.n_symbols], add_eos=True)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sequences of random letters; every length is as frequent as the others."""
        return self._batch(draw(n, split, lambda count: self._candidates(count, generator)))

    def _batch(self, tokens: torch.Tensor) -> Batch:
        """(B, T) letters, `<eos>`, then padding."""
        lengths = (tokens >= Tokenizer.n_specials).sum(1, keepdim=True)  # (B, 1)
        positions = torch.arange(tokens.shape[1])  # (T,)
        mirrored = tokens.gather(1, (lengths - 1 - positions).clamp(min=0))
        targets = torch.where(positions < lengths, mirrored, IGNORE)
        return Batch(tokens, targets, positions <= lengths)

    def _candidates(self, count: int, generator: Generator) -> torch.Tensor:
        low, width = Tokenizer.n_specials, self.max_length + 1
        letters = torch.randint(low, low + self.n_symbols, (count, width), generator=generator)
        lengths = torch.randint(self.min_length, self.max_length + 1, (count, 1), generator=generator)
        positions = torch.arange(width)
        letters = letters.where(positions < lengths, Tokenizer.pad_id)
        return letters.where(positions != lengths, Tokenizer.eos_id)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect each place to attend to the mirrored place."""
        last = sum(token >= Tokenizer.n_specials for token in tokens) - 1
        return (Pattern.of("anti-diagonal", ((i, last - i) for i in range(last + 1)), tokens),)

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the letter at the mirrored place."""
        return self._batch(torch.tensor([tokens])).due(len(tokens))

    def is_like(self, symbols: Sequence[str]) -> bool:
        """As many letters as it learned."""
        return self.min_length <= len(symbols) <= self.max_length

    def model_config(self) -> ModelConfig:
        """Two layers: the first finds out where the sequence ends, the second reads the mirrored position."""
        return self.transformer(self.max_length + 1)
