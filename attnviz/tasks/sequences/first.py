"""The first letter of a sequence, asked for at its end: how far back can a network remember?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator

from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.recurrent_config import RecurrentConfig
from attnviz.tasks.base import LETTERS, Batch, Split, Task, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.sequences.batches import answer_at_bos
from attnviz.tokenizers import Tokenizer

__all__ = ["FirstSymbol"]

N_SYMBOLS = 8
WORDS = ("cabbage", "head", "feed")  # each is repeated until it is long enough


@dataclass(frozen=True)
class FirstSymbol(Task):
    """An encoder reads a row of letters and says at its end which one was the first, `distance` steps before.

        read    <bos> c f a h b
        write   c

    Every letter may stand anywhere: it is the place that counts. A recurrent network has to carry the first letter in
    its state past all the others; a convolutional one sees it within its receptive field alone; attention reads it
    where it is, however far away. So that all networks have the same way to go, none reads backwards, and each answers
    from the last token: also the Transformer, which could as well answer from any other.

    Example:
        >>> task = FirstSymbol(distance=10)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'cehgaaecbgh'
        >>> task.tokenizer.label(int(batch.targets[0, 0]))
        'c'

    Attributes:
        distance: steps from the first letter to the last one, where the answer is due.

    Raises:
        ConfigError: a distance below 10 or above 200.

    Source:
        Hochreiter and Schmidhuber 1997, "Long Short-Term Memory", section 5 (long time lags); why it is hard: Bengio,
        Simard and Frasconi 1994, "Learning Long-Term Dependencies with Gradient Descent is Difficult".
    """

    distance: int = whole(50, 10, 200, offered=range(10, 201, 10))

    name = "first symbol"
    architecture = "encoder"
    metric = "accuracy"
    readout = "whole"
    tokenizer = Tokenizer("characters", LETTERS[:N_SYMBOLS], add_bos=True)  # eight letters, `<bos>` in front

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n rows of random letters. Split by all letters of a row."""
        size = self.distance + 1
        letters = draw(n, split, lambda count: torch.randint(N_SYMBOLS, (count, size), generator=generator))
        symbols = letters + Tokenizer.n_specials
        return answer_at_bos(symbols, symbols[:, 0])  # where one answer for a whole sequence is scored

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Return the last token, from which the answer is read, reads the first letter."""
        pairs = [(len(tokens) - 1, 1)] if len(tokens) > 2 else []
        return (Pattern.of("first symbol", pairs, tokens),)

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the first letter, due at `<bos>`."""
        symbols = torch.tensor([tokens[1:]])
        return answer_at_bos(symbols, symbols[:, 0]).due(len(tokens))

    def is_like(self, symbols: Sequence[str]) -> bool:
        """As many letters as it learned."""
        return len(symbols) == self.distance + 1

    def mended(self, text: str) -> Iterable[str]:
        """Again and again, up to the length."""
        return ((text * (self.distance + 1))[: self.distance + 1],)

    def model_config(self) -> ModelConfig:
        """One layer, one head, positions that tell which letter is the first; read at the last token."""
        return self.transformer(self.distance + 2, d_model=32, n_heads=1, n_layers=1, d_ff=64, pooling="last")

    def recurrent_config(self) -> RecurrentConfig:
        """Return a network of one direction: read backwards, the first letter would be the last."""
        return replace(super().recurrent_config(), bidirectional=False, d_model=32)

    def convolutional_config(self) -> ConvolutionalConfig:
        """Return a network of five layers at every distance: its last output sees the 31 positions before it.

        The maximum over all positions would find the letter beside `<bos>` at any distance, and so is not taken.
        """
        return replace(super().convolutional_config(), n_layers=5, pooling="last", d_model=32)

    def texts(self) -> tuple[Example, ...]:
        """Return rows to type."""
        return tuple((word * self.distance)[: self.distance + 1] for word in WORDS)
