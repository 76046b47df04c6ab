"""The Applications page: choose a use, a model and an input, and see in its own view what attention does there."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.errors import AttnvizError, InputError
from attnviz.server.forward import run
from attnviz.server.listing import Listed, listed
from attnviz.server.traces import TraceKey
from attnviz.training.recipes import OWN
from attnviz.ui.applications.case import N_EXAMPLES, Case, examples, opened, recipe_of, task_of, text_of
from attnviz.ui.applications.facts import facts, title, train_link
from attnviz.ui.applications.registry import APPLICATIONS, Application
from attnviz.ui.frame.address import Address, notice, notice_wrong, whole
from attnviz.ui.frame.head import head_row, message_box
from attnviz.ui.frame.language import explain, plain, say
from attnviz.ui.frame.page_file import offer, take
from attnviz.ui.frame.settings import KEEP

__all__ = ["show"]


def _apply(link: Mapping[str, str]) -> None:
    """Set the controls from an address; what it names and does not exist is noticed and falls back."""
    state = st.session_state
    first = next(iter(APPLICATIONS))
    state["app"] = link.get("app", first)
    if state["app"] not in APPLICATIONS:
        notice("applications.unknown", name=state["app"])
        state["app"], link = first, {}
    models = _models(APPLICATIONS[state["app"]])
    state["app-model"] = link.get("model", next(iter(models), ""))
    if state["app-model"] not in models:
        notice("page.unknown_model", name=state["app-model"])
        state["app-model"] = next(iter(models), "")
    number = whole(link.get("n", "1"), 1, N_EXAMPLES)
    notice_wrong(["n"] * (number is None))
    state["app-n"] = number or 1
    state["app-head"] = link.get("head")
    state["app-fresh"] = "text" not in link
    if "text" in link:
        state.update({"app-text": link["text"], "app-target": link.get("target", "")})


ADDRESS = Address(
    "applications",
    _apply,
    names=frozenset({"app", "model", "n", "text", "target", "head"}),
    steps=frozenset({"app", "model"}),
    long=frozenset({"text", "target"}),
)


def show() -> None:
    """Controls above, the view at the left, what is known of it at the right; on a phone below each other."""
    ADDRESS.arrive()
    with st.container(key="controls"), head_row():
        st.space("stretch")
        take(ADDRESS)
    messages = message_box()
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
        st.selectbox(
            say("applications.which"),
            list(titles),
            format_func=titles.__getitem__,
            key="app",
            on_change=_another,
            **KEEP,
        )
        application = APPLICATIONS[st.session_state["app"]]
        models = _models(application)
        if not models:
            return application, None
        if st.session_state.get("app-model") not in models:
            st.session_state["app-model"] = next(iter(models))
        st.selectbox(
            say("page.model"),
            list(models),
            format_func=lambda name: title(models[name]),
            key="app-model",
            on_change=_begin,
            **KEEP,
        )
    model = models[st.session_state["app-model"]]
    about = f"applications.{application.name}.about"
    st.caption(plain(say(f"{about}.own" if recipe_of(model.name) in OWN else about)))
    return application, model


def _models(application: Application) -> dict[str, Listed]:
    """Return the shipped models of an application, then the runs of its recipes."""
    there = listed()
    found = {name: there[name] for name in application.recipes if name in there}
    return found | {name: there[name] for name in there if recipe_of(name) in application.recipes}


def _another() -> None:
    """Another application begins with its first model."""
    st.session_state.update({"app-model": "", "app-head": None})
    _begin()


def _begin() -> None:
    st.session_state["app-n"] = 1
    _leaf()


def _leaf() -> None:
    """Another input: what was chosen in the one before means nothing in it."""
    st.session_state["app-fresh"] = True
    for key in ("app-query", "app-sentence"):
        st.session_state.pop(key, None)


def _case(application: Application, model: Listed, messages: DeltaGenerator) -> Case | None:
    """Run the model on the typed text; None, with a message, if it cannot be run."""
    state = st.session_state
    task = task_of(model)
    rows = examples(task)
    state["app-n"] = min(state["app-n"], len(rows))
    if state.get("app-fresh", True):
        text, _ = text_of(task, rows[state["app-n"] - 1])  # the target is for the model to write
        state.update({"app-text": text, "app-target": "", "app-fresh": False})
    with st.container(horizontal=True, key="app-input", gap="small", vertical_alignment="bottom"):
        st.number_input(say("applications.example"), 1, len(rows), key="app-n", on_change=_leaf, width=150, **KEEP)
        st.text_area(say("applications.text"), key="app-text", height=68, **KEEP)
        if task.source_tokenizer is not None:
            st.text_area(
                say("applications.target"),
                key="app-target",
                height=68,
                placeholder=say("page.target_placeholder"),
                **KEEP,
            )
    text = state["app-text"] or ""
    target = (state.get("app-target") or "") if task.source_tokenizer is not None else ""
    example = rows[state["app-n"] - 1]
    known = text_of(task, example)
    row = example if text == known[0] and target in ("", known[1]) else None
    try:
        held = run(TraceKey(model.name, text, target, model.version))
    except AttnvizError as error:
        (messages.warning if isinstance(error, InputError) else messages.error)(explain(error))
        return None
    return Case(model, opened(model), task, held, row)


def _link(case: Case | None, model: Listed) -> dict[str, str]:
    state = st.session_state
    link = {"model": model.name, "n": str(state["app-n"]), "head": state.get("app-head") or ""}
    if case is None or case.row is None:
        link |= {"text": state["app-text"] or "", "target": state.get("app-target") or ""}
    return link
