"""The Applications page: a gallery; then a model and an input, and in its own view what attention does there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.errors import AttnvizError, InputError
from attnviz.server.forward import run
from attnviz.server.listing import Listed
from attnviz.server.paths import whole
from attnviz.server.traces import TraceKey
from attnviz.training.recipes import OWN
from attnviz.ui.applications.case import N_EXAMPLES, Case, examples, opened, recipe_of, task_of
from attnviz.ui.applications.facts import facts, train_link
from attnviz.ui.applications.first import first_example
from attnviz.ui.applications.gallery import gallery
from attnviz.ui.applications.registry import APPLICATIONS, Application
from attnviz.ui.applications.state import NOT_CHOSEN, ApplicationsState
from attnviz.ui.frame.address import Address, notice, notice_wrong
from attnviz.ui.frame.choices import listed
from attnviz.ui.frame.head import head_row, message_box
from attnviz.ui.frame.language import code, current, explain, plain, say
from attnviz.ui.frame.page_file import offer, take
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.titles import model_title
from attnviz.ui.frame.widgets import button, select

__all__ = ["show"]

CSS = Path(__file__).parent / "style.css"


def _apply(link: Mapping[str, str]) -> None:
    """Set the controls from an address; what it names and does not exist is noticed and falls back."""
    state = page_state(ApplicationsState)
    is_of_one = bool(ADDRESS.names & link.keys())
    name = link.get("app", next(iter(APPLICATIONS)) if is_of_one else "")
    if name and name not in APPLICATIONS:
        notice("applications.unknown", name=name)
        name = ""
    state.application.value = name
    if not name:
        return
    models = _models(APPLICATIONS[name])
    model = link.get("model", next(iter(models), ""))
    if model not in models:
        notice("page.unknown_model", name=model)
        model = next(iter(models), "")
    state.model.value = model
    number = whole(link["n"], 1, N_EXAMPLES) if "n" in link else NOT_CHOSEN
    notice_wrong(["n"] * (number is None))
    state.example.value = number or 1
    state.head.value = link.get("head", "")
    state.is_new_input = "text" not in link
    if "text" in link:
        state.text.value, state.target.value = link["text"], link.get("target", "")


ADDRESS = Address(
    "applications",
    _apply,
    names=frozenset({"app", "model", "n", "text", "target", "head"}),
    steps=frozenset({"app", "model"}),
    long=frozenset({"text", "target"}),
)


def show() -> None:
    """Show the gallery, or one application: its view at the left, what is known of it at the right."""
    ADDRESS.arrive()
    st.html(CSS)
    with st.container(key="controls"), head_row():
        st.space("stretch")
        take(ADDRESS)
    messages = message_box()
    if not ApplicationsState.application.value:
        gallery({name: next(iter(_models(each).values()), None) for name, each in APPLICATIONS.items()}, _open)
        ADDRESS.publish({})
        return
    application, model = _choose()
    parameters = {"app": application.name}
    if model is None:
        st.info(say("applications.no_model"))
        train_link(application.recipes[0])
    else:
        case = _case(application, model, messages)
        with st.container(horizontal=True, key="application", gap="medium"):
            with st.container(key="app-view", width="stretch", gap="small"):
                if case is not None:
                    application.view(case)
            with st.container(key="app-facts", width=340, gap="small"):
                facts(application.name, _models(application), model, case)
        parameters |= _link(case, model)
    offer(messages, ADDRESS, parameters)
    ADDRESS.publish(parameters)


def _choose() -> tuple[Application, Listed | None]:
    titles = {name: say(f"applications.{name}.title") for name in APPLICATIONS}
    with st.container(horizontal=True, key="app-choice", gap="small", vertical_alignment="bottom"):
        button(say("applications.all"), "app-all", _open, "", icon="apps")
        chosen = select(say("applications.which"), ApplicationsState.application, titles, on_change=_another)
        application = APPLICATIONS[chosen]
        models = _models(application)
        if not models:
            return application, None
        ApplicationsState.model.hold(models, next(iter(models)))
        titles = {name: model_title(model, current()) for name, model in models.items()}
        model = models[select(say("page.model"), ApplicationsState.model, titles, on_change=_begin)]
    about = f"applications.{application.name}.about"
    st.caption(plain(say(f"{about}.own" if recipe_of(model.name) in OWN else about)))
    return application, model


def _models(application: Application) -> dict[str, Listed]:
    """Return the shipped models of an application, then the runs of its recipes."""
    there, recipes = listed(), list(application.recipes)
    if current() == "zh" and application.chinese:
        recipes.insert(0, application.chinese)
    found = {name: there[name] for name in recipes if name in there}
    return found | {name: there[name] for name in there if recipe_of(name) in application.recipes}


def _open(name: str) -> None:
    ApplicationsState.application.value = name
    _another()


def _another() -> None:
    """Another application begins with its first model."""
    ApplicationsState.model.value = ApplicationsState.head.value = ""
    _begin()


def _begin() -> None:
    ApplicationsState.example.value = NOT_CHOSEN
    _leaf()


def _leaf() -> None:
    state = page_state(ApplicationsState)
    state.is_new_input = True
    state.leave_input()


def _case(application: Application, model: Listed, messages: DeltaGenerator) -> Case | None:
    """Run the model on the typed text; None, with a message, if it cannot be run."""
    state = page_state(ApplicationsState)
    task = task_of(model)
    rows = examples(task)
    if state.example.value == NOT_CHOSEN:
        state.example.value = first_example(model, application.works)
    state.example.value = min(state.example.value, len(rows))
    if state.is_new_input:
        state.text.value, _ = task.text_of(rows[state.example.value - 1])
        state.target.value = ""  # for the model to write
        state.is_new_input = False
    line = st.container(horizontal=True, key="app-input", gap="small", vertical_alignment="bottom")
    with line:
        st.number_input(say("applications.example"), 1, len(rows), on_change=_leaf, width=150, **state.example.kept)
        typed = st.container(key="app-typed")
    has_another_way = application.enter is not None and application.enter(task)
    with line:
        with typed, st.expander(say("applications.numbers"), key="app-numbers") if has_another_way else nullcontext():
            st.text_area(say("applications.text"), height=68, **state.text.kept)
        if task.source_tokenizer is not None:
            hint = say("page.target_placeholder")
            st.text_area(say("applications.target"), height=68, placeholder=hint, **state.target.kept)
    text = state.text.value
    target = state.target.value if task.source_tokenizer is not None else ""
    example = rows[state.example.value - 1]
    known = task.text_of(example)
    row = example if text == known[0] and target in ("", known[1]) else None
    try:
        held = run(TraceKey(model.name, text, target, model.version))
    except AttnvizError as error:
        (messages.warning if isinstance(error, InputError) else messages.error)(explain(error))
        if suggestion := task.suggestion(text):
            with messages:
                label = say("fit.use", text=code(suggestion))
                button(label, "app-fit", _use, suggestion, help=say("fit.use_help"))
        return None
    return Case(model, opened(model), task, held, row)


def _use(text: str) -> None:
    """Put another text in the place of the typed one."""
    page_state(ApplicationsState).text.value = text


def _link(case: Case | None, model: Listed) -> dict[str, str]:
    widgets = ApplicationsState
    link = {"model": model.name, "n": str(widgets.example.value), "head": widgets.head.value}
    if case is None or case.row is None:
        link |= {"text": widgets.text.value, "target": widgets.target.value}
    return link
