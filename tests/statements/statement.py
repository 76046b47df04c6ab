"""A statement of a catalogue beside the computation that holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

__all__ = ["ROWS", "Bound", "Row", "at_least", "at_most", "between", "statement"]


class Bound(NamedTuple):
    """A measured number and where it must lie; the margin to what was measured is for other weights and processors."""

    what: str
    value: float
    low: float = -inf
    high: float = inf

    @property
    def holds(self) -> bool:
        return self.low <= self.value <= self.high

    def __str__(self) -> str:
        return f"{self.what}: {self.value:.4g}, must lie in [{self.low:g}, {self.high:g}]"


def at_least(what: str, value: float, low: float) -> Bound:
    return Bound(what, float(value), low=low)


def at_most(what: str, value: float, high: float) -> Bound:
    return Bound(what, float(value), high=high)


def between(what: str, value: float, low: float, high: float) -> Bound:
    return Bound(what, float(value), low, high)


Computation = Callable[[], Iterator[Bound]]


@dataclass(frozen=True)
class Row:
    """One statement.

    key: of the message, in both catalogues.
    claims: its very words in English, chinese: in Chinese. A message that is written anew no longer has them, and its
    row must be looked at again.
    computes: the numbers that hold it, from the shipped weights and data that no recipe and no other test draws.
    """

    key: str
    claims: str
    chinese: str
    computes: Computation


ROWS: list[Row] = []


def statement(key: str, claims: str, chinese: str) -> Callable[[Computation], Computation]:
    """Enter a computation as what holds a statement; one computation may hold several."""

    def enter(computes: Computation) -> Computation:
        ROWS.append(Row(key, claims, chinese, computes))
        return computes

    return enter
