"""Majority: which of two symbols is the more frequent?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from attnviz.errors import SettingMisfit
from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.tasks.base import Batch, Split, Task, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.sequences.batches import answer_at_bos
from attnviz.tokenizers import Tokenizer

__all__ = ["Majority"]


@dataclass(frozen=True)
class Majority(Task):
    """An encoder writes at `<bos>` which of two letters is in the majority.

        read    <bos> a b b a b
        write   b

    Here attention that reads everything alike is the right answer: the mean over all positions holds the share of
    each letter. A head that reads the majority no more than chance has not failed, it counts.

    Example:
        >>> task = Majority(length=5)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'a b b a b'
        >>> task.tokenizer.label(int(batch.targets[0, 0]))
        'b'

    Attributes:
        length: letters of a sequence; an odd number, so that there is a majority.

    Raises:
        ConfigError: an even length, or one below 3.
    """

    length: int = whole(21, 3, offered=range(5, 64, 2))

    name = "majority"
    architecture = "encoder"
    metric = "accuracy"
    tokenizer = Tokenizer("symbols", ("a", "b"), add_bos=True)  # two letters, `<bos>` in front

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.length % 2 == 0:
            raise SettingMisfit("length", self.length, "odd", self.length + 1)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sequences of letters drawn like coins: most majorities are small."""
        low, size = Tokenizer.n_specials, (self.length,)
        return self._batch(
            draw(n, split, lambda count: torch.randint(low, low + 2, (count, *size), generator=generator))
        )

    def _batch(self, letters: Tensor) -> Batch:
        """(B, N) letters."""
        return answer_at_bos(letters, letters.median(1).values)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """`<bos>` reads the letters of the majority: at chance when it counts, above when it looks for them."""
        letters = sorted(token for token in tokens if token >= Tokenizer.n_specials)
        middle = letters[len(letters) // 2] if letters else None
        return (Pattern.of("majority", ((0, i) for i, token in enumerate(tokens) if token == middle), tokens),)

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the letter that is in the majority, due at `<bos>`; none where both are as frequent."""
        letters = tokens[1:]
        if 2 * letters.count(letters[0]) == len(letters):
            return super().answers(tokens)
        return self._batch(torch.tensor([letters])).due(len(tokens))

    def is_like(self, symbols: Sequence[str]) -> bool:
        """As many letters as it learned."""
        return len(symbols) == self.length

    def mended(self, text: str) -> Iterable[str]:
        """Again and again, up to the length."""
        letters = text.split()
        return (" ".join((letters * self.length)[: self.length]),)

    def model_config(self) -> ModelConfig:
        """Return a network of one layer, one head, no positions."""
        return self.transformer(self.length + 1, d_model=16, n_heads=1, n_layers=1, d_ff=64, positions="none")

    def texts(self) -> tuple[Example, ...]:
        """Return sequences to type: a small majority, a large one, and letters in order."""
        half = self.length // 2
        rows = ("ab" * half + "b", "a" * half + "b" + "a" * half, "a" * (half + 1) + "b" * half)
        return tuple(" ".join(row) for row in rows)
