"""A cell over training: what its parts were when the loss fell."""

from __future__ import annotations

import pytest

from attnviz.analysis.formed import REST, Moment, bands, score_over_training
from attnviz.errors import NotSplit
from attnviz.loading import find_run

TEXT = "a c d b e f a c"  # the second a reads c, which stands after the first one
CELL = ("decoder.1.self", 0, 6, 1)
PREVIOUS = "decoder.0.self:0"


def test_the_previous_token_head_comes_into_the_key_when_the_loss_falls() -> None:
    """Olsson et al. 2022: induction forms at once, and with it the loss drops."""
    run = find_run("induction-recorded")
    loss = {metrics.step: metrics.loss for metrics in run.metrics()}
    moments = score_over_training(run, TEXT, *CELL)
    assert [moment.step for moment in moments] == run.checkpoints()
    at = {moment.step: moment for moment in moments}
    before, behind, last = at[50], at[100], moments[-1]
    assert loss[behind.step] < 0.1 * loss[before.step]
    assert abs(at[0].keys[PREVIOUS]) < 0.3
    assert before.keys[PREVIOUS] < 0.3 * behind.keys[PREVIOUS]
    assert last.keys[PREVIOUS] > 0.5 * last.above
    assert before.weight < behind.weight
    assert last.weight > 0.9
    assert bands(moments, "keys")[0].name == PREVIOUS
    for moment in moments:
        for shares in (moment.queries, moment.keys):
            assert sum(shares.values()) == pytest.approx(moment.above, abs=1e-3)


def test_small_parts_are_one_band_and_nothing_is_lost() -> None:
    keys = [{"a": 0.1, "b": -4.0, "c": 1.0, "d": 0.2}, {"a": 0.3, "b": 2.0, "e": 0.5, "d": 0.0}]
    moments = [Moment(step, 0.5, sum(shares.values()), {}, shares) for step, shares in enumerate(keys)]
    found = bands(moments, "keys", most=2)
    assert [band.name for band in found] == ["b", "c", REST]
    for step, moment in enumerate(moments):
        assert sum(band.shares[step] for band in found) == pytest.approx(moment.above)
    assert [band.name for band in bands(moments, "keys", most=4)] == ["b", "c", "e", "a", "d"]
    assert bands([], "keys") == []


def test_a_key_that_may_not_be_read_is_refused() -> None:
    with pytest.raises(NotSplit):
        score_over_training(find_run("induction-recorded"), TEXT, "decoder.1.self", 0, 1, 6)
