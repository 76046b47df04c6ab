"""A cell over training: what its parts were when the loss fell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attnviz.analysis.formed import REST, Moment, bands, score_over_training
from attnviz.errors import NotSplit
from attnviz.loading import find_run
from attnviz.training import RECIPES, Recording, Run, RunConfig, record

TEXT = "a c d b e f a c"  # the second a reads c, which stands after the first one
CELL = ("decoder.1.self", 0, 6, 1)
PREVIOUS = "decoder.0.self:0"


def test_the_previous_token_head_comes_into_the_key_when_the_loss_falls(tmp_path: Path) -> None:
    """Olsson et al. 2022: induction forms at once, and with it the loss drops."""
    recipe = RECIPES["induction"]
    training = replace(recipe.training, steps=150, seed=2, validate_every=150, validation_size=8)
    run = Run.create(tmp_path / "fresh", RunConfig(recipe.task, recipe.model, training, Recording(150, sequences=1)))
    record(run)
    loss = {metrics.step: metrics.loss for metrics in run.metrics()}
    moments = score_over_training(run, TEXT, *CELL)
    assert [moment.step for moment in moments] == run.checkpoints()
    early = [moment for moment in moments if 0 < moment.step <= 20]
    assert min(loss[moment.step] for moment in early) > 5 * loss[moments[-1].step]
    assert all(abs(moment.keys[PREVIOUS]) < 0.3 for moment in early)
    last = moments[-1]
    assert last.keys[PREVIOUS] > 1.5
    assert bands(moments, "keys")[0].name == PREVIOUS
    for moment in moments:
        for shares in (moment.queries, moment.keys):
            assert sum(shares.values()) == pytest.approx(moment.above, abs=1e-3)


def test_a_recording_that_kept_its_last_checkpoint_has_one_moment() -> None:
    run = find_run("induction-recorded")
    (moment,) = score_over_training(run, TEXT, *CELL)
    assert moment.step == run.checkpoints()[-1]
    assert moment.weight > 0.9
    assert moment.keys[PREVIOUS] > 0.5 * moment.above


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
