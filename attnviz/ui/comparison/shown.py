"""Content of the Compare page: cost, learning curves and memory of six networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import streamlit as st

from attnviz.analysis.scores import score_text
from attnviz.errors import AttnvizError
from attnviz.figures import comparison as figures
from attnviz.loading import checkpoint_name
from attnviz.locale import sentences
from attnviz.models.convolutional_config import ConvolutionalConfig, layers_to_cover
from attnviz.server.shelf import Entry
from attnviz.tasks.base import Metric
from attnviz.tasks.sequences.first import N_SYMBOLS
from attnviz.training import Run, RunConfig
from attnviz.training.comparison import (
    CONTENDERS,
    Contender,
    Curve,
    Facts,
    configs,
    curve_of,
    distance_of,
    place_of,
    reach_at_start,
    read_curves,
    trained_shape,
)
from attnviz.training.engine.estimate import seconds_per_step
from attnviz.training.recipes import Recipe
from attnviz.ui.comparison.state import FIRST, ComparisonState
from attnviz.ui.frame.charts import CHART, theme
from attnviz.ui.frame.choices import entries
from attnviz.ui.frame.head import link_to
from attnviz.ui.frame.language import current, say
from attnviz.ui.frame.markdown import table
from attnviz.ui.frame.numbers import short
from attnviz.ui.frame.receptive import sees
from attnviz.ui.frame.titles import task_title
from attnviz.zoo import FOLDER

__all__ = ["expected_seconds", "groups", "planned", "reach", "shown"]

MEASURED = FOLDER / "comparisons" / "first-symbol.json"


@dataclass(frozen=True)
class Row:
    """A contender on the page.

    Attributes:
        contender: name of the contender.
        config: configuration of its run, or of the one that would be made.
        entry: its run; None where there is none (yet, or any more).
        curve: how it did.
        before: whether the curve was measured before, elsewhere.
    """

    contender: Contender
    config: RunConfig
    entry: Entry | None = None
    curve: Curve | None = None
    before: bool = False


def groups(recipe: Recipe, found: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Runs that were made together for a task, by the name they share, the newest first."""
    groups: dict[str, list[Entry]] = {}
    for entry in found:
        place = place_of(entry.name)
        if place is not None and (entry.run is None or entry.run.config.recipe == recipe.name):
            groups.setdefault(place[0], []).append(entry)
    return {name: runs for name, runs in groups.items() if any(entry.run for entry in runs)}


def planned(recipe: Recipe) -> dict[Contender, RunConfig]:
    """Return the six runs that the controls choose."""
    return configs(recipe, ComparisonState.steps.value, ComparisonState.seed.value)


def expected_seconds(recipe: Recipe) -> float:
    """Estimate the seconds that training all six takes on this machine."""
    return sum(config.training.steps * expected_per_step(config) for config in planned(recipe).values())


def expected_per_step(config: RunConfig) -> float:
    """Return the seconds of a step, from the speed of this machine."""
    return seconds_per_step(trained_shape(config.model, config.task), config.training.batch_size)


def shown(recipe: Recipe, group: str, alive: set[str]) -> None:
    """Table, curves and distances; drawn again by itself as long as a run of the group is alive."""
    runs = groups(recipe, entries()).get(group, [])
    if {entry.name for entry in runs if entry.active} != alive:
        st.rerun()  # what can be done is another thing now; and with the last run, the clock stops
    measured, before = _measured() if recipe.name == FIRST else ({}, [])
    distance = distance_of(recipe.task)
    rows = _rows(recipe, runs, [curve for curve in before if curve.distance == distance])
    live = [row.curve for row in rows if row.curve is not None and not row.before]
    _said(recipe, runs, rows, measured)
    metric = recipe.task.metric
    st.container(key="comparison-table").markdown(_table(rows, metric))
    st.caption(say("comparison.facts"))
    _sight(recipe, rows)
    _links(rows)
    earlier = [curve for curve in before if curve.distance == distance]
    if live or earlier:
        with st.container(horizontal=True, key="comparison-curves", gap="medium"):
            for over in ("step", "seconds"):
                figure = figures.learning(live, earlier, over, metric, theme(), current())
                st.container(key=f"comparison-{over}", width="stretch").plotly_chart(
                    figure, key=f"cmp-{over}-chart", **CHART
                )
    if recipe.name == FIRST:
        _distances(runs, before)


def _rows(recipe: Recipe, runs: Sequence[Entry], before: Sequence[Curve]) -> list[Row]:
    """Return the six contenders: their runs at this distance, where they have one; else what was measured before."""
    would_be = planned(recipe)
    mine = {place[1]: e for e in runs if (place := place_of(e.name)) is not None and _is_at(e, recipe)}
    earlier = {curve.contender: curve for curve in before} if not runs else {}
    rows = []
    for name in CONTENDERS:
        entry = mine.get(name)
        if entry is not None and entry.run is not None:
            rows.append(Row(name, entry.run.config, entry, _curve(entry.run, name)))
        else:
            curve = earlier.get(name)
            rows.append(Row(name, would_be[name], entry, curve, curve is not None))
    return rows


def _is_at(entry: Entry, recipe: Recipe) -> bool:
    """Whether a run learns the very task, at that distance."""
    return entry.run is not None and entry.run.config.task == recipe.task


def _curve(run: Run, contender: Contender) -> Curve | None:
    """Read the metrics of a run; None, which the table says, if they cannot be read."""
    try:
        stamp = run.metrics_path.stat()
    except OSError:  # not begun, or deleted a moment ago
        return Curve(contender, distance_of(run.config.task), run.config.training.seed)
    try:
        return _read(run, contender, stamp.st_mtime_ns, stamp.st_size)
    except AttnvizError:
        return None


@lru_cache(256)
def _read(run: Run, contender: Contender, changed: int, size: int) -> Curve:
    return curve_of(run, contender)


@lru_cache(1)
def _measured() -> tuple[dict[str, Any], list[Curve]]:
    """Return the measurements that are shipped, with how they were made."""
    return read_curves(MEASURED)


def _said(recipe: Recipe, runs: Sequence[Entry], rows: Sequence[Row], measured: Mapping[str, Any]) -> None:
    """Say what the curves show, and where they come from."""
    if not runs and measured:
        st.info(say("comparison.shipped", **_how(measured)))
        return
    if not runs:
        st.info(say("comparison.empty"))
        return
    said = []
    trained = [row.config.training for row in rows if row.entry is not None]
    if trained:
        (training, *_), target = trained, trained[0].target
        numbers = {"seed": training.seed, "steps": f"{training.steps:,}", "batch": training.batch_size}
        said.append(say("comparison.of", title=task_title(recipe.name), **numbers))
        said += [] if target is None else [say("comparison.target", target=score_text(recipe.task.metric, target))]
    elif recipe.name == FIRST:
        distances = sorted({distance_of(entry.run.config.task) for entry in runs if entry.run is not None})
        st.info(say("comparison.none_at", distances=distances))
    if measured:
        said.append(say("comparison.beside", **_how(measured)))
    st.caption(sentences(said))


def _how(measured: Mapping[str, Any]) -> dict[str, Any]:
    _, curves = _measured()
    seeds = sorted({curve.seed for curve in curves})
    return {**{name: str(value) for name, value in measured.items()}, "seeds": seeds, "steps": f"{measured['steps']:,}"}


COLUMNS = ("network", "width", "parameters", "flops", "bytes", "expected", "measured", "best", "state")


def _table(rows: Sequence[Row], metric: Metric) -> str:
    """Return a row for each contender."""
    lines = []
    for row in rows:
        facts, curve = Facts.of(row.config), row.curve
        best = None if curve is None else curve.best(metric)
        took = None if curve is None else curve.seconds_per_step
        lines.append(
            [
                figures.contender_name(row.contender, current()),
                str(row.config.model.d_model),
                f"{facts.parameters:,}",
                short(facts.flops),
                f"{short(facts.bytes)}B",
                _milliseconds(expected_per_step(row.config)),
                "–" if took is None else _milliseconds(took),
                "–" if best is None else score_text(metric, best),
                _state(row),
            ]
        )
    return table([say(f"comparison.column.{name}") for name in COLUMNS], lines, "lrrrrrrrl")


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms"


def _state(row: Row) -> str:
    """Say how far a contender's run has come."""
    entry = row.entry
    if entry is None:
        return say("comparison.state.measured" if row.before else "comparison.state.new")
    if entry.state is None or row.curve is None:
        return say("comparison.state.unreadable")
    state = say(f"runs.state.{entry.state.state}")
    if entry.place is not None:
        return say("comparison.state.place", state=state, n=entry.place)
    return say("comparison.state.at", state=state, step=f"{entry.step:,}")


def _sight(recipe: Recipe, rows: Sequence[Row]) -> None:
    """Say how far the convolutional network sees; of the first symbol also whether that is enough, and how it did."""
    row = next(row for row in rows if row.contender == "cnn")
    model = row.config.model
    assert isinstance(model, ConvolutionalConfig)
    if recipe.name != FIRST:
        st.caption(sees(cast(ConvolutionalConfig, trained_shape(model, row.config.task))))
        return
    distance, before = distance_of(recipe.task), model.reach[0]
    numbers = {"layers": model.n_layers, "kernel": model.kernel_size, "before": before, "distance": distance}
    last = None if row.curve is None else row.curve.last
    said = [say(f"comparison.sight.{'in' if distance <= before else 'out'}", **numbers, chance=f"{1 / N_SYMBOLS:.1%}")]
    said += [] if last is None else [say("comparison.sight.last", last=score_text(recipe.task.metric, last))]
    with st.container(horizontal=True, key="comparison-sight", gap="small", vertical_alignment="center"):
        st.markdown(sentences(said), width="content")
        if distance > before:
            n = layers_to_cover(distance, model.kernel_size, model.dilation, causal=False)
            link = {"recipe": FIRST, "network": "cnn", "layers": str(n), "task": f"distance:{distance}"}
            link_to("training", say("comparison.sight.more", n=n), **link)


def _links(rows: Sequence[Row]) -> None:
    """Link to each run, to a chart of all of them, and to the Explorer for those with attention weights."""
    runs = [(row.contender, row.entry.run) for row in rows if row.entry is not None and row.entry.run is not None]
    if not runs:
        return
    with st.container(horizontal=True, key="comparison-links", gap="small", vertical_alignment="center"):
        st.caption(say("comparison.look"), width="content")
        for name, run in runs:
            link_to("runs", figures.contender_name(name, current()), run=run.name)
        link_to("runs", say("comparison.all_runs"), run=",".join(run.name for _, run in runs))
    kept = [(name, run, steps[-1]) for name, run in runs if (steps := run.checkpoints())]
    if kept:
        with st.container(horizontal=True, key="comparison-inside", gap="small", vertical_alignment="center"):
            st.caption(say("comparison.look_inside"), width="content")
            for name, run, step in kept:
                link_to("explorer", figures.contender_name(name, current()), model=checkpoint_name(run, step))


def _distances(runs: Sequence[Entry], before: Sequence[Curve]) -> None:
    """Show accuracy over the distance, of this comparison and of what was measured before."""
    st.markdown(say("comparison.distance.about"))
    curves = [
        curve
        for entry in runs
        if entry.run is not None and (place := place_of(entry.name)) is not None
        if (curve := _curve(entry.run, place[1])) is not None
    ]
    figure = figures.by_distance(curves, before, 1 / N_SYMBOLS, theme(), current())
    st.plotly_chart(figure, key="cmp-distance-chart", **CHART)


def reach(recipe: Recipe) -> None:
    """Show how much of the answer's gradient reaches each token, computed now."""
    st.markdown(say("comparison.reach.about"))
    norms = reach_at_start(recipe, ComparisonState.seed.value)
    letters = {name: values[1:] for name, values in norms.items()}  # `<bos>` is none
    st.plotly_chart(figures.reach(letters, theme(), current()), key="cmp-reach-chart", **CHART)
