"""The controls of the Training page: a draft goes into them, and comes back as people changed it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, cast

import streamlit as st

from attnviz import locale
from attnviz.server.people.rights import offers
from attnviz.tasks import Choice
from attnviz.training.recipes import OWN
from attnviz.ui.frame.language import current, plain, say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.titles import task_title
from attnviz.ui.frame.who import me
from attnviz.ui.frame.widgets import button, segments, select
from attnviz.ui.training.draft import SETTINGS, TRAINING, Draft, Value, recipe_names
from attnviz.ui.training.own_data import held_files, own_data, put
from attnviz.ui.training.state import TASK, TrainingState
from attnviz.ui.training.tuning import FINE_TUNE

__all__ = ["choose_settings", "choose_task", "choose_what", "load", "present", "written"]


def load(draft: Draft) -> None:
    """Set all controls, and show them."""
    TrainingState.what.value = TASK
    _fill(draft)


def _fill(draft: Draft) -> None:
    TrainingState.recipe.value = recipe = draft.recipe
    if draft.text:
        if draft.text != TrainingState.data(recipe).value:  # else what is known of its file holds
            put(recipe, draft.text)
        page_state(TrainingState).files[recipe] = dict(draft.files)
    for name, value in draft.settings.items():
        TrainingState.setting(name).value = value
    for name, value in draft.task.items():
        TrainingState.choice(recipe, name).value = value
    stays = not draft.text and bool(TrainingState.data(recipe).value)
    for name, value in draft.reading.items():
        choice = TrainingState.choice(recipe, name)
        if not stays or choice.value is None:  # while the data stay, so does what was said of how they are read
            choice.value = value


def present() -> Draft:
    """Return the draft as the controls stand."""
    recipe = TrainingState.recipe.value
    kind = Draft.of_recipe(recipe).kind
    task, reading = (
        {choice.name: TrainingState.choice(recipe, choice.name).value for choice in part}
        for part in (kind.choices(), kind.readings())
    )
    settings = {name: TrainingState.setting(name).value for name in SETTINGS}
    files = dict(page_state(TrainingState).files.get(recipe, {}))
    return Draft(recipe, TrainingState.data(recipe).value, task, settings, reading, files)


def _reload() -> None:
    """Show the recipe's own settings."""
    load(Draft.of_recipe(TrainingState.recipe.value))


def _fit() -> None:
    load(present().fitted())


def _another_network(before: str) -> None:
    """Keep the settings that suit the newly chosen network."""
    draft = present()
    load(replace(draft, settings={**draft.settings, "network": before}).with_network(draft.network))


def choose_what() -> bool:
    """Choose between a task for a small network and fine-tuning a pretrained one; return whether it is the latter."""
    if not offers(me(), "own"):
        TrainingState.what.value = TASK
        return False
    titles = {TASK: say("tuning.what.task"), FINE_TUNE: say("tuning.what.fine-tune")}
    return segments(say("tuning.what"), TrainingState.what, titles, label_visibility="collapsed") == FINE_TUNE


def choose_task() -> None:
    """Choose a recipe, describe it, and take the visitor's own data where it needs some."""
    brings = offers(me(), "own")
    titles = {name: task_title(name) for name in recipe_names() if brings or name not in OWN}
    if TrainingState.recipe.value not in titles:
        _fill(Draft.of_recipe(next(iter(titles))))
    recipe = select(say("training.task"), TrainingState.recipe, titles, on_change=_reload)
    about = f"task.{recipe}.about"
    if locale.has(current(), about):
        st.container(key="about-task").caption(plain(say(about)))
    if recipe in OWN:
        own_data(recipe)


def choose_settings(draft: Draft) -> None:
    """Show task, model and training, each in a part that opens; the draft is as the controls stand."""
    settings = draft.settings
    choices = draft.kind.choices()
    with st.container(key="parts", gap="xsmall"):
        if choices:
            with _part("task"):
                for choice in choices:
                    _choose(choice, draft)
        if draft.is_divided:
            with st.expander(say("tuning.part.split"), key="part-split"):
                held_files(draft.recipe)
        with _part("model", _summary(draft)):
            st.caption(say("training.architecture", kind=say(f"page.{draft.kind.architecture}")))
            for name in draft.shown:
                _setting(name, draft)
        with _part("training", say("training.n_steps", n=f"{settings['steps']:,}")):
            for name in TRAINING:
                _setting(name, draft)
    button(say("training.reset"), "reset", _reload, icon="undo", type="tertiary")


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
    label, widget = say(f"training.parameter.{choice.name}"), TrainingState.choice(draft.recipe, choice.name)
    values, value = choice.values, draft.task[choice.name]
    if isinstance(values, range):
        assert isinstance(value, int)
        low, high = min(values[0], value), max(values[-1], value)
        st.slider(label, low, high, step=values.step, **widget.kept)
    elif all(isinstance(each, bool) for each in values):
        st.toggle(label, **widget.kept)
    elif all(isinstance(each, str) for each in values):
        select(label, widget, {each: _choice_title(str(each)) for each in values})
    else:
        numbers = sorted({*cast(tuple[int, ...], values), cast(int, value)})
        st.select_slider(label, numbers, **widget.kept)


def _choice_title(value: str) -> str:
    """Return a language by its own name, another choice by its message."""
    return locale.LANGUAGES.get(value) or say(f"training.choice.{value}")


def _setting(name: str, draft: Draft) -> None:
    """Show the control of one setting."""
    label, options = say(f"training.set.{name}"), draft.offered(name)
    more: dict[str, Any] = {"help": say(f"training.help.{name}"), **TrainingState.setting(name).kept}
    if not options:
        low, high = SETTINGS[name].limits or (0, 0)
        st.number_input(label, int(low), int(high), step=1, **more)
        return
    texts = {option: written(name, option) for option in options}
    if name in ("heads", "positions", "both_ways"):
        more["on_change"] = _fit
    elif name == "network":
        more |= {"on_change": _another_network, "args": (str(draft.settings[name]),)}
    if isinstance(options[0], bool):
        st.toggle(label, **more)
    elif isinstance(options[0], str):
        st.selectbox(label, options, format_func=texts.__getitem__, **more)
    else:
        st.select_slider(label, options, format_func=texts.__getitem__, **more)


def written(name: str, value: Value) -> str:
    """Return a value as people read it."""
    if value is None:
        return say("training.off")
    if name == "d_ff" and value == 0:
        return say("training.attention_only")
    return say(f"training.{name}.{value}") if isinstance(value, str) else f"{value:g}"
