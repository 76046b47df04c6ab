"""The Compare page: five networks learn one task beside each other, and what that tells of recurrence and attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from attnviz.errors import AttnvizError, ConfigError
from attnviz.server import workers
from attnviz.server.shelf import Entry, entries
from attnviz.training import RunConfig
from attnviz.training.comparison import CONTENDERS, DISTANCES, at_distance, comparable, configs, new_group, place_of
from attnviz.training.recipes import Recipe
from attnviz.ui.comparison.shown import FIRST, expected_seconds, groups, reach, shown
from attnviz.ui.frame.address import Address, notice, notice_error, notice_wrong, whole
from attnviz.ui.frame.head import head_row, message_box
from attnviz.ui.frame.language import explain, say
from attnviz.ui.frame.numbers import duration
from attnviz.ui.frame.settings import KEEP
from attnviz.ui.frame.titles import task_title
from attnviz.ui.frame.watch import Told, obey, unwritable

__all__ = ["show"]

PARITY = "running-parity"
EVERY = "2s"
MOST_STEPS, MOST_SEED = 20_000, 2**31 - 1
DISTANCE = 50  # to begin with
CSS = Path(__file__).parent / "style.css"


def _apply(link: Mapping[str, str]) -> None:
    """Set the controls from an address; what it says and cannot be is noticed and falls back."""
    state = st.session_state
    wrong = []
    name = link.get("task", FIRST)
    if name not in comparable():
        wrong.append("task")
        name = FIRST
    recipe = comparable()[name]
    limits = {"steps": (1, MOST_STEPS, recipe.training.steps), "seed": (0, MOST_SEED, recipe.training.seed)}
    state["cmp-recipe"] = name
    for key, (low, high, usual) in limits.items():
        value = whole(link.get(key, str(usual)), low, high)
        wrong += [key] if value is None else []
        state[f"cmp-{key}"] = usual if value is None else value
    distance = whole(link.get("distance", str(DISTANCE)), DISTANCES[0], DISTANCES[-1])
    wrong += [] if distance in DISTANCES else ["distance"]
    state["cmp-distance"] = distance if distance in DISTANCES else DISTANCE
    state["cmp-group"] = link.get("group")
    if state["cmp-group"] and state["cmp-group"] not in groups(recipe, entries()):
        notice("comparison.unknown_group", name=state["cmp-group"])
        state["cmp-group"] = None
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
    st.subheader(say("comparison.title"), anchor=False)
    st.markdown(say("comparison.about", parity=task_title(PARITY)))
    with st.container(horizontal=True, key="comparison-settings", gap="small", vertical_alignment="bottom"):
        recipe = _choose()
        found = groups(recipe, entries())
        group = _choose_group(found)
    messages = message_box()
    problem = _actions(recipe, found.get(group or "", []))
    alive = {entry.name for entry in found.get(group or "", []) if entry.active}
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


def _link(recipe: Recipe, group: str | None) -> dict[str, str]:
    """Return the page as parameters of the address, the defaults left out."""
    state = st.session_state
    link = {"task": "" if recipe.name == FIRST else recipe.name, "group": group or ""}
    usual = {"steps": recipe.training.steps, "seed": recipe.training.seed, "distance": DISTANCE}
    values = {name: state[f"cmp-{name}"] for name in usual if name != "distance" or recipe.name == FIRST}
    return link | {name: str(value) for name, value in values.items() if value != usual[name]}


def _choose() -> Recipe:
    """Task, distance, steps and seed."""
    st.selectbox(
        say("comparison.task"),
        list(comparable()),
        format_func=task_title,
        key="cmp-recipe",
        on_change=_task_changed,
        width=260,
        **KEEP,
    )
    if st.session_state["cmp-recipe"] == FIRST:
        st.segmented_control(say("comparison.set_distance"), DISTANCES, key="cmp-distance", required=True, **KEEP)
    for name, low, high in (("steps", 1, MOST_STEPS), ("seed", 0, MOST_SEED)):
        st.number_input(say(f"comparison.{name}"), low, high, key=f"cmp-{name}", step=1, width=140, **KEEP)
    return _recipe()


def _recipe() -> Recipe:
    """Build the recipe from the controls."""
    state = st.session_state
    recipe = comparable()[state["cmp-recipe"]]
    return at_distance(recipe, state["cmp-distance"]) if recipe.name == FIRST else recipe


def _task_changed() -> None:
    state = st.session_state
    training = comparable()[state["cmp-recipe"]].training
    state.update({"cmp-steps": training.steps, "cmp-seed": training.seed, "cmp-group": None})


def _choose_group(found: Mapping[str, Sequence[Entry]]) -> str | None:
    """Choose the comparison to show, the newest by default."""
    state = st.session_state
    if not found:
        state["cmp-group"] = None
        return None
    if state.get("cmp-group") not in found:
        state["cmp-group"] = next(iter(found))
    st.selectbox(say("comparison.group"), list(found), key="cmp-group", width=360, **KEEP)
    chosen: str = state["cmp-group"]
    return chosen


def _actions(recipe: Recipe, runs: Sequence[Entry]) -> AttnvizError | None:
    """Show the buttons; return the error that keeps them from working."""
    try:
        expected = expected_seconds(recipe)
    except ConfigError as error:
        return error
    active = [entry for entry in runs if entry.active]
    resumable = [entry for entry in runs if entry.state is not None and entry.state.resumable]
    with st.container(horizontal=True, key="comparison-actions", gap="small", vertical_alignment="center"):
        st.button(
            say("comparison.train"),
            key="compare-train",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_train,
            args=([recipe],),
        )
        if active:
            st.button(
                say("comparison.stop"),
                key="compare-stop",
                icon=":material/stop:",
                on_click=_tell,
                args=(active, "stop"),
            )
        elif resumable:
            args = (resumable, "submit")
            st.button(say("comparison.go_on"), key="compare-go-on", icon=":material/resume:", on_click=_tell, args=args)
        st.caption(say("comparison.takes", time=duration(expected)))
    return None


def _sweep(recipe: Recipe) -> None:
    """Show the button that trains all at every distance."""
    recipes = [at_distance(recipe, distance) for distance in DISTANCES]
    with st.container(horizontal=True, key="comparison-sweep", gap="small", vertical_alignment="center"):
        st.button(
            say("comparison.train_all"),
            key="compare-train-all",
            icon=":material/play_arrow:",
            on_click=_train,
            args=(recipes,),
        )
        seconds = sum(expected_seconds(each) for each in recipes)
        st.caption(say("comparison.takes_all", n=len(recipes) * len(CONTENDERS), time=duration(seconds)))


def _train(recipes: Sequence[Recipe]) -> None:
    """Make the runs that the controls say, and queue them; those that are under way are not made twice."""
    state = st.session_state
    steps, seed = state["cmp-steps"], state["cmp-seed"]
    try:
        wanted = [config for recipe in recipes for config in configs(recipe, steps, seed).values()]
        if _under_way(wanted):
            notice("comparison.under_way")
            return
        runs = new_group(recipes, steps, seed)
        place = place_of(runs[0].name)
        state["cmp-group"] = None if place is None else place[0]
        for run in runs:
            workers.queue().submit(run)
    except AttnvizError as error:
        notice_error(error)
    except OSError as error:
        notice_error(unwritable(recipes[0].name, error))


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
        except OSError as error:
            notice_error(unwritable(entry.name, error))
