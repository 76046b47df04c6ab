"""The controls of the Training page: a draft goes into them, and comes back as people changed it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any, cast

import streamlit as st

from attnviz import locale
from attnviz.tasks import Choice
from attnviz.training.recipes import OWN
from attnviz.ui.frame.language import current, plain, say
from attnviz.ui.frame.settings import KEEP
from attnviz.ui.frame.titles import task_title
from attnviz.ui.training.draft import SETTINGS, TRAINING, Draft, Value, recipe_names
from attnviz.ui.training.own_data import first_line, own_data

__all__ = ["choose_settings", "choose_task", "load", "present"]


def load(draft: Draft) -> None:
    """Set all controls."""
    state = st.session_state
    state["recipe"] = draft.recipe
    reading = dict(draft.reading)
    if draft.recipe in OWN:
        key = _data_key(draft.recipe)
        if draft.text:
            state.update({key: draft.text, f"{key}-first": first_line(draft.text), f"{key}-bytes": None})
        elif state.setdefault(key, ""):  # the data stay, and so does what was said of how they are read
            reading = {name: state.get(_task_key(draft.recipe, name), value) for name, value in reading.items()}
    state.update({f"set-{name}": value for name, value in draft.settings.items()})
    state.update({_task_key(draft.recipe, name): value for name, value in {**draft.task, **reading}.items()})


def present() -> Draft:
    """Return the draft as the controls stand."""
    state = st.session_state
    recipe = state["recipe"]
    kind = Draft.of_recipe(recipe).kind
    task, reading = (
        {choice.name: state[_task_key(recipe, choice.name)] for choice in part}
        for part in (kind.choices(), kind.readings())
    )
    text = state.get(_data_key(recipe)) or ""
    return Draft(recipe, text, task, {name: state[f"set-{name}"] for name in SETTINGS}, reading)


def _data_key(recipe: str) -> str:
    return f"data-{recipe}"


def _task_key(recipe: str, name: str) -> str:
    return f"task-{recipe}-{name}"


def _reload() -> None:
    """Show the recipe's own settings."""
    load(Draft.of_recipe(st.session_state["recipe"]))


def _fit() -> None:
    load(present().fitted())


def _another_network(before: str) -> None:
    """Keep the settings that suit the newly chosen network."""
    draft = present()
    network = str(draft.settings["network"])
    load(replace(draft, settings={**draft.settings, "network": before}).with_network(network))


def choose_task() -> None:
    """Choose a recipe, describe it, and take the visitor's own data where it needs some."""
    titles = {name: task_title(name) for name in recipe_names()}
    st.selectbox(
        say("training.task"), list(titles), format_func=titles.__getitem__, key="recipe", on_change=_reload, **KEEP
    )
    recipe = st.session_state["recipe"]
    about = f"task.{recipe}.about"
    if locale.has(current(), about):
        st.container(key="about-task").caption(plain(say(about)))
    if recipe in OWN:
        own_data(recipe, _data_key(recipe), partial(_task_key, recipe))


def choose_settings(draft: Draft) -> None:
    """Task, model and training, each in a part that opens; the draft is as the controls stand."""
    settings = draft.settings
    choices = draft.kind.choices()
    with st.container(key="parts", gap="xsmall"):
        if choices:
            with _part("task"):
                for choice in choices:
                    _choose(choice, draft)
        with _part("model", _summary(draft)):
            st.caption(say("training.architecture", kind=say(f"page.{draft.kind.architecture}")))
            for name in draft.shown:
                _setting(name, draft)
        with _part("training", say("training.n_steps", n=f"{settings['steps']:,}")):
            for name in TRAINING:
                _setting(name, draft)
    st.button(say("training.reset"), key="reset", icon=":material/undo:", type="tertiary", on_click=_reload)


def _summary(draft: Draft) -> str:
    """Network and size in a few signs."""
    network = say(f"training.network.{draft.settings['network']}")
    sizes = [str(draft.settings[name]) for name in ("layers", "heads", "d_model") if name in draft.shown]
    return f"{network} {' × '.join(sizes)}"


def _part(name: str, summary: str = "") -> AbstractContextManager[Any]:
    label = say(f"training.part.{name}")
    return st.expander(f"{label} :small[:gray[{summary}]]" if summary else label, key=f"part-{name}")


def _choose(choice: Choice, draft: Draft) -> None:
    """Show the control of one parameter of a task."""
    label, key = say(f"training.parameter.{choice.name}"), _task_key(draft.recipe, choice.name)
    values, value = choice.values, draft.task[choice.name]
    if isinstance(values, range):
        assert isinstance(value, int)
        low, high = min(values[0], value), max(values[-1], value)
        st.slider(label, low, high, step=values.step, key=key, **KEEP)
    elif all(isinstance(each, bool) for each in values):
        st.toggle(label, key=key, **KEEP)
    elif all(isinstance(each, str) for each in values):
        names = {each: _choice_title(str(each)) for each in values}
        st.selectbox(label, values, format_func=names.__getitem__, key=key, **KEEP)
    else:
        numbers = sorted({*cast(tuple[int, ...], values), cast(int, value)})
        st.select_slider(label, numbers, key=key, **KEEP)


def _choice_title(value: str) -> str:
    """Return a language by its own name, another choice by its message."""
    return locale.LANGUAGES.get(value) or say(f"training.choice.{value}")


def _setting(name: str, draft: Draft) -> None:
    """Show the control of one setting."""
    label, options = say(f"training.set.{name}"), draft.offered(name)
    more: dict[str, Any] = {"key": f"set-{name}", "help": say(f"training.help.{name}"), **KEEP}
    if not options:
        low, high = SETTINGS[name].limits
        st.number_input(label, int(low), int(high), step=1, **more)
        return
    texts = {option: _written(name, option) for option in options}
    more |= {
        "format_func": texts.__getitem__,
        "on_change": _fit if name in ("heads", "positions", "both_ways") else None,
    }
    if name == "network":
        more |= {"on_change": _another_network, "args": (str(draft.settings[name]),)}
    if isinstance(options[0], bool):
        st.toggle(label, key=more["key"], help=more["help"], on_change=_fit, **KEEP)
    elif isinstance(options[0], str):
        st.selectbox(label, options, **more)
    else:
        st.select_slider(label, options, **more)


def _written(name: str, value: Value) -> str:
    """Return a value as people read it."""
    if value is None:
        return say("training.off")
    if name == "d_ff" and value == 0:
        return say("training.attention_only")
    return say(f"training.{name}.{value}") if isinstance(value, str) else f"{value:g}"
