"""Parity: is the number of ones odd? At once it is not learned; one step at a time, or by recurrence, it is easy."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import torch
from torch import Generator, Tensor

from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.models.recurrent_config import RecurrentConfig
from attnviz.tasks.base import Batch, Split, Task, belonging, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.sequences.batches import answer_at_bos, written_on
from attnviz.tokenizers import Tokenizer

__all__ = ["Parity", "RunningParity", "ScratchpadParity"]

MOST_BITS = 16  # of sequences that are all listed

EXAMPLES = ("1011001110001011", "0000000000000001", "1111111111111111", "0100110100101101")


class BitsTask(Task):
    """A task about rows of random bits, split by the bits."""

    length: int

    @abstractmethod
    def batch(self, bits: Tensor) -> Batch:
        """Return the rows of bits (B, N) with their right answers."""

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n rows of random bits."""
        return self.batch(draw(n, split, lambda count: torch.randint(2, (count, self.length), generator=generator)))

    def items(self, split: Split = "test") -> Batch | None:
        """Return all rows of bits of a split; None where there are too many."""
        if self.length > MOST_BITS:
            return None
        rows = belonging(split, torch.arange(2**self.length)[:, None] >> torch.arange(self.length) & 1)
        return None if rows is None else self.batch(rows)

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the parities of the bits in front, due where the task asks for them."""
        symbols = [token - Tokenizer.n_specials for token in tokens if token >= Tokenizer.n_specials]
        bits = [*takewhile(lambda symbol: symbol < 2, symbols)]
        return self.batch(torch.tensor([bits])).due(len(tokens)) if bits else super().answers(tokens)

    def is_like(self, symbols: Sequence[str]) -> bool:
        """As many bits as it learned."""
        return len(symbols) == self.length

    def mended(self, text: str) -> Iterable[str]:
        """Again and again, up to the length."""
        return ((text * self.length)[: self.length],)

    def texts(self) -> tuple[Example, ...]:
        """Return bits to type."""
        return tuple((row * self.length)[: self.length] for row in EXAMPLES)


@dataclass(frozen=True)
class Parity(BitsTask):
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
    tokenizer = Tokenizer("characters", ("0", "1"), add_bos=True)  # 0 and 1, `<bos>` in front

    def batch(self, bits: Tensor) -> Batch:
        """Return the rows of bits (B, N) with their parity."""
        return answer_at_bos(bits + Tokenizer.n_specials, bits.sum(1) % 2 + Tokenizer.n_specials)

    def model_config(self) -> ModelConfig:
        """Twice as deep and wide as what solves the task with a scratchpad; it does not help."""
        return self.transformer(self.length + 1, d_model=64, n_heads=4, d_ff=256)


@dataclass(frozen=True)
class ScratchpadParity(BitsTask):
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
    tokenizer = Tokenizer("characters", ("0", "1", "="))  # 0, 1 and "="

    def batch(self, bits: Tensor) -> Batch:
        """Return the rows of bits (B, N) with their running parities."""
        equals = torch.full((len(bits), 1), 2)
        whole = torch.cat((bits, equals, bits.cumsum(1) % 2), 1) + Tokenizer.n_specials  # (B, 2 N + 1)
        return written_on(whole, bits.shape[1] + 1)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect from "=" on the next bit."""
        equals = Tokenizer.n_specials + 2
        length = tokens.index(equals) if equals in tokens else 0
        pairs = ((length + i, i) for i in range(min(length, len(tokens) - length)))
        return (Pattern.of("next bit", pairs, tokens),)

    def is_like(self, symbols: Sequence[str]) -> bool:
        """Bits, "=", and as many of the parities as there are."""
        return [*symbols].index("=") == self.length and self.goes_on(symbols) if "=" in symbols else False

    def mended(self, text: str) -> Iterable[str]:
        """With "=" behind as many bits as it learned."""
        return ((text.partition("=")[0] * self.length)[: self.length] + "=",)

    def model_config(self) -> ModelConfig:
        """Return a network of two layers, two heads: one for the bit, one for the parity so far."""
        return self.transformer(2 * self.length, d_model=32, d_ff=128)

    def texts(self) -> tuple[Example, ...]:
        """Return bits to type, with "=" behind them."""
        return tuple(f"{row}=" for row in super().texts())


@dataclass(frozen=True)
class RunningParity(BitsTask):
    """A decoder says after each bit whether the number of ones so far is odd (1) or even (0).

        read    1 0 1 1
        write   1 1 0 1

    A recurrent network needs one bit of state, which each new bit turns or leaves. The causal Transformer, which sees
    all bits at once and no answer of its own, has to count them at every position anew: it learns the first positions
    soon and the others one after the other. `ScratchpadParity` gives it back what recurrence has: its own last answer.

    Example:
        >>> task = RunningParity(length=8)
        >>> batch = task.sample(1, Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist()), task.tokenizer.decode(batch.targets[0].tolist())
        ('01101111', '01001010')

    Attributes:
        length: bits of a sequence.

    Raises:
        ConfigError: a length of 0.
    """

    length: int = whole(16, 1, offered=range(6, 65))

    name = "running parity"
    architecture = "decoder"
    metric = "accuracy"
    tokenizer = Tokenizer("characters", ("0", "1"))  # 0 and 1

    def batch(self, bits: Tensor) -> Batch:
        """Return the rows of bits (B, T) with the parity so far."""
        return Batch(bits + Tokenizer.n_specials, bits.cumsum(1) % 2 + Tokenizer.n_specials)

    def is_like(self, symbols: Sequence[str]) -> bool:
        """As many bits as it learned, or fewer: each answer is of those before it."""
        return len(symbols) <= self.length

    def model_config(self) -> ModelConfig:
        """Return a network of two layers, four heads: it takes many more steps than a small recurrent network."""
        return self.transformer(self.length, n_heads=4)

    def recurrent_config(self) -> RecurrentConfig:
        """Return a small GRU."""
        return replace(super().recurrent_config(), cell="gru", d_model=32)
