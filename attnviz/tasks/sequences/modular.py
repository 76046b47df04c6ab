"""Modular addition: few sums are shown, the others follow from a rule that the model finds late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from math import isqrt

import torch
from torch import Generator, Tensor

from attnviz.errors import SettingMisfit
from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.models.network import Network
from attnviz.tasks.base import Batch, Split, Task, belonging, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.sequences.batches import written_on
from attnviz.tokenizers import Tokenizer

__all__ = ["ModularAddition"]

BUCKETS: dict[Split, range] = {"test": range(5), "validation": range(5, 10), "train": range(10, 20)}  # of 20


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, isqrt(number) + 1))


PRIMES = tuple(number for number in range(11, 114) if _is_prime(number))  # that people are offered


@dataclass(frozen=True)
class ModularAddition(Task):
    """A decoder adds two numbers modulo a prime; it sees half of all pairs.

        read    40 + 20 =
        write           7       (40 + 20) mod 53

    Every number is a symbol of its own: nothing tells the model that 20 comes after 19. At first it learns the pairs
    it sees by heart, and the others stay at chance. Much later, with weight decay, the others come: the model has put
    the numbers on circles of a few frequencies ("grokking"). As in the papers, 40 + 20 and 20 + 40 are two pairs: that
    the order does not matter is a part of the rule.

    Example:
        >>> task = ModularAddition()
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        '45 + 6 ='
        >>> task.tokenizer.label(int(batch.targets[0, -1]))
        '51'

    Attributes:
        modulus: a prime number.

    Raises:
        ConfigError: the modulus is no prime number, below 5 or above 997.

    Source:
        Power et al. 2022, "Grokking: Generalization Beyond Overfitting on Small Algorithmic Datasets"; Nanda et al.
        2023, "Progress measures for grokking via mechanistic interpretability" (one layer, the frequencies).
    """

    modulus: int = whole(53, 5, 997, offered=PRIMES)

    name = "modular addition"
    architecture = "decoder"
    metric = "accuracy"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _is_prime(self.modulus):
            raise SettingMisfit("modulus", self.modulus, "prime", next(filter(_is_prime, count(self.modulus))))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The numbers, "+" and "="."""
        return Tokenizer("symbols", (*map(str, range(self.modulus)), "+", "="))

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sums. Split by the pair: a half for training, a quarter each for the others."""
        candidates = lambda count: torch.randint(self.modulus, (count, 2), generator=generator)  # noqa: E731
        return self._batch(draw(n, split, candidates, BUCKETS))

    def items(self, split: Split = "test") -> Batch | None:
        """Return all pairs of a split."""
        numbers = torch.arange(self.modulus)
        pairs = belonging(split, torch.cartesian_prod(numbers, numbers), BUCKETS)
        return None if pairs is None else self._batch(pairs)

    def _batch(self, pairs: Tensor) -> Batch:
        a, b = pairs.unbind(1)  # (B,) each
        plus, equals = (torch.full_like(a, symbol) for symbol in (self.modulus, self.modulus + 1))
        whole = torch.stack((a, plus, b, equals, (a + b) % self.modulus), 1) + Tokenizer.n_specials  # (B, 5)
        return written_on(whole, 4)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect the equals sign to attend to both numbers."""
        equals = Tokenizer.n_specials + self.modulus + 1
        pairs = ((i, key) for i, token in enumerate(tokens) if token == equals and i >= 3 for key in (i - 3, i - 1))
        return (Pattern.of("both numbers", pairs, tokens),)

    def spectrum(self, network: Network) -> Tensor:
        """Share of the number embedding's Fourier power at each frequency k = 1 ... modulus // 2.

        F_k = sum over a of W_E[a] exp(-2 pi i k a / modulus), a vector of d_model; share_k = |F_k|^2 / sum of |F_j|^2.
        By heart, all shares are about alike; who has found the rule uses a handful of frequencies.

        Source:
            Nanda et al. 2023, section 4.1 and figure 3: the Fourier components of the embedding matrix.
        """
        assert network.decoder is not None
        first = Tokenizer.n_specials
        numbers = network.decoder.embedding.weight.detach()[first : first + self.modulus]  # (modulus, d_model)
        power: Tensor = torch.fft.rfft(numbers, dim=0)[1:].abs().square().sum(1)  # (modulus // 2,), without the mean
        return power / power.sum()

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the sum, due at "="."""
        plus, equals = Tokenizer.n_specials + self.modulus, Tokenizer.n_specials + self.modulus + 1
        places = [i for i, token in enumerate(tokens) if token >= plus]
        if places[:2] != [1, 3] or (tokens[1], tokens[3]) != (plus, equals):
            return super().answers(tokens)
        pair = torch.tensor([[tokens[0], tokens[2]]]) - Tokenizer.n_specials
        return self._batch(pair).due(len(tokens))

    def is_like(self, symbols: Sequence[str]) -> bool:
        """Two numbers, with "+" between and "=" behind them."""
        return [symbol for symbol in symbols if not symbol.isdigit()] == ["+", "="] == [*symbols[1::2]]

    def mended(self, text: str) -> Iterable[str]:
        """With "=" at the end."""
        return (f"{text.partition('=')[0].strip()} =",)

    def model_config(self) -> ModelConfig:
        """One layer with large first weights: they make learning by heart come long before the rule."""
        return self.transformer(4, d_model=64, n_heads=4, n_layers=1, d_ff=256, init_std=0.3)

    def texts(self) -> tuple[Example, ...]:
        """Return sums to type."""
        last = self.modulus - 1
        return (f"{last // 2} + {last} =", "1 + 1 =", f"{last} + 1 =", f"0 + {last // 3} =")
