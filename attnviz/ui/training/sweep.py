"""Several settings at once on the Training page: their values, seeds, what that takes, and Play for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from attnviz.errors import AttnvizError
from attnviz.server import sweeps, workers
from attnviz.server.people.rights import check_start
from attnviz.training import RunConfig
from attnviz.training.sweep.cost import Cost, expected, step_seconds
from attnviz.training.sweep.members import Member
from attnviz.training.sweep.plan import Sweep, grid
from attnviz.ui.frame.address import notice_error
from attnviz.ui.frame.choices import entries
from attnviz.ui.frame.head import link_to
from attnviz.ui.frame.language import explain, say
from attnviz.ui.frame.numbers import duration
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.who import me
from attnviz.ui.frame.widgets import Widget, button, select
from attnviz.ui.training.controls import written
from attnviz.ui.training.draft import SETTINGS, TRAINING, Draft, Value
from attnviz.ui.training.state import TrainingState

__all__ = ["several_settings"]

PLACES = 3  # settings that are varied at once
NEAR = 1  # values beside the present one that are proposed
MOST_RUNS, MOST_SEEDS = 64, 10
SEEDS = Widget("sweep-seeds", 3)
HALVING = Widget("sweep-halving", False)


class Planned(NamedTuple):
    """A sweep as the controls have it."""

    sweep: Sweep
    configs: list[RunConfig]
    found: list[Member]
    cost: Cost


def several_settings(draft: Draft, base: RunConfig | None) -> None:
    """Choose values of some settings, say what training all of them takes, and train them.

    Args:
        draft: as the other controls stand: what is not varied is as there.
        base: the run that it describes; None where there is none.
    """
    with st.expander(say("training.sweep.title"), key="part-sweep"):
        st.caption(say("training.sweep.about"))
        values = _values(draft)
        SEEDS.value = SEEDS.value  # its default is not the least
        st.number_input(say("training.sweep.seeds"), 1, MOST_SEEDS, step=1, **SEEDS.kept)
        st.toggle(say("training.sweep.halving"), help=say("training.sweep.halving.help"), **HALVING.kept)
        planned, problem = None, None
        try:
            planned = None if base is None or not values else _planned(base, values)
            if planned is not None:
                check_start(me(), _missing(planned))
        except AttnvizError as error:
            problem = error
        if problem is not None:
            st.warning(explain(problem))
        elif planned is not None:
            _facts(planned)
        else:
            st.caption(say("training.sweep.empty"))
        n = planned.cost.runs if planned is not None else 0
        label = say("training.sweep.play", n=n) if n else say("training.sweep.play_none")
        blocked = planned is None or problem is not None
        button(label, "sweep-play", _begin, planned, icon="playlist_play", width="stretch", disabled=blocked)
        if name := page_state(TrainingState).sweep:
            link_to("runs", say("training.sweep.look"), "table_chart", sweep=name)


def _values(draft: Draft) -> dict[str, list[Value]]:
    """Return the values that are chosen, by field."""
    names = [name for name in (*draft.shown, *TRAINING) if name not in ("network", "seed") and draft.offered(name)]
    titles = {"": say("training.sweep.nothing")} | {name: say(f"training.set.{name}") for name in names}
    found: dict[str, list[Value]] = {}
    for place in range(PLACES):
        widget = Widget(f"sweep-setting-{place}", "")
        widget.hold(titles, "")
        taken = {Widget(f"sweep-setting-{other}", "").value for other in range(place)}
        free = {name: title for name, title in titles.items() if not name or name not in taken}
        widget.hold(free, "")
        name = select(say("training.sweep.setting", n=place + 1), widget, free)
        if not name:
            break
        if chosen := _choose(draft, name):
            found[SETTINGS[name].field] = chosen
    return found


def _choose(draft: Draft, name: str) -> list[Value]:
    """Choose some values of a setting: its present one and its neighbours at first."""
    offered, widget = draft.offered(name), Widget[list[Value] | None](f"sweep-values-{name}", None)
    if widget.value is None:
        at = offered.index(draft.settings[name])
        widget.value = offered[max(0, at - NEAR) : at + NEAR + 1]
    widget.value = [value for value in widget.value or [] if value in offered]
    st.multiselect(say("training.sweep.values"), offered, format_func=lambda value: written(name, value), **widget.kept)
    return [value for value in offered if value in (widget.value or [])]


def _planned(base: RunConfig, values: dict[str, list[Value]]) -> Planned:
    sweep, configs = grid(base, values, SEEDS.value, HALVING.value, MOST_RUNS)
    found = sweeps.of_entries(sweep, entries())
    return Planned(sweep, configs, found, expected(sweep, configs, found, step_seconds, workers.queue().workers))


def _missing(planned: Planned) -> Sequence[RunConfig]:
    return [each for each, member in zip(planned.configs, planned.found, strict=True) if member.run is None]


def _facts(planned: Planned) -> None:
    """Say how many runs there are, and what they take."""
    cost = planned.cost
    st.caption(say("training.sweep.facts", n=cost.runs, steps=f"{cost.steps:,}", time=duration(cost.seconds)))
    if cost.there:
        st.caption(say("training.sweep.there", n=cost.there))
    if planned.sweep.halving:
        looks = [say("training.sweep.rung", step=f"{step:,}", n=keep) for step, keep in planned.sweep.halving]
        st.caption(say("training.sweep.rungs", looks=looks))


def _begin(planned: Planned) -> None:
    """Train all of them, and keep the link to the group."""
    try:
        sweeps.begin(me(), planned.sweep, planned.configs, planned.found)
        page_state(TrainingState).sweep = planned.sweep.name
    except AttnvizError as error:
        notice_error(error)
