"""Intervals: against scipy's, at the ends, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from attnviz.analysis.scores import Interval, rounded, score_interval, wilson
from attnviz.training import Evaluation


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (191, 194), (12, 33), (5000, 10_000), (0, 50)])
def test_wilson_is_the_one_of_scipy(right: int, n: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    known = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert wilson(right, n) == pytest.approx((known.low, known.high), abs=1e-9)


def test_wilson_holds_the_truth_as_often_as_it_says() -> None:
    drawn = np.random.default_rng(0).binomial(194, 0.97, 4000)
    held = [low <= 0.97 <= high for low, high in (wilson(int(right), 194) for right in drawn)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.025)


@pytest.mark.parametrize(("right", "n"), [(1, 0), (-1, 5), (6, 5), (float("nan"), 5)])
def test_what_is_no_share_is_refused(right: float, n: float) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(right, n)


def test_f1_has_the_interval_of_its_share() -> None:
    """8 right of 10 found and 9 true ones: 11 entities in all, F* = 8 / 11."""
    low, high = wilson(8, 11)
    found = Evaluation(0.0, 16 / 19, n=5, tally=(8.0, 10.0, 9.0))
    assert score_interval("F1", found) == Interval(2 * low / (1 + low), 2 * high / (1 + high))
    assert low < 8 / 11 < high


def test_several_positions_of_a_sequence_are_one_try() -> None:
    found = Evaluation(0.0, 0.9, n=10, tally=(90.0, 100.0))
    assert score_interval("accuracy", found) == wilson(9, 10)


@pytest.mark.parametrize("metric", ["nats per symbol", "R2"])
def test_what_counts_nothing_has_none(metric: str) -> None:
    assert score_interval(metric, Evaluation(0.4, 0.9, n=10, tally=(9.0, 10.0))) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("score", "digits", "percent", "text"),
    [
        (0.9995, 3, False, "> 0.999"),
        (0.99949, 3, False, "0.999"),
        (1.0, 3, False, "1.000"),
        (0.99999, 1, True, "> 99.9%"),
        (0.9846, 1, True, "98.5%"),
        (1.0, 1, True, "100.0%"),
        (0.9998, 4, False, "0.9998"),
        (1.2, 3, False, "1.200"),
        (-0.3, 3, False, "-0.300"),
    ],
)
def test_not_quite_one_is_not_written_as_one(score: float, digits: int, percent: bool, text: str) -> None:
    assert rounded(score, digits, percent) == text
