"""The parity so far: one bit of memory, changed at each step. Made for recurrence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from torch import Generator, Tensor

from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.models.recurrent_config import RecurrentConfig
from attnviz.tasks.base import Batch, Split, Task
from attnviz.tasks.choice import whole
from attnviz.tasks.sequences.parity import all_bits, drawn_bits
from attnviz.tokenizers import Tokenizer

__all__ = ["RunningParity"]

EXAMPLES = ("1011001110001011", "0000000000000001", "1111111111111111", "0100110100101101")


@dataclass(frozen=True)
class RunningParity(Task):
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

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """0 and 1."""
        return Tokenizer("characters", ("0", "1"))

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """n rows of random bits with their parities. Split by the bits."""
        return _batch(drawn_bits(n, self.length, generator, split))

    def items(self, split: Split = "test") -> Batch | None:
        """All rows of bits of a split; None where there are too many."""
        bits = all_bits(self.length, split)
        return None if bits is None else _batch(bits)

    def model_config(self) -> ModelConfig:
        """Two layers, four heads: it takes many more steps than a small recurrent network."""
        return self.transformer(self.length, n_heads=4)

    def recurrent_config(self) -> RecurrentConfig:
        """A small GRU."""
        return replace(super().recurrent_config(), cell="gru", d_model=32)

    def texts(self) -> tuple[Example, ...]:
        """Bits to type."""
        return tuple((row * self.length)[: self.length] for row in EXAMPLES)


def _batch(bits: Tensor) -> Batch:
    """(B, T) bits with the parity so far."""
    return Batch(bits + Tokenizer.n_specials, bits.cumsum(1) % 2 + Tokenizer.n_specials)
