"""Time series: a season of any shape, repeated under noise, and the next value to be said at every point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import IGNORE, Baseline, Batch, Split, Task, draw
from attnviz.tasks.choice import one_of, whole
from attnviz.tasks.pattern import Pattern
from attnviz.vectors import NUMBER_ID, Vectors

__all__ = ["Seasonal", "forecast_batch", "naive_baselines", "period_pattern"]

LIMIT = 20.0  # no value of a series is farther from 0
LONGEST = 16  # period
SLOPE = 1.0  # standard deviation of the rise from one end to the other


class Drawn(NamedTuple):
    """Series as they were made.

    Attributes:
        values: (B, T + 1).
        periods: (B,) int64, points after which the season comes again.
    """

    values: Tensor
    periods: Tensor


@dataclass(frozen=True)
class Seasonal(Task):
    """A decoder reads a series and says at every point what the next value will be.

        read    0.31 -1.2 0.85 0.28 -1.14 0.9 0.33
        write             ...  -1.15 0.86 0.3 -1.2   scored from the third period on

    A season is `period` independent random values of standard deviation 1, and comes again and again under new noise.
    It has no formula, such as a sum of sines has, nor is its mean known, which would tell the last value from the
    others: what comes next can only be read one period back, two periods back ..., and the mean of those has less
    noise than the last of them. A season that is tested was never trained on.

    Example:
        >>> task = Seasonal(min_period=4, max_period=4, noise=0, length=48)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist(), batch.features[0])[:41]
        '0.44 0.49 -0.2 -0.09 0.44 0.49 -0.2 -0.09'
        >>> [round(value, 2) for value in batch.values[0, :4, 0].tolist()]
        [0.49, -0.2, -0.09, 0.44]

    Attributes:
        min_period: points after which a season comes again, at least.
        max_period: and at most; each series has a period of its own in between.
        noise: its standard deviation, in percent of that of the season.
        trend: each series also rises or falls along a line.
        length: points that the model reads.

    Raises:
        ConfigError: a period below 2 or above 16, the least above the greatest, a length below three longest periods.
    """

    min_period: int = whole(8, 2, LONGEST, offered=range(4, 9))
    max_period: int = whole(8, 2, LONGEST, offered=range(8, 13))
    noise: int = whole(30, 0, 100, offered=(0, 10, 20, 30, 50))
    trend: bool = one_of(False, (False, True))
    length: int = whole(48, 3 * LONGEST, 512, offered=(48, 64, 96))

    name = "seasonal series"
    architecture = "decoder"
    metric = "R2"
    tokenizer = Vectors("series", low=-LIMIT, high=LIMIT)  # numbers with two decimals, as they are drawn
    typed = (  # a saw, a step and a bump, each of eight points
        " ".join(["-2 -1.5 -1 -0.5 0 0.5 1 1.5"] * 4),
        " ".join(["-1 -1 -1 -1 1 1 1 1"] * 4),
        " ".join(["-0.4 -0.4 0.3 2.3 0.3 -0.4 -0.4 -0.4"] * 4),
    )

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n series, each with a season of its own."""
        return forecast_batch(self.draw(n, generator, split).values, 2 * self.max_period)

    def draw(self, n: int, generator: Generator, split: Split) -> Drawn:
        """n series with one point more than the model reads, and their periods."""
        rows = draw(n, split, lambda count: self._seasons(count, generator))  # (B, 1 + max_period)
        periods, seasons = rows[:, 0], rows[:, 1:] / 100
        times = torch.arange(self.length + 1)
        values = seasons.gather(1, times % periods[:, None])  # (B, T + 1)
        values = values + self.noise / 100 * torch.randn(values.shape, generator=generator)
        if self.trend:
            values = values + SLOPE * torch.randn(n, 1, generator=generator) * (times / self.length - 0.5)
        return Drawn(values.clamp(-LIMIT, LIMIT).mul(100).round() / 100, periods)

    def _seasons(self, count: int, generator: Generator) -> Tensor:
        """Random (count, 1 + max_period) int64: a period, and its values in hundredths, 0 behind the last."""
        periods = torch.randint(self.min_period, self.max_period + 1, (count, 1), generator=generator)
        inside = torch.arange(self.max_period) < periods
        values = torch.randn(count, self.max_period, generator=generator) * inside
        return torch.cat((periods, (100 * values).round().long()), 1)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect points whole periods before the predicted value, if the period is the same for all series."""
        if self.min_period != self.max_period:
            return ()
        return (period_pattern(self.max_period, tokens),)

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Score simple rules; those that need the period are given it."""
        drawn = self.draw(2048, Generator().manual_seed(seed), "test")
        return naive_baselines(self, drawn.values, drawn.periods, 2 * self.max_period)

    def model_config(self) -> ModelConfig:
        """One layer, one head and learned positions tell lags; two layers where each series has a period of its own."""
        values = {"n_features": 1, "n_outputs": 1, "predicts": "values"}
        if self.min_period != self.max_period:
            return self.transformer(self.length, d_model=64, n_heads=4, d_ff=256, positions="rotary", **values)
        return self.transformer(self.length, n_heads=1, n_layers=1, d_ff=96, **values)


def forecast_batch(values: Tensor, first: int | Tensor) -> Batch:
    """Series (B, T + 1) as a batch of T tokens: each point is to say the next, scored where that is `first` or later.

    `first` is one place for all series, or (B,), one for each.

    Example:
        >>> batch = forecast_batch(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), 2)
        >>> batch.features[0, :, 0].tolist(), batch.values[0, :, 0].tolist(), (batch.targets[0] != IGNORE).tolist()
        ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [False, True, True])
    """
    tokens = torch.full((len(values), values.shape[1] - 1), NUMBER_ID)
    early = torch.arange(1, values.shape[1]) < torch.as_tensor(first).reshape(-1, 1)  # (B or 1, T)
    targets = torch.zeros_like(tokens).masked_fill(early, IGNORE)
    return Batch(tokens, targets, features=values[:, :-1, None], values=values[:, 1:, None])


def period_pattern(period: int, tokens: Sequence[int]) -> Pattern:
    """A point, which is to say the next value, reads whole periods before that one; scored from the third period on.

    Example:
        >>> period_pattern(3, [3] * 9).reads.nonzero().tolist()
        [[5, 0], [5, 3], [6, 1], [6, 4], [7, 2], [7, 5], [8, 0], [8, 3], [8, 6]]
    """
    queries = range(2 * period - 1, len(tokens))
    pairs = ((t, key) for t in queries for key in range(t + 1 - period, -1, -period))
    return Pattern.of("whole periods back", pairs, tokens)


def naive_baselines(task: Task, values: Tensor, periods: Tensor | None, first: int | Tensor) -> tuple[Baseline, ...]:
    """Score simple rules for the next value as a network is scored.

    Args:
        task: whose metric counts.
        values: (B, T + 1) series.
        periods: (B,) of each; None: there is none, and no rule that needs it.
        first: place of the first value that is scored, of all series or (B,) of each.
    """
    batch = forecast_batch(values, first)
    said = {"last value": values[:, :-1]}
    if periods is not None:
        said["one period ago"] = _one_period_ago(values, periods)
        said["mean of the phase"] = _phase_means(values, periods)
    return tuple(Baseline(name, task.accuracy(each[..., None], batch)) for name, each in said.items())


def _one_period_ago(values: Tensor, periods: Tensor) -> Tensor:
    """(B, T): of each next value, that of a period before, or the first one where there is none."""
    places = torch.arange(1, values.shape[1]) - periods[:, None]
    return values.gather(1, places.clamp(min=0))


def _phase_means(values: Tensor, periods: Tensor) -> Tensor:
    """(B, T): of each next value, the mean of those whole periods before; 0 where there is none."""
    times = torch.arange(values.shape[1])
    lags = times[1:, None] - times  # (T, T + 1)
    same = (lags > 0) & (lags % periods[:, None, None] == 0)  # (B, T, T + 1)
    return (same * values[:, None]).sum(2) / same.sum(2).clamp(min=1)
