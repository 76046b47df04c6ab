"""Parity: is the number of ones odd? At once it is not learned; one step at a time it is easy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Generator, Tensor

from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.tasks.base import IGNORE, Batch, Split, Task, belonging, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["Parity", "ScratchpadParity", "all_bits", "drawn_bits"]

MOST_BITS = 16  # of sequences that are all listed

EXAMPLES = ("1011001110001011", "0000000000000001", "1111111111111111", "0100110100101101")


def drawn_bits(n: int, length: int, generator: Generator, split: Split) -> Tensor:
    """(n, length) zeros and ones of a split."""
    return draw(n, split, lambda count: torch.randint(2, (count, length), generator=generator))


def all_bits(length: int, split: Split) -> Tensor | None:
    """All rows of zeros and ones of a split (N, length); None where there are too many."""
    if length > MOST_BITS:
        return None
    return belonging(split, torch.arange(2**length)[:, None] >> torch.arange(length) & 1)


@dataclass(frozen=True)
class Parity(Task):
    """An encoder says at `<bos>`, at once, whether the number of ones is odd (1) or even (0). It stays at chance.

        read    <bos> 1 0 1 1
        write   1

    Why: every single bit changes the answer, but softmax attention takes a mean, in which one bit of n has a share of
    1/n. Weights that do compute parity exist, yet small changes of them ruin it, so that gradient descent sees a flat
    loss: no subset of the bits tells anything about the answer before all of them do. `ScratchpadParity` has the way
    out.

    Example:
        >>> task = Parity(length=4)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist()), task.tokenizer.label(int(batch.targets[0, 0]))
        ('0110', '0')

    Attributes:
        length: bits of a sequence.

    Raises:
        ConfigError: a length of 0.

    Source:
        Hahn 2020, "Theoretical Limitations of Self-Attention in Neural Sequence Models"; Hahn and Rofin 2024, "Why are
        Sensitive Functions Hard for Transformers?".
    """

    length: int = whole(16, 1, offered=range(6, 33))

    name = "parity"
    architecture = "encoder"
    metric = "accuracy"

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """0 and 1, `<bos>` in front."""
        return Tokenizer("characters", ("0", "1"), add_bos=True)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """n rows of random bits."""
        return self._batch(drawn_bits(n, self.length, generator, split))

    def items(self, split: Split = "test") -> Batch | None:
        """All rows of bits of a split; None where there are too many."""
        bits = all_bits(self.length, split)
        return None if bits is None else self._batch(bits)

    def _batch(self, bits: Tensor) -> Batch:
        n = len(bits)
        tokens = torch.cat((torch.full((n, 1), Tokenizer.bos_id), bits + Tokenizer.n_specials), 1)  # (B, T)
        targets = torch.full_like(tokens, IGNORE)
        targets[:, 0] = bits.sum(1) % 2 + Tokenizer.n_specials
        return Batch(tokens, targets)

    def model_config(self) -> ModelConfig:
        """Twice as deep and wide as what solves the task with a scratchpad; it does not help."""
        return self.transformer(self.length + 1, d_model=64, n_heads=4, d_ff=256)

    def texts(self) -> tuple[Example, ...]:
        """Bits to type."""
        return tuple((row * self.length)[: self.length] for row in EXAMPLES)


@dataclass(frozen=True)
class ScratchpadParity(Task):
    """A decoder writes the parity of the first bit, of the first two, of the first three ... The last is the answer.

        read    1 0 1 1 = 1 1 0
        write           1 1 0 1

    Each step needs two symbols only: the last parity written and the next bit. Thinking aloud turns what cannot be
    learned at once into steps that can.

    Example:
        >>> task = ScratchpadParity(length=4)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        '0110=010'
        >>> task.tokenizer.decode(batch.targets[0, 4:].tolist())
        '0100'

    Attributes:
        length: bits of a sequence.

    Raises:
        ConfigError: a length of 0.

    Source:
        Nye et al. 2021, "Show Your Work: Scratchpads for Intermediate Computation with Language Models".
    """

    length: int = whole(16, 1, offered=range(6, 33))

    name = "parity with a scratchpad"
    architecture = "decoder"
    metric = "exact match"

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """0, 1 and "="."""
        return Tokenizer("characters", ("0", "1", "="))

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """n rows of random bits with their running parities. Split by the bits."""
        return self._batch(drawn_bits(n, self.length, generator, split))

    def items(self, split: Split = "test") -> Batch | None:
        """All rows of bits of a split; None where there are too many."""
        bits = all_bits(self.length, split)
        return None if bits is None else self._batch(bits)

    def _batch(self, bits: Tensor) -> Batch:
        """(B, N) bits."""
        n = len(bits)
        parities = bits.cumsum(1) % 2  # (B, N)
        whole = torch.cat((bits, torch.full((n, 1), 2), parities), 1) + Tokenizer.n_specials  # (B, 2 N + 1)
        targets = whole[:, 1:].clone()
        targets[:, : self.length] = IGNORE
        return Batch(whole[:, :-1], targets)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """From "=" on: the bit that comes next."""
        equals = Tokenizer.n_specials + 2
        length = tokens.index(equals) if equals in tokens else 0
        pairs = ((length + i, i) for i in range(min(length, len(tokens) - length)))
        return (Pattern.of("next bit", pairs, tokens),)

    def model_config(self) -> ModelConfig:
        """Two layers, two heads: one for the bit, one for the parity so far."""
        return self.transformer(2 * self.length, d_model=32, d_ff=128)

    def texts(self) -> tuple[Example, ...]:
        """Bits to type, with "=" behind them."""
        return tuple((row * self.length)[: self.length] + "=" for row in EXAMPLES)
