"""The Compare page: six networks learn one task beside each other: recurrence, convolution and attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from attnviz.errors import AttnvizError, ConfigError
from attnviz.server import workers
from attnviz.server.paths import whole
from attnviz.server.people.rights import authority, check_start
from attnviz.server.shelf import Entry
from attnviz.training import RunConfig
from attnviz.training.comparison import CONTENDERS, DISTANCES, at_distance, comparable, configs, new_group, place_of
from attnviz.training.recipes import Recipe
from attnviz.training.run.files import writing
from attnviz.ui.comparison.shown import expected_seconds, groups, reach, shown
from attnviz.ui.comparison.state import FIRST, ComparisonState
from attnviz.ui.frame.address import Address, notice, notice_error, notice_wrong
from attnviz.ui.frame.choices import entries
from attnviz.ui.frame.head import head_row, message_box
from attnviz.ui.frame.language import explain, say
from attnviz.ui.frame.numbers import duration
from attnviz.ui.frame.titles import task_title
from attnviz.ui.frame.watch import Told, obey
from attnviz.ui.frame.who import me
from attnviz.ui.frame.widgets import button, segments, select

__all__ = ["show"]

PARITY = "running-parity"
EVERY = "2s"
MOST_STEPS, MOST_SEED = 20_000, 2**31 - 1
CSS = Path(__file__).parent / "style.css"


def _apply(link: Mapping[str, str]) -> None:
    """Set the controls from an address; what it says and cannot be is noticed and falls back."""
    wrong, widgets = [], ComparisonState
    name = link.get("task", FIRST)
    if name not in comparable():
        wrong.append("task")
        name = FIRST
    recipe = comparable()[name]
    widgets.recipe.value = name
    numbers = {
        "steps": (widgets.steps, range(1, MOST_STEPS + 1), recipe.training.steps),
        "seed": (widgets.seed, range(MOST_SEED + 1), recipe.training.seed),
        "distance": (widgets.distance, DISTANCES, widgets.distance.default),
    }
    for key, (widget, possible, usual) in numbers.items():
        value = whole(link.get(key, str(usual)), possible[0], possible[-1])
        if value is None or value not in possible:
            wrong.append(key)
            value = usual
        widget.value = value
    group = link.get("group", "")
    if group and group not in groups(recipe, entries()):
        notice("comparison.unknown_group", name=group)
        group = ""
    widgets.group.value = group
    notice_wrong(wrong)


ADDRESS = Address(
    "comparison",
    _apply,
    names=frozenset({"task", "distance", "steps", "seed", "group"}),
    steps=frozenset({"task", "distance", "group"}),
)


def show() -> None:
    """Show the table and curves of a comparison; for the first symbol also accuracy over distance."""
    ADDRESS.arrive()
    st.html(CSS)
    with st.container(key="controls"), head_row():
        st.space("stretch")
    st.header(say("comparison.title"), anchor=False)
    st.markdown(say("comparison.about", parity=task_title(PARITY)))
    with st.container(horizontal=True, key="comparison-settings", gap="small", vertical_alignment="bottom"):
        recipe = _choose()
        found = groups(recipe, entries())
        group = _choose_group(found)
    messages = message_box()
    problem = _actions(recipe, found.get(group, []))
    alive = {entry.name for entry in found.get(group, []) if entry.active}
    with st.container(key="comparison-shown"):
        if problem is not None:
            messages.warning(explain(problem))
        else:
            st.fragment(shown, run_every=EVERY if alive else None)(recipe, group, alive)
    if recipe.name == FIRST and problem is None:
        _sweep(recipe)
        with st.container(key="comparison-reach"):
            reach(recipe)
    ADDRESS.publish(_link(recipe, group))


def _link(recipe: Recipe, group: str) -> dict[str, str]:
    """Return the page as parameters of the address, the defaults left out."""
    widgets, training, first = ComparisonState, recipe.training, recipe.name == FIRST
    numbers = {"steps": (widgets.steps, training.steps), "seed": (widgets.seed, training.seed)}
    numbers |= {"distance": (widgets.distance, widgets.distance.default)} if first else {}
    link = {"task": "" if first else recipe.name, "group": group}
    return link | {name: str(widget.value) for name, (widget, usual) in numbers.items() if widget.value != usual}


def _choose() -> Recipe:
    """Task, distance, steps and seed."""
    widgets, titles = ComparisonState, {name: task_title(name) for name in comparable()}
    recipe = comparable()[select(say("comparison.task"), widgets.recipe, titles, on_change=_task_changed, width=260)]
    if recipe.name == FIRST:
        distances = {distance: str(distance) for distance in DISTANCES}
        recipe = at_distance(recipe, segments(say("comparison.set_distance"), widgets.distance, distances))
    st.number_input(say("comparison.steps"), 1, MOST_STEPS, step=1, width=140, **widgets.steps.kept)
    st.number_input(say("comparison.seed"), 0, MOST_SEED, step=1, width=140, **widgets.seed.kept)
    return recipe


def _task_changed() -> None:
    training = comparable()[ComparisonState.recipe.value].training
    ComparisonState.steps.value, ComparisonState.seed.value = training.steps, training.seed
    ComparisonState.group.value = ""


def _choose_group(found: Mapping[str, Sequence[Entry]]) -> str:
    """Choose the comparison to show, the newest by default; "" without any."""
    group = ComparisonState.group
    group.hold(found, next(iter(found), ""))
    return select(say("comparison.group"), group, {name: name for name in found}, width=360) if found else ""


def _actions(recipe: Recipe, runs: Sequence[Entry]) -> AttnvizError | None:
    """Show the buttons; return the error that keeps them from working."""
    try:
        expected = expected_seconds(recipe)
    except ConfigError as error:
        return error
    mine = [entry for entry in runs if entry.run is not None and authority(me(), entry.run.folder)]
    active = [entry for entry in mine if entry.active]
    resumable = [entry for entry in mine if entry.state is not None and entry.state.resumable]
    with st.container(horizontal=True, key="comparison-actions", gap="small", vertical_alignment="center"):
        button(say("comparison.train"), "compare-train", _train, [recipe], icon="play_arrow", type="primary")
        if active:
            button(say("comparison.stop"), "compare-stop", _tell, active, "stop", icon="stop")
        elif resumable:
            button(say("comparison.go_on"), "compare-go-on", _tell, resumable, "submit", icon="resume")
        st.caption(say("comparison.takes", time=duration(expected)))
    return None


def _sweep(recipe: Recipe) -> None:
    """Show the button that trains all at every distance."""
    recipes = [at_distance(recipe, distance) for distance in DISTANCES]
    with st.container(horizontal=True, key="comparison-sweep", gap="small", vertical_alignment="center"):
        button(say("comparison.train_all"), "compare-train-all", _train, recipes, icon="play_arrow")
        seconds = sum(expected_seconds(each) for each in recipes)
        st.caption(say("comparison.takes_all", n=len(recipes) * len(CONTENDERS), time=duration(seconds)))


def _train(recipes: Sequence[Recipe]) -> None:
    """Make the runs that the controls say, and queue them; those that are under way are not made twice."""
    steps, seed = ComparisonState.steps.value, ComparisonState.seed.value
    try:
        wanted = [config for recipe in recipes for config in configs(recipe, steps, seed).values()]
        if _under_way(wanted):
            notice("comparison.under_way")
            return
        check_start(me(), wanted)
        runs = new_group(recipes, steps, seed, owner=me().id)
        place = place_of(runs[0].name)
        ComparisonState.group.value = "" if place is None else place[0]
        for run in runs:
            with writing(run.name):
                workers.queue().submit(run)
    except AttnvizError as error:
        notice_error(error)


def _under_way(wanted: Sequence[RunConfig]) -> bool:
    """Whether runs of comparisons that compute the last of it are queued or being trained: the last one ends last."""
    parts = [entry for entry in entries() if entry.active and place_of(entry.name) is not None]
    active = [_key(entry.run.config) for entry in parts if entry.run is not None]
    return _key(wanted[-1]) in active


def _key(config: RunConfig) -> dict[str, Any]:
    return {name: value for name, value in config.to_dict().items() if name != "created"}


def _tell(runs: Sequence[Entry], command: str) -> None:
    """Stop runs, or queue them again."""
    for entry in runs:
        if entry.run is None:
            continue
        try:
            obey(workers.queue(), entry.run, Told(command))
        except AttnvizError as error:
            notice_error(error)
