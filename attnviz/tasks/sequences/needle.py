"""A needle in a haystack: one symbol among many matters, and one position must find it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import LETTERS, Batch, Split, Task, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.sequences.batches import answer_at_bos
from attnviz.tokenizers import Tokenizer

__all__ = ["Needle"]

N_DIGITS = 10
FIRST_DIGIT = Tokenizer.n_specials + len(LETTERS)


@dataclass(frozen=True)
class Needle(Task):
    """An encoder finds the only digit among letters and writes it at `<bos>`, the token that stands for the whole.

        read    <bos> k d w 7 q a
        write   7

    Example:
        >>> task = Needle(min_length=6, max_length=6)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'q p b q 1 r'
        >>> task.tokenizer.label(int(batch.targets[0, 0]))
        '1'

    Attributes:
        min_length: letters and digit at least.
        max_length: letters and digit at most.

    Raises:
        ConfigError: a length of 0, the least length above the greatest.
    """

    min_length: int = whole(8, 1, offered=range(2, 9))
    max_length: int = whole(63, 1, offered=range(8, 128))

    name = "needle"
    architecture = "encoder"
    metric = "accuracy"
    tokenizer = Tokenizer("symbols", (*LETTERS, *"0123456789"), add_bos=True)  # letters and digits, `<bos>` in front
    typed = (  # sequences to type
        "h a y s t a c k 7 h a y s t a c k",
        "k d w q a m 3 z",
        "n o w h e r e i n a l l t h i s t e x t i s t h e r e m o r e t h a n o n e 5",
    )

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sequences; every length and every place of the digit is as frequent as the others."""
        return self._batch(draw(n, split, lambda count: self._candidates(count, generator)))

    def _batch(self, symbols: Tensor) -> Batch:
        """(B, N) symbols, padded with 0."""
        return answer_at_bos(symbols, symbols.max(1).values)  # digits come after letters

    def _candidates(self, count: int, generator: Generator) -> Tensor:
        size = (count, self.max_length)
        letters = torch.randint(Tokenizer.n_specials, FIRST_DIGIT, size, generator=generator)
        digits = torch.randint(FIRST_DIGIT, FIRST_DIGIT + N_DIGITS, (count, 1), generator=generator)
        lengths = torch.randint(self.min_length, self.max_length + 1, (count, 1), generator=generator)
        places = torch.rand(count, 1, generator=generator).mul(lengths).long()
        positions = torch.arange(self.max_length)
        return letters.where(positions != places, digits).where(positions < lengths, Tokenizer.pad_id)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """`<bos>` reads the digit."""
        return (Pattern.of("needle", ((0, i) for i, token in enumerate(tokens) if token >= FIRST_DIGIT), tokens),)

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the digit, due at `<bos>`, where there is just one."""
        if sum(token >= FIRST_DIGIT for token in tokens) != 1:
            return super().answers(tokens)
        return self._batch(torch.tensor([tokens[1:]])).due(len(tokens))

    def is_like(self, symbols: Sequence[str]) -> bool:
        """Letters, and one digit among them."""
        return self.min_length <= len(symbols) <= self.max_length and sum(map(str.isdigit, symbols)) == 1

    def mended(self, text: str) -> Iterable[str]:
        """With a digit at the end."""
        return (f"{text.strip()} 7",)

    def model_config(self) -> ModelConfig:
        """Return a network of one layer, one head; no positions, because where the digit stands does not matter."""
        return self.transformer(self.max_length + 1, d_model=32, n_heads=1, n_layers=1, d_ff=128, positions="none")
