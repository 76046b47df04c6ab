"""Copy a sequence: the answer's position i must read the question's position i."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

import torch
from torch import Generator, Tensor

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import LETTERS, Batch, Split, Task, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.sequences.batches import letters_of_lengths, rewritten
from attnviz.tokenizers import Tokenizer

__all__ = ["Copy"]


@dataclass(frozen=True)
class Copy(Task):
    """A decoder writes the letters before ">" once more, then `<eos>`.

        read    d a c > d a c
        write         d a c <eos>

    Letters may come twice, so looking for the last letter written does not tell the next one: the model must count.

    Example:
        >>> task = Copy(min_length=3, max_length=3)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'q p b > q p b'
        >>> [task.tokenizer.label(i) for i in batch.targets[0, 3:].tolist()]
        ['q', 'p', 'b', '<eos>']

    Attributes:
        n_symbols: letters a, b, c ... in use.
        min_length: letters at least.
        max_length: letters at most.

    Raises:
        ConfigError: one letter only or more than the alphabet has, a length of 0, the least length above the greatest.
    """

    n_symbols: int = whole(26, 2, len(LETTERS), offered=range(2, len(LETTERS) + 1))
    min_length: int = whole(3, 1, offered=range(2, 6))
    max_length: int = whole(10, 1, offered=range(5, 25))

    name = "copy"
    architecture = "decoder"
    metric = "exact match"
    typed = ("d a c b > d a c b", "b a n a n a > b a n", "a b b b a > a b b")  # sequences to type

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Letters and ">"."""
        return Tokenizer("symbols", (*LETTERS[: self.n_symbols], ">"))

    @property
    def _marker(self) -> int:
        return self.tokenizer.vocab_size - 1

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sequences; every length is as frequent as the others. Split by the letters."""
        letters = draw(n, split, lambda count: self._candidates(count, generator))  # (B, N), padded with 0
        return rewritten(letters, letters, self._marker)

    def _candidates(self, count: int, generator: Generator) -> Tensor:
        low = Tokenizer.n_specials
        letters = torch.randint(low, low + self.n_symbols, (count, self.max_length), generator=generator)
        return letters_of_lengths(letters, self.min_length, generator)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect from ">" on the letter to be written next."""
        length = tokens.index(self._marker) if self._marker in tokens else 0
        pairs = ((length + i, i) for i in range(min(length, len(tokens) - length)))
        return (Pattern.of("same place", pairs, tokens),)

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the letters before ">", then `<eos>`."""
        letters = torch.tensor([[*takewhile(lambda token: token != self._marker, tokens)]], dtype=torch.int64)
        if not letters.numel():
            return super().answers(tokens)
        return rewritten(letters, letters, self._marker).due(len(tokens))

    def is_like(self, symbols: Sequence[str]) -> bool:
        """Letters, ">", and as much of the answer as there is."""
        length = len([*takewhile(lambda symbol: symbol != ">", symbols)])
        return self.min_length <= length <= self.max_length and length < len(symbols) and self.goes_on(symbols)

    def mended(self, text: str) -> Iterable[str]:
        """With ">" at the end."""
        return (f"{text.partition('>')[0].strip()} >",)

    def model_config(self) -> ModelConfig:
        """Return a network of two layers: the first counts from ">", the second reads."""
        return self.transformer(2 * self.max_length + 1)
