"""Errors of sweeps: many runs that differ in some settings."""

from __future__ import annotations

from attnviz.errors.base import AttnvizError, ConfigError

__all__ = [
    "ExtraMissing", "SweepCombination", "SweepCorrupt", "SweepNotFound", "SweepRange", "SweepSteps",
    "SweepUncompared", "TooManyPlanned",
]  # fmt: skip


class SweepNotFound(AttnvizError):
    """There is no sweep of that name."""

    name: str


class SweepCorrupt(AttnvizError):
    """The plan of a sweep cannot be read: damaged, edited by hand, or written by a newer version."""

    name: str
    reason: str


class SweepCombination(ConfigError):
    """Settings of a sweep cannot be built together."""

    settings: str
    reason: str


class SweepRange(ConfigError):
    """A range in which a setting is searched is empty, or its logarithm or its step does not fit."""

    name: str
    low: float
    high: float


class SweepSteps(ConfigError):
    """Successive halving compares runs after so many steps; the setting `name` would make these differ."""

    name: str


class SweepUncompared(ConfigError):
    """Runs of so many steps are never looked at before their end, so that none can be stopped early."""

    every: int
    steps: int


class TooManyPlanned(ConfigError):
    """A sweep has more runs than may be planned at once, or none."""

    n: int
    most: int


class ExtraMissing(AttnvizError):
    """Something needs an optional package: pip install "attnviz[extra]"."""

    package: str
    extra: str
