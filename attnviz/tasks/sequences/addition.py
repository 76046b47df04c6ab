"""Addition of numbers of a few digits, the sum written from its last digit on, or as usual."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.tasks.base import Batch, Split, Task, belonging, draw
from attnviz.tasks.choice import one_of, whole
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.sequences.batches import written_on
from attnviz.tokenizers import Tokenizer

__all__ = ["Addition"]


@dataclass(frozen=True)
class Addition(Task):
    """A decoder adds two numbers of `digits` digits each and writes the sum reversed: ones, tens, hundreds.

        read    2 7 + 5 8 = 5 8 0        27 + 58 = 085, read from the right: 5, 8, 0
        write             5 8 0

    Reversed, because a carry goes from the ones to the tens to the hundreds: each digit then depends on two digits and
    a carry that the model has just seen, as in addition on paper. All numbers are padded with zeros: 5 + 7 is typed
    `05+07=210`. Written the usual way round, the first digit depends on every carry at once, and mostly takes
    longer to learn.

    Example:
        >>> task = Addition()
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        '44+39=38'
        >>> task.tokenizer.decode(batch.targets[0, 5:].tolist())
        '380'

    Attributes:
        digits: digits of each number.
        reverse: the sum begins with its last digit.

    Raises:
        ConfigError: no digits, or more than 10.
    """

    digits: int = whole(2, 1, 10, offered=range(1, 6))
    reverse: bool = one_of(True, (False, True))

    name = "addition"
    architecture = "decoder"
    metric = "exact match"
    tokenizer = Tokenizer("characters", tuple("0123456789+="))  # digits, "+" and "="

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sums. Split by the two numbers in either order, so that 27+58 does not give away 58+27."""
        candidates = lambda count: torch.randint(10**self.digits, (count, 2), generator=generator).sort(1).values  # noqa: E731
        pairs = draw(n, split, candidates)  # (B, 2), the smaller first
        swapped = torch.rand(n, 1, generator=generator) < 0.5
        return self._batch(pairs.flip(1).where(swapped, pairs))

    def items(self, split: Split = "test") -> Batch | None:
        """Return all pairs of a split, in both orders; None where there are too many."""
        if self.digits > 2:
            return None
        numbers = torch.arange(10**self.digits)
        pairs = belonging(split, torch.combinations(numbers, with_replacement=True))  # the smaller first
        if pairs is None:
            return None
        return self._batch(torch.cat((pairs, pairs[pairs[:, 0] < pairs[:, 1]].flip(1))))

    def _batch(self, pairs: Tensor) -> Batch:
        """(B, 2) numbers."""
        n = len(pairs)
        powers = 10 ** torch.arange(self.digits + 1)  # ones, tens, ...
        a, b = (pairs[:, i, None] // powers[:-1].flip(0) % 10 for i in (0, 1))  # (B, digits) each
        total = pairs.sum(1, keepdim=True) // powers % 10  # (B, digits + 1), ones first
        total = total if self.reverse else total.flip(1)
        plus, equals = (torch.full((n, 1), symbol) for symbol in (10, 11))
        whole = torch.cat((a, plus, b, equals, total), 1) + Tokenizer.n_specials  # (B, 3 digits + 3)
        return written_on(whole, 2 * self.digits + 2)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect from "=" on the two digits of the column that is added next; none for the carry in front."""
        plus, equals = (self.tokenizer.vocab.index(symbol) for symbol in "+=")
        typed = [i for i, token in enumerate(tokens) if token in (plus, equals)]
        if typed != [self.digits, 2 * self.digits + 1]:
            return (Pattern.of("digits of the column", (), tokens),)
        columns = range(self.digits - 1, -1, -1) if self.reverse else range(-1, self.digits)
        written = [*zip(range(typed[1], len(tokens)), columns, strict=False)]
        pairs = ((i, key) for i, column in written if column >= 0 for key in (column, typed[0] + 1 + column))
        return (Pattern.of("digits of the column", pairs, tokens),)

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the digits of the sum, due from "=" on."""
        plus, equals = (self.tokenizer.vocab.index(symbol) for symbol in "+=")
        signs = [(i, token) for i, token in enumerate(tokens) if token in (plus, equals)]
        if signs != [(self.digits, plus), (2 * self.digits + 1, equals)]:
            return super().answers(tokens)
        a, b = tokens[: self.digits], tokens[self.digits + 1 : 2 * self.digits + 1]
        pair = [int(self.tokenizer.decode(number)) for number in (a, b)]
        return self._batch(torch.tensor([pair])).due(len(tokens))

    def is_like(self, symbols: Sequence[str]) -> bool:
        """Two numbers of all their digits, "=", and as much of the sum as there is."""
        number = f"[0-9]{{{self.digits}}}"
        text = "".join(symbols)
        return re.fullmatch(rf"{number}\+{number}=[0-9]*", text) is not None and self.goes_on(symbols)

    def mended(self, text: str) -> Iterable[str]:
        """With zeros in front, and "=" at the end."""
        sides = text.partition("=")[0].split("+")
        return ("+".join(side.strip().zfill(self.digits) for side in sides) + "=",)

    def model_config(self) -> ModelConfig:
        """Return a network of two layers, four heads; one head may read both digits of a column."""
        return self.transformer(3 * self.digits + 3, d_model=64, n_heads=4, d_ff=256)

    def texts(self) -> tuple[Example, ...]:
        """Return sums to type, some with the beginning of their answer."""
        if (self.digits, self.reverse) == (2, True):
            return ("27+58=58", "99+01=00", "36+41=77", "05+07=")
        numbers = ("2758364190", "5801417299"), ("9999999999", "0" * (self.digits - 1) + "1" * 10)
        return tuple(f"{a[: self.digits]}+{b[: self.digits]}=" for a, b in numbers)
