"""The Explorer's controls and its picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

import streamlit as st

from attnviz import locale
from attnviz.errors import AttnvizError, EmptyText, InputError
from attnviz.models import generate
from attnviz.ui import link
from attnviz.ui.address import notice
from attnviz.ui.component import show_view
from attnviz.ui.head import head_row, message_box
from attnviz.ui.language import code, current, explain, plain, say
from attnviz.ui.shared import MODELS_FOLDER, Listed, find, listed, open_model, run
from attnviz.ui.store import Held, TraceKey

__all__ = ["controls", "picture"]

MAX_NEW = 40  # symbols that one press of "continue" appends
EXAMPLE_CHARS = 17


def controls() -> TraceKey:
    """Model, text and target, as chosen. Without any model the page says how to get one, and ends there."""
    state = st.session_state
    models = _models()
    if not models:
        st.info(say("page.no_models", variable=code(MODELS_FOLDER)))
        st.stop()
    titles = _titles(models)
    with st.container(key="controls", gap="xsmall"):
        with head_row():
            st.selectbox(
                say("page.model"),
                list(models),
                format_func=titles.__getitem__,
                key="model",
                on_change=_model_chosen,
                label_visibility="collapsed",
                required=True,
                width=250,
                persist_state="session",
            )
            model = models[state["model"]]
            with st.container(horizontal=True, key="examples", gap="xsmall"):
                _examples(model)
        with st.container(horizontal=True, key="texts", gap="small"):
            reads_two = model.architecture == "encoder-decoder"
            st.text_area(
                say("page.source" if reads_two else "page.text"),
                key="text",
                height=68,
                placeholder=say("page.text_placeholder"),
                label_visibility="collapsed",
                persist_state="session",
            )
            if reads_two:
                st.text_area(
                    say("page.target"),
                    key="target",
                    height=68,
                    placeholder=say("page.target_placeholder"),
                    label_visibility="collapsed",
                    persist_state="session",
                )
        about = f"zoo.{model.name}.about"
        if locale.has(current(), about):
            st.container(key="about").caption(plain(say(about)))
    target = (state.get("target") or "") if reads_two else ""
    return TraceKey(model.name, state["text"] or "", target, model.version)


def _models() -> dict[str, Listed]:
    """All models to choose from; the chosen one is among them, be it an earlier checkpoint of a run."""
    models = dict(listed())
    chosen = find(st.session_state["model"]) if st.session_state.get("model") else None
    if chosen is not None:
        models.setdefault(chosen.name, chosen)
    elif models and st.session_state.get("model"):  # its run was deleted
        notice("page.unknown_model", name=st.session_state["model"])
        link.start(next(iter(models.values())))
    return models


def _titles(models: Mapping[str, Listed]) -> dict[str, str]:
    """What stands for each model in the list: title and architecture, and the name where two would be alike."""
    titles = {name: _title(model) for name, model in models.items()}
    count = Counter(titles.values())
    return {name: text if count[text] == 1 else f"{text} ({name})" for name, text in titles.items()}


def _title(model: Listed) -> str:
    if model.step is not None:
        return say("page.run_title", name=model.title, step=f"{model.step:,}")
    key = f"zoo.{model.name}.title"
    name = say(key) if locale.has(current(), key) else model.title
    return say("page.model_title", title=name, kind=say(f"page.{model.architecture}")) if model.architecture else name


def _model_chosen() -> None:
    link.start(find(st.session_state["model"]))


def _examples(model: Listed) -> None:
    for index, (text, target) in enumerate(model.examples):
        st.button(
            code(text, EXAMPLE_CHARS),
            key=f"example-{model.name}-{index}",
            help=say("page.use_example"),
            on_click=_use,
            args=(text, target),
        )
    if model.architecture == "decoder":
        st.button(
            say("page.continue"),
            key="continue",
            icon=":material/play_arrow:",
            on_click=_continue,
            args=(model,),
            help=say("page.continue_help"),
        )


def _use(text: str, target: str) -> None:
    st.session_state.update(text=text, target=target)


def _continue(model: Listed) -> None:
    """Append what the model itself would write."""
    text = st.session_state["text"] or ""
    with suppress(AttnvizError):  # the run that follows says what is wrong with this text or this model
        longer = generate(open_model(model.name, model.version), text, max_new=MAX_NEW)
        if longer == text:
            notice("page.nothing_to_add")
        st.session_state["text"] = longer


def picture(key: TraceKey) -> None:
    """Run the model and show every number; when that fails, say why and keep the last good picture."""
    messages = message_box()
    shown = key
    held: Held | None
    try:
        held = run(key)
    except AttnvizError as error:
        (messages.warning if isinstance(error, InputError) else messages.error)(explain(error))
        held, shown = _last_good()
        if held is None:
            messages.info(say("page.how_to_begin" if isinstance(error, EmptyText) else "page.no_picture"))
            return
        title = _titles(_models()).get(shown.model, shown.model)
        messages.caption(say("page.text_shown", text=code(shown.text), model=code(title)))
    st.session_state["shown"] = shown
    if held.trace.target_generated:
        messages.caption(say("page.target_written", target=code(held.trace.target or "")))
    missing = show_view(shown, held, current())
    if missing and not st.session_state.get("missing_said"):
        messages.warning(say("page.unknown_place", names=", ".join(map(code, missing))))
    st.session_state["missing_said"] = True
    link.publish(shown)


def _last_good() -> tuple[Held | None, TraceKey]:
    shown: TraceKey | None = st.session_state.get("shown")
    if shown is not None:
        with suppress(AttnvizError):  # its run was deleted since
            return run(shown), shown
    return None, TraceKey("", "")
