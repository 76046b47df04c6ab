"""Successive halving: all settings train for a while, the better half goes on for twice as long, and so on.

Source:
    Jamieson and Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization".
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf, isnan, log2
from typing import NamedTuple

__all__ = ["Rung", "Score", "rungs", "steps_of", "survivors"]


class Rung(NamedTuple):
    """A look at all settings that are left.

    Attributes:
        step: step at which they are compared; validation data was looked at there.
        keep: settings that go on.
    """

    step: int
    keep: int


def rungs(steps: int, validate_every: int, n: int) -> list[Rung]:
    """Plan when the poorer half of n settings is stopped, so that the last one trains for all steps.

    Of R = ceil(log2 n) rungs the r-th is at steps / 2^(R - r + 1), r = 1, 2, ..., rounded up to a step at which
    validation data is looked at, and keeps half of what is left. Rungs that would be at the same step are one, which
    keeps half; one at the last step is none.

    Example:
        >>> rungs(1000, 25, 4)
        [Rung(step=250, keep=2), Rung(step=500, keep=1)]
        >>> rungs(100, 50, 8), rungs(100, 100, 8), rungs(100, 10, 1)
        ([Rung(step=50, keep=4)], [], [])
    """
    found: list[Rung] = []
    rounds = ceil(log2(n)) if n > 1 else 0
    left = n
    for power in range(rounds, 0, -1):
        step = validate_every * ceil(steps / 2**power / validate_every)
        if step < steps and (not found or step > found[-1].step):
            left = ceil(left / 2)
            found.append(Rung(step, left))
    return found


class Score(NamedTuple):
    """Result on validation data, by which settings are judged.

    Attributes:
        metric: value of the task's metric on validation data.
        loss: loss there, which decides between equals: many metrics stay at 0 for a while.
    """

    metric: float
    loss: float


def survivors(scores: Sequence[Score | None], keep: int, lower_is_better: bool) -> list[int]:
    """Return the numbers of the settings that go on, rising; of equal ones the earlier, without a score the last.

    Example:
        >>> survivors([Score(0.5, 1.0), None, Score(0.0, 0.9), Score(0.0, 0.8)], 2, lower_is_better=False)
        [0, 3]
        >>> survivors([Score(3.0, 3.0), Score(1.0, 1.0), Score(2.0, 2.0)], 1, lower_is_better=True)
        [1]
    """
    sign = 1 if lower_is_better else -1

    def cost(number: int) -> tuple[float, float, int]:
        score = scores[number]
        if score is None or any(map(isnan, score)):
            return inf, inf, number
        return sign * score.metric, score.loss, number

    return sorted(sorted(range(len(scores)), key=cost)[:keep])


def steps_of(steps: int, planned: Sequence[Rung], n: int) -> int:
    """Return the steps that n settings make together, with one seed.

    Example:
        >>> steps_of(1000, rungs(1000, 25, 4), 4), steps_of(1000, [], 4)
        (2000, 4000)
    """
    total, left, before = 0, n, 0
    for rung in planned:
        total += left * (rung.step - before)
        left, before = rung.keep, rung.step
    return total + left * (steps - before)
