"""Confidence intervals of scores, and how scores are written."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from attnviz.tasks.base import LOSSES, Metric
from attnviz.training.engine.loop import Evaluation

__all__ = ["SHARES", "Interval", "rounded", "score_interval", "score_number", "score_text", "wilson"]

SHARES: tuple[Metric, ...] = ("exact match", "accuracy", "hit rate")  # metrics that are a share of answers

NORMAL = 1.959963984540054  # 95 % of a normal distribution lie within so many standard deviations


class Interval(NamedTuple):
    """A 95 % confidence interval.

    Attributes:
        low: lower end.
        high: upper end.
    """

    low: float
    high: float


def wilson(right: float, n: float) -> Interval:
    """Return the 95 % interval of a share, from how often something was right in n independent tries.

        (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n),  p = right / n, z = 1.96

    Unlike p +- z sqrt(p (1 - p) / n) it has a width even where all were right.

    Raises:
        ValueError: n is not above 0, or `right` not from 0 to n.

    Source:
        Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".

    Example:
        >>> [round(end, 3) for end in wilson(191, 194)]
        [0.956, 0.995]
    """
    if not (n > 0 and 0 <= right <= n):
        raise ValueError(f"{right} of {n} is no share")
    p, z = right / n, NORMAL
    middle = p + z**2 / (2 * n)
    width = z * sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = (middle - width) / (1 + z**2 / n), (middle + width) / (1 + z**2 / n)
    return Interval(max(0.0, low), min(1.0, high))


def score_interval(metric: Metric, found: Evaluation) -> Interval | None:
    """Return the 95 % interval of a score; None for metrics that count nothing ("nats per symbol", "R2").

    "accuracy", "exact match" and "hit rate": `wilson` of the share, with a try for each sequence, for the positions of
    one sequence do not err independently. "F1": `wilson` of F* = right / (right + missed + wrongly found), which is a
    share, and F1 = 2 F* / (1 + F*), which rises with it.

    Source:
        "F1" by "F*": Hand, Christen and Kirielle 2021, "F*: an interpretable transformation of the F-measure".

    Example:
        >>> found = Evaluation(loss=0.1, accuracy=191 / 194, n=194, tally=(191.0, 194.0))
        >>> [round(end, 3) for end in score_interval("accuracy", found)]
        [0.956, 0.995]
    """
    if metric in (*LOSSES, "R2") or not found.n:
        return None
    if metric == "F1":
        right, said, true = found.tally
        if not said + true - right:
            return None
        low, high = wilson(right, said + true - right)
        return Interval(2 * low / (1 + low), 2 * high / (1 + high))
    n = found.tally[1] if metric == "exact match" else found.n  # of walks, those that are judged
    return wilson(found.accuracy * n, n) if n else None


def rounded(score: float, digits: int = 3, percent: bool = False) -> str:
    """Return a score in so many decimals; what is not quite 1 is never written as 1.

    Example:
        >>> rounded(0.98453), rounded(0.99951), rounded(1.0), rounded(0.99951, 1, percent=True)
        ('0.985', '> 0.999', '1.000', '> 99.9%')
    """
    shown, kind = (digits + 2, "%") if percent else (digits, "f")
    step = 10**-shown
    if 1 - step / 2 <= score < 1:
        return f"> {1 - step:.{digits}{kind}}"
    return f"{score:.{digits}{kind}}"


def score_text(metric: Metric, score: float) -> str:
    """Return a score as it is told: in percent where it is a share of answers.

    Example:
        >>> score_text("accuracy", 0.98453), score_text("F1", 0.98453), score_text("nats per symbol", 0.3891)
        ('98.5%', '0.985', '0.389')
    """
    if metric in LOSSES:
        return f"{score:.3f}"
    return rounded(score, 1, percent=True) if metric in SHARES else rounded(score)


def score_number(metric: Metric, score: float) -> float:
    """Return a score to write in three digits: a share in percent; what is below 1 is not rounded up to 1.

    Example:
        >>> score_number("exact match", 0.25), score_number("F1", 0.99951), score_number("nats per symbol", 0.99951)
        (25.0, 0.9994, 0.99951)
    """
    if metric not in LOSSES and score < 1:
        score = min(score, 0.9994)
    return 100 * score if metric in SHARES else score
