"""Several settings at once on the Training page: their values, seeds, what that takes, and Play for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from importlib.util import find_spec
from math import ceil
from typing import Literal, NamedTuple

import streamlit as st

from attnviz.errors import AttnvizError
from attnviz.models.tuned_config import TunedConfig
from attnviz.server import sweeps, workers
from attnviz.server.planning import PlannedSweep, planned_sweep
from attnviz.training import RunConfig
from attnviz.training.run.settings import Value
from attnviz.training.sweep.plan import Sweep, grid
from attnviz.training.sweep.search import PRUNERS, SAMPLERS, Pruner, Sampler, Span
from attnviz.training.sweep.searcher import search
from attnviz.ui.frame.address import notice_error
from attnviz.ui.frame.choices import entries
from attnviz.ui.frame.head import link_to
from attnviz.ui.frame.language import explain, say
from attnviz.ui.frame.numbers import duration
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.who import me
from attnviz.ui.frame.widgets import Widget, button, segments, select
from attnviz.ui.training.state import TrainingState
from attnviz.ui.training.tuning_said import size
from attnviz.ui.training.varied import METHOD, RATE, Varied

__all__ = ["several_settings"]

PLACES = 3  # settings that are varied at once
NEAR, WIDE = 1, 4  # values beside the present one that are proposed, and that a search may draw between
MOST_RUNS, MOST_SEEDS = 64, 10
LOGARITHMIC = ("learning_rate", "weight_decay")  # a tenth of a value is as far from it as ten times as much

How = Literal["grid", "search"]
HOW = Widget[How]("sweep-how", "grid")
SEEDS = Widget("sweep-seeds", 3)
HALVING = Widget("sweep-halving", False)
TRIALS = Widget("sweep-trials", 20)
SAMPLER = Widget[Sampler]("sweep-sampler", "tpe")
PRUNER = Widget[Pruner]("sweep-pruner", "none")


class Tried(NamedTuple):
    """Values of a setting that are tried.

    Attributes:
        setting: the setting.
        values: all of them, or the ends of a range.
        is_range: whether they are that.
    """

    setting: Varied
    values: Sequence[Value]
    is_range: bool

    def span(self) -> Span:
        """Return what a search draws from.

        Raises:
            SweepRange: the range is empty.
        """
        name = self.setting.field
        if not self.is_range:
            return Span(name, tuple(self.values))
        low, high = (float(value or 0) for value in self.values)
        return Span(name, low=low, high=high, log=name in LOGARITHMIC and low > 0)


def several_settings(settings: Mapping[str, Varied], base: RunConfig | None) -> None:
    """Choose values of some settings, say what training all of them takes, and train them.

    Args:
        settings: those that may be varied, by name; the others stay as in the form.
        base: the run that the form describes; None where there is none.
    """
    with st.expander(say("training.sweep.title"), key="part-sweep"):
        kinds: dict[How, str] = {"grid": say("training.sweep.how.grid"), "search": say("training.sweep.how.search")}
        HOW.value = HOW.value  # one of them is always chosen
        how = segments(say("training.sweep.how"), HOW, kinds, label_visibility="collapsed")
        if how == "search" and find_spec("optuna") is None:
            st.warning(say("training.sweep.no_optuna"))
            return
        st.caption(say(f"training.sweep.about.{how}"))
        tried = _choose_values(settings, how == "search")
        _choose_course(how)
        planned, problem = None, None
        try:
            if base is not None and tried:
                plan = partial(_grid if how == "grid" else _search, base, tried)
                tunes = isinstance(base.model, TunedConfig)
                with st.spinner(say("tuning.measuring")) if tunes else nullcontext():
                    planned = planned_sweep(me(), base, plan, entries(), workers.queue().workers)
        except AttnvizError as error:
            problem = error
        if problem is not None:
            st.warning(explain(problem))
        elif planned is not None:
            _facts(planned)
            if METHOD in settings and _fields(tried) & {METHOD} and not _fields(tried) & {settings[RATE].field}:
                st.caption(say("training.sweep.one_rate", rate=f"{settings[RATE].present:g}"))
        else:
            st.caption(say("training.sweep.empty"))
        n = planned.cost.runs if planned is not None else 0
        label = say(f"training.sweep.play.{how}", n=n) if n else say("training.sweep.play_none")
        button(label, "sweep-play", _begin, planned, icon="playlist_play", width="stretch", disabled=planned is None)
        if name := page_state(TrainingState).sweep:
            link_to("runs", say("training.sweep.look"), "table_chart", sweep=name)


def _fields(tried: Sequence[Tried]) -> set[str]:
    return {each.setting.field for each in tried}


def _choose_values(settings: Mapping[str, Varied], ranges: bool) -> list[Tried]:
    """Choose settings and their values; ranges of some where that is wanted."""
    titles = {"": say("training.sweep.nothing")} | {name: setting.title for name, setting in settings.items()}
    found: list[Tried] = []
    for place in range(PLACES):
        widget = Widget(f"sweep-setting-{place}", "")
        taken = {Widget(f"sweep-setting-{other}", "").value for other in range(place)}
        free = {name: title for name, title in titles.items() if not name or name not in taken}
        widget.hold(free, "")
        name = select(say("training.sweep.setting", n=place + 1), widget, free)
        if not name:
            break
        is_range = ranges and settings[name].is_range
        values = _choose_ends(name, settings[name]) if is_range else _choose_some(name, settings[name])
        if values:
            found.append(Tried(settings[name], values, is_range))
    return found


def _near(setting: Varied, reach: int) -> list[Value]:
    """Return the present value and so many on each side of it."""
    at = setting.offered.index(setting.present)
    return list(setting.offered[max(0, at - reach) : at + reach + 1])


def _choose_some(name: str, setting: Varied) -> list[Value]:
    """Choose some values of a setting: its present one and its neighbours at first."""
    widget = Widget[list[Value] | None](f"sweep-values-{name}", None)
    before = widget.value
    widget.value = [value for value in before or [] if value in setting.offered]
    if before is None or (before and not widget.value):  # those of another form
        widget.value = _near(setting, NEAR)
    st.multiselect(say("training.sweep.values"), setting.offered, format_func=setting.written, **widget.kept)
    return [value for value in setting.offered if value in (widget.value or [])]


def _choose_ends(name: str, setting: Varied) -> Sequence[Value]:
    """Choose the ends of a range: some values to both sides of the present one at first."""
    near = _near(setting, WIDE)
    titles = {value: setting.written(value) for value in setting.offered}
    with st.container(horizontal=True, gap="small"):
        found = []
        for end, first in (("low", near[0]), ("high", near[-1])):
            widget = Widget(f"sweep-{end}-{name}", first)
            widget.value = widget.value if widget.value in titles else first
            found.append(select(say(f"training.sweep.{end}"), widget, titles))
    return found


def _choose_course(how: How) -> None:
    """Choose how many are tried, and whether the poorer ones are stopped early."""
    if how == "search":
        TRIALS.value = TRIALS.value
        st.number_input(say("training.sweep.trials"), 1, MOST_RUNS, step=1, **TRIALS.kept)
    SEEDS.value = SEEDS.value  # its default is not the least
    st.number_input(say("training.sweep.seeds"), 1, MOST_SEEDS, step=1, **SEEDS.kept)
    if how == "grid":
        st.toggle(say("training.sweep.halving"), help=say("training.sweep.halving.help"), **HALVING.kept)
        return
    samplers = {name: say(f"training.sweep.sampler.{name}") for name in SAMPLERS}
    select(say("training.sweep.sampler"), SAMPLER, samplers, help=say("training.sweep.sampler.help"))
    pruners = {name: say(f"training.sweep.pruner.{name}") for name in PRUNERS}
    select(say("training.sweep.pruner"), PRUNER, pruners, help=say("training.sweep.pruner.help"))


def _grid(base: RunConfig, tried: Sequence[Tried]) -> tuple[Sweep, list[RunConfig]]:
    values = {each.setting.field: each.values for each in tried}
    return grid(base, values, SEEDS.value, HALVING.value, MOST_RUNS)


def _search(base: RunConfig, tried: Sequence[Tried]) -> tuple[Sweep, list[RunConfig]]:
    return search(
        base,
        [each.span() for each in tried],
        TRIALS.value,
        sampler=SAMPLER.value,
        pruner=PRUNER.value,
        at_once=ceil(workers.queue().workers / SEEDS.value),
        seeds=SEEDS.value,
        most=MOST_RUNS,
    )


def _facts(planned: PlannedSweep) -> None:
    """Say how many runs there are, and what they take."""
    cost, sweep = planned.cost, planned.sweep
    how = "grid" if sweep.search is None else "search"
    words = {"n": cost.runs, "steps": f"{cost.steps:,}", "time": duration(cost.seconds)}
    st.caption(say(f"training.sweep.facts.{how}", **words))
    if isinstance(planned.configs[0].model, TunedConfig):
        st.caption(say("training.sweep.memory", memory=size(planned.memory), disk=size(planned.disk)))
    if cost.there:
        st.caption(say("training.sweep.there", n=cost.there))
    if sweep.halving:
        looks = [say("training.sweep.rung", step=f"{step:,}", n=keep) for step, keep in sweep.halving]
        st.caption(say("training.sweep.rungs", looks=looks))
    if sweep.search is not None:
        st.caption(say("training.sweep.together", n=sweep.search.at_once))
        if sweep.search.looks:
            st.caption(say("training.sweep.looks", steps=[f"{step:,}" for step in sweep.search.looks]))


def _begin(planned: PlannedSweep) -> None:
    """Train all of them, and keep the link to the group."""
    try:
        sweeps.begin(me(), planned.sweep, planned.configs, planned.found)
        page_state(TrainingState).sweep = planned.sweep.name
    except AttnvizError as error:
        notice_error(error)
