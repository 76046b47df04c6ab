"""A sweep on the Runs page: what its settings lead to, with what spread over the seeds, and at what cost."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from attnviz.analysis.scores import SHARES, score_number, score_text
from attnviz.errors import AttnvizError
from attnviz.figures.sweep import Dimension, parallel
from attnviz.locale import listed, sentences
from attnviz.server import sweeps, workers
from attnviz.server.people.rights import may_look, offers
from attnviz.server.shelf import Entry
from attnviz.tasks.base import LOSSES, Metric
from attnviz.training import Run, runs_root
from attnviz.training.run.settings import Value
from attnviz.training.sweep.export import sweep_csv, tensorboard_runs
from attnviz.training.sweep.members import Member, Outcome, best_member, metric_of, outcomes
from attnviz.training.sweep.plan import Sweep, all_sweeps, delete_sweep
from attnviz.ui.frame.address import notice_error
from attnviz.ui.frame.charts import CHART, theme
from attnviz.ui.frame.choices import entries
from attnviz.ui.frame.language import current, say
from attnviz.ui.frame.numbers import duration
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.table import Row, Table
from attnviz.ui.frame.titles import run_title
from attnviz.ui.frame.watch import Told, obey
from attnviz.ui.frame.who import me
from attnviz.ui.frame.widgets import button, select
from attnviz.ui.runs.settings import told_setting, told_value
from attnviz.ui.runs.state import RunsState

__all__ = ["choose_sweep", "seen_sweeps", "show_sweep"]

EVERY = "2s"
MOST = 8  # rows that are seen at once
COMPARED = 16  # curves on one chart
STAYS: Literal["ignore"] = "ignore"  # a download does not draw the page again


def seen_sweeps(found: Sequence[Entry]) -> dict[str, Sweep]:
    """Return the sweeps of which there are runs that this person sees, the newest first."""
    digests = {entry.run.config.digest for entry in found if entry.run is not None}
    mine = me()
    return {
        sweep.name: sweep
        for sweep in all_sweeps()
        if isinstance(sweep, Sweep)
        if any(run.digest in digests for run in sweep.runs) and may_look(mine, runs_root() / sweep.runs[0].name)
    }


def choose_sweep(found: Mapping[str, Sweep]) -> None:
    """Choose a sweep, or all runs; nothing where there is no sweep."""
    titles = {"": say("runs.sweep.none")} | {name: _title(sweep) for name, sweep in found.items()}
    RunsState.sweep.hold(titles, "")
    if found:
        select(say("runs.sweep.choose"), RunsState.sweep, titles, width=420)


def _title(sweep: Sweep) -> str:
    return say("runs.sweep.title", name=sweep.name, settings=list(map(told_setting, sweep.keys)))


def show_sweep(sweep: Sweep) -> None:
    """Show a sweep; it is drawn again by itself as long as one of its runs is alive."""
    members = sweeps.of_entries(sweep, entries())
    alive = sweep.kept or any(member.state is not None and member.state.active for member in members)
    st.fragment(_shown, run_every=EVERY if alive else None)(sweep.name, alive)


def _shown(name: str, was_alive: bool) -> None:
    found = entries()
    sweep = seen_sweeps(found).get(RunsState.sweep.value)
    if sweep is None or sweep.name != name:  # a run was opened, or its last run or the sweep itself deleted
        st.rerun()
    members = sweeps.of_entries(sweep, found)
    active = any(member.state is not None and member.state.active for member in members)
    if (sweep.kept or active) != was_alive:
        st.rerun()
    metric = metric_of(members)
    _said(sweep, members, metric)
    _actions(sweep, members, was_alive)
    results = outcomes(sweep, members)
    _table(sweep, results, metric)
    _chart(sweep, members, metric)


def _said(sweep: Sweep, members: Sequence[Member], metric: Metric) -> None:
    """Say what is varied, how far it has come, what it cost, and which run is the best."""
    base = next((member.run.config for member in members if member.run is not None), None)
    if base is not None:
        st.header(say("runs.sweep.header", task=run_title(base)), anchor=False)
    states = Counter(_state(member) for member in members)
    said = [f"{n} {say(f'runs.state.{state}')}" for state, n in states.items()]
    seconds = sum(member.seen.seconds for member in members)
    facts = [say("runs.sweep.facts", n=len(members), states=said, time=duration(seconds))]
    if (plan := sweep.search) is not None:
        words = {
            "sampler": say(f"runs.sweep.sampler.{plan.sampler}"),
            "n": len(sweep.combinations),
            "most": plan.trials,
        }
        facts.append(say("runs.sweep.search", **words))
    st.caption(sentences(facts))
    best = best_member(members)
    if best is not None and best.run is not None and best.seen.best is not None:
        words = {"metric": _metric(metric), "score": score_text(metric, best.seen.best)}
        with st.container(key="sweep-best"):
            settings = [*_settings(sweep, best.planned.values), f"{say('runs.seed')} {best.planned.seed}"]
            label = say("runs.sweep.best", **words, settings=settings)
            button(label, "sweep-open-best", _open, [best.run.name], icon="star", type="tertiary")


def _state(member: Member) -> str:
    if member.state is None:
        return "missing"
    return member.state.by or member.state.state


def _settings(sweep: Sweep, values: Sequence[Value]) -> list[str]:
    """Name the settings that are varied, each with its value."""
    return [f"{told_setting(key)} {told_value(key, value)}" for key, value in zip(sweep.keys, values, strict=True)]


def _metric(metric: Metric) -> str:
    return say(f"applications.metric.{metric.replace(' ', '-')}")


def _actions(sweep: Sweep, members: Sequence[Member], alive: bool) -> None:
    """Offer what can be done with a sweep."""
    runs = [member.run for member in members if member.run is not None]
    changes = sweeps.may_change(me(), members)
    resumable = [m for m in members if m.state is not None and m.state.resumable and not m.state.poor]
    with st.container(horizontal=True, key="sweep-actions", gap="small", vertical_alignment="center"):
        if changes and alive:
            button(say("runs.sweep.stop"), "sweep-stop", _stop, sweep, members, icon="stop")
        elif changes and resumable:
            button(say("runs.sweep.go_on"), "sweep-go-on", _go_on, sweep, members, icon="resume")
        chosen = [m.run for m in sorted(members, key=lambda m: m.state is None or m.state.poor) if m.run]
        names = [run.name for run in chosen[:COMPARED]]
        button(say("runs.sweep.curves"), "sweep-curves", _open, names, icon="show_chart")
        if changes and offers(me(), "export"):
            with st.popover(say("runs.export"), icon=":material/download:", key="sweep-export"):
                _downloads(sweep, members, runs)
        if changes and not alive:
            button(say("runs.sweep.forget"), "sweep-forget", _forget, sweep.name, icon="folder_off")


def _downloads(sweep: Sweep, members: Sequence[Member], runs: Sequence[Run]) -> None:
    files: dict[str, tuple[Callable[[], str | bytes], str, str]] = {
        "runs.sweep.csv": (lambda: sweep_csv(sweep, members), f"{sweep.name}.csv", "text/csv"),
        "runs.file.tensorboard": (lambda: _tensorboard(runs), f"{sweep.name}-tensorboard.zip", "application/zip"),
    }
    with st.container(gap="xxsmall"):
        for label, (made, name, kind) in files.items():
            st.download_button(say(label), made, name, kind, key=label, type="tertiary", on_click=STAYS)


def _tensorboard(runs: Sequence[Run]) -> bytes:
    """Return the event files of runs as a zip."""
    with TemporaryDirectory() as folder:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in tensorboard_runs(runs, Path(folder)):
                archive.write(path, path.relative_to(folder).as_posix())
    return file.getvalue()


def _open(names: list[str]) -> None:
    """Show runs in place of the group."""
    page_state(RunsState).chosen = names
    RunsState.sweep.value = ""


def _stop(sweep: Sweep, members: Sequence[Member]) -> None:
    try:
        for member in sweeps.stop(sweep, members):
            if member.run is not None:
                obey(workers.queue(), member.run, Told("stop"))
    except AttnvizError as error:
        notice_error(error)


def _go_on(sweep: Sweep, members: Sequence[Member]) -> None:
    try:
        sweeps.go_on(sweep, members)
    except AttnvizError as error:
        notice_error(error)


def _forget(name: str) -> None:
    try:
        delete_sweep(name)
    except AttnvizError as error:
        notice_error(error)
    RunsState.sweep.value = ""


def _table(sweep: Sweep, results: Sequence[Outcome], metric: Metric) -> None:
    """Show a row for each combination, the best first; its button opens its best run."""
    columns = _columns(sweep, metric)
    rows = {str(number): _row(sweep, result, metric) for number, result in enumerate(results)}

    def open_best(row: str) -> None:
        best = best_member(results[int(row)].members) or next(
            (member for member in results[int(row)].members if member.run is not None), None
        )
        if best is not None and best.run is not None:
            _open([best.run.name])

    Table(
        "sweep-table",
        say("runs.sweep.caption"),
        columns,
        lambda chosen: open_best(chosen[0]) if chosen else None,
        lambda _, row: open_best(row),
        "single-row",
        MOST,
    ).show(rows, ())


def _columns(sweep: Sweep, metric: Metric) -> dict[str, ColumnConfig]:
    column = st.column_config
    name = say("runs.percent", metric=_metric(metric)) if metric in SHARES else _metric(metric)
    numbers = {"mean": say("runs.sweep.mean", metric=name), "spread": say("runs.sweep.spread")}
    numbers |= {"low": say("runs.sweep.low"), "high": say("runs.sweep.high")}
    return {
        "settings": column.TextColumn(
            listed(current(), map(told_setting, sweep.keys)) if sweep.keys else say("runs.sweep.settings"), width=240
        ),
        **{key: column.NumberColumn(label, format="%.3g") for key, label in numbers.items()},
        "runs": column.NumberColumn(say("runs.sweep.runs"), format="%d"),
        "seconds": column.NumberColumn(say("runs.sweep.seconds"), format="%.3g"),
        "state": column.MultiselectColumn(say("runs.state"), width=180),
    }


def _row(sweep: Sweep, result: Outcome, metric: Metric) -> Row:
    scores = {"mean": result.mean, "low": result.low, "high": result.high}
    cells: dict[str, Any] = {
        "settings": listed(
            current(), (told_value(key, value) for key, value in zip(sweep.keys, result.values, strict=True))
        )
        if sweep.keys
        else say("runs.sweep.all_alike"),
        **{name: None if score is None else score_number(metric, score) for name, score in scores.items()},
        "spread": None if result.spread is None else result.spread * (100 if metric in SHARES else 1),
        "runs": sum(member.run is not None for member in result.members),
        "seconds": result.seconds,
        "state": [f"{n} {say(f'runs.state.{state}')}" for state, n in Counter(map(_state, result.members)).items()],
    }
    color = "#808080" if result.stopped_by else "#0072b2"
    title = listed(current(), _settings(sweep, result.values)) if sweep.keys else ""
    return Row(cells, {"open": say("runs.sweep.open")}, color, title)


def _chart(sweep: Sweep, members: Sequence[Member], metric: Metric) -> None:
    """Show a line for each run through its settings to its score."""
    scored = [member for member in members if member.seen.best is not None]
    if len(scored) < 2:
        return
    scores = [score_number(metric, member.seen.best or 0.0) for member in scored]
    axes = []
    ranges = {span.name: span for span in (sweep.search.spans if sweep.search else ()) if not span.choices}
    for place, key in enumerate(sweep.keys):
        if span := ranges.get(key):
            drawn = [float(m.planned.values[place] or 0) for m in scored]
            axes.append(Dimension(told_setting(key), drawn, log=span.log))
            continue
        choices = sorted({run.values[place] for run in sweep.runs}, key=_order)
        ticks = [told_value(key, value) for value in choices]
        axes.append(Dimension(told_setting(key), [choices.index(m.planned.values[place]) for m in scored], ticks))
    name = say("runs.percent", metric=_metric(metric)) if metric in SHARES else _metric(metric)
    axes.append(Dimension(say("runs.sweep.seconds"), [member.seen.seconds for member in scored]))
    axes.append(Dimension(name, scores))
    st.markdown(f"**{say('runs.sweep.parallel')}**")
    st.caption(say("runs.sweep.parallel.about"))
    with st.container(key="sweep-chart"):
        st.plotly_chart(parallel(axes, scores, metric in LOSSES, theme()), key="sweep-parallel", **CHART)


def _order(value: Value) -> tuple[bool, float, str]:
    number = float(value) if isinstance(value, int | float) else 0.0
    return value is None, number, str(value)
