"""A forecast of a time series of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import ceil, isclose, sqrt
from typing import Any

import torch
from torch import Generator, Tensor

from attnviz.errors import SeriesConstant, SeriesTooShort
from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.tasks.base import Baseline, Batch, Split
from attnviz.tasks.choice import column, one_of, whole
from attnviz.tasks.own.data import OwnTask, tiles
from attnviz.tasks.own.readers.columns import (
    DECIMAL_SIGNS,
    MISSING,
    Column,
    DecimalSign,
    Missing,
    older_reading,
    read_column,
)
from attnviz.tasks.own.readers.delimited import HEADERS, SEPARATORS, Header, Separator
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.signals.series import forecast_batch, naive_baselines, period_pattern
from attnviz.vectors import NUMBER_ID, Vectors

__all__ = ["OwnSeries", "estimated_period"]

LEAST_CORRELATION = 0.2


@dataclass(frozen=True)
class OwnSeries(OwnTask):
    """A decoder reads a piece of a series that somebody brought, and says at every point what the next value will be.

    The series is cut in time, not shuffled: its last tenth is for the test, the tenth before for validation, the rest
    for training; no piece reaches over a cut. All parts are scaled by the mean and the standard deviation of the
    training part, the only one that may be known. The second half of each piece is scored.

    Example:
        >>> task = OwnSeries("sales\\n" + "1\\n5\\n2\\n4\\n" * 25, length=16)
        >>> task.column.name, task.period
        ('sales', 4)
        >>> {split: len(part) for split, part in task.parts.items()}
        {'train': 66, 'validation': 17, 'test': 17}
        >>> task.texts()[0][:26]
        '0.622 -1.244 1.244 -0.622 '

    Attributes:
        text: text of a CSV file with a column of numbers.
        length: points that the model reads.
        separator: between columns; see `attnviz.tasks.own.readers.columns.series_layout`, as for the next four.
        header: whether the first line names the columns.
        value_column: column of the numbers, counted from 1.
        decimal: sign of the numbers.
        missing: what becomes of missing values.

    Raises:
        InputError: the text has no column of numbers, as `read_column` says; DataUnclear: what the data do not tell,
            and must be said; SeriesTooShort: fewer than four pieces;
            SeriesConstant: a part in which nothing changes.
        ConfigError: a length beyond its limits.
    """

    text: str = field(repr=False)
    length: int = whole(32, 8, 256, offered=(16, 24, 32, 48, 64, 96))
    separator: Separator = one_of("auto", SEPARATORS, reading=True)
    header: Header = one_of("auto", HEADERS, reading=True)
    value_column: int = column()
    decimal: DecimalSign = one_of("auto", DECIMAL_SIGNS, reading=True)
    missing: Missing = one_of("refuse", MISSING, reading=True)

    name = "own series"
    architecture = "decoder"
    metric = "R2"

    def __post_init__(self) -> None:
        super().__post_init__()
        count, needed = len(self.column.values), 4 * (self.length + 1)
        if count < needed:
            raise SeriesTooShort(count, needed, self.length)
        for split, part in self.parts.items():
            if float(part.std()) < 1e-6:
                raise SeriesConstant(split)

    @cached_property
    def column(self) -> Column:
        """Column of the file."""
        return read_column(self.text, **self.reading)

    @classmethod
    def stored(cls, **parameters: Any) -> OwnSeries:
        """The task of a run; in an older one tabs, else semicolons, else commas separated, and a point was decimal."""
        if "value_column" not in parameters:
            parameters |= older_reading(parameters["text"])
        return cls(**parameters)

    @cached_property
    def _cuts(self) -> tuple[int, ...]:
        """Places where training, validation and test begin, and where the last one ends."""
        count = len(self.column.values)
        held_out = max(self.length + 1, count // 10)
        return 0, count - 2 * held_out, count - held_out, count

    @cached_property
    def scale(self) -> tuple[float, float]:
        """Mean and standard deviation of the training part: what the model reads is (value - mean) / deviation."""
        train = torch.tensor(self.column.values[: self._cuts[1]], dtype=torch.float64)
        deviation = float(train.std())
        if isclose(1 + deviation / max(1.0, float(train.abs().max())), 1, rel_tol=1e-9):
            raise SeriesConstant("train")
        return float(train.mean()), deviation

    @cached_property
    def parts(self) -> dict[Split, Tensor]:
        """The scaled values of each split, never fewer than one piece needs."""
        mean, deviation = self.scale
        values = ((torch.tensor(self.column.values, dtype=torch.float64) - mean) / deviation).float()
        train, validation, test = (values[a:b] for a, b in pairwise(self._cuts))
        return {"train": train, "validation": validation, "test": test}

    @cached_property
    def period(self) -> int | None:
        """Points after which the training part comes again, as far as two periods fit into a piece; None: never."""
        return estimated_period(self.parts["train"], self.length // 2)

    @cached_property
    def tokenizer(self) -> Vectors:
        """Scaled numbers with three decimals; twice as far from 0 as the series goes may be typed, at least 10."""
        limit = max(10.0, 2.0 * ceil(max(float(part.abs().max()) for part in self.parts.values())))
        return Vectors("series", low=-limit, high=limit, decimals=3)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n pieces of the split's part, from random places."""
        return forecast_batch(self._pieces(n, generator, split), self._first)

    def items(self, split: Split = "test") -> Batch:
        """Pieces that go once over the split's part: every value is scored once, but for those of the first half."""
        return forecast_batch(*self._tiles(split))

    def _tiles(self, split: Split) -> tuple[Tensor, Tensor]:
        """Return the pieces (B, T + 1), and the place of the first value that is scored in each (B,)."""
        values = self.parts[split]
        starts, first = tiles(len(values), self.length + 1, self._first)
        return values[starts[:, None] + torch.arange(self.length + 1)], first

    @property
    def _first(self) -> int:
        """Place of the first value that is scored."""
        return self.length // 2

    def _pieces(self, n: int, generator: Generator, split: Split) -> Tensor:
        """(n, T + 1)."""
        pieces = self.parts[split].unfold(0, self.length + 1, 1)  # (places, T + 1)
        return pieces[torch.randint(len(pieces), (n,), generator=generator)]

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Whole periods back, where the series has a period."""
        return () if self.period is None else (period_pattern(self.period, tokens),)

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Score simple rules, with the period that the training part shows."""
        pieces, first = self._tiles("test")
        periods = None if self.period is None else torch.full((len(pieces),), self.period)
        return naive_baselines(self, pieces, periods, first)

    def model_config(self) -> ModelConfig:
        """Return a network of one layer of two heads; learned positions tell lags."""
        return self.transformer(self.length, n_layers=1, n_features=1, n_outputs=1, predicts="values")

    def texts(self) -> tuple[Example, ...]:
        """Return the first piece of the test part, and the last."""
        test = self.parts["test"]
        ids = [NUMBER_ID] * self.length
        pieces = (test[: self.length], test[-self.length :])
        return tuple(self.tokenizer.decode(ids, piece[:, None]) for piece in pieces)


def estimated_period(values: Tensor, longest: int) -> int | None:
    """Points after which a series comes again: the lag of the first high peak of its autocorrelation.

    r(lag) = mean_t x_t x_{t + lag} / mean_t x_t^2, where x is the series without its straight line

    Of the peaks, which lie at all multiples of a period, the first is taken that is nearly as high as the highest.

    Args:
        values: (N,).
        longest: period there can be.

    Returns:
        The period, at least 2; None: no correlation that is above 0.2 and that chance would hardly give.

    Example:
        >>> estimated_period(torch.tensor([1.0, 5.0, 2.0] * 8), 8)
        3
        >>> estimated_period(torch.arange(20.0), 8) is None
        True
    """
    longest = min(longest, len(values) // 2 - 1)
    if longest < 2:
        return None
    x = _without_line(values.double())
    power = float(x.square().mean())
    if power < 1e-9:
        return None
    r = [float((x[: len(x) - lag] * x[lag:]).mean()) / power for lag in range(longest + 2)]
    peaks = [lag for lag in range(2, longest + 1) if r[lag - 1] < r[lag] >= r[lag + 1]]
    highest = max((r[lag] for lag in peaks), default=0.0)
    if highest < max(LEAST_CORRELATION, 3 / sqrt(len(x))):
        return None
    return next(lag for lag in peaks if r[lag] >= 0.9 * highest)


def _without_line(values: Tensor) -> Tensor:
    """(N,) minus its least-squares line."""
    times = torch.arange(len(values), dtype=values.dtype)
    times = times - times.mean()
    slope = (times @ values) / (times @ times)
    return values - values.mean() - slope * times
