"""The Explorer's controls and its picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.errors import AttnvizError, EmptyText
from attnviz.library import MODELS_FOLDER
from attnviz.server.forward import continue_text, run
from attnviz.server.learned import check
from attnviz.server.listing import Listed
from attnviz.server.people.rights import offers
from attnviz.server.picture import Beside
from attnviz.server.reads import Reads
from attnviz.server.traces import Held, TraceKey
from attnviz.server.what_if import TWIN, twin_of, what_if
from attnviz.ui.explorer import link, modes, whatif
from attnviz.ui.explorer.about import about_model, way_back
from attnviz.ui.explorer.chips import show_chips
from attnviz.ui.explorer.fit import help_with
from attnviz.ui.explorer.inputs import choose_image, image_title, reads_of_listed, type_texts
from attnviz.ui.explorer.link import begin, examples_of, use
from attnviz.ui.explorer.modes import Mode
from attnviz.ui.explorer.numbers import show_numbers
from attnviz.ui.explorer.sentences import with_mask
from attnviz.ui.explorer.state import ExplorerState
from attnviz.ui.frame.address import notice
from attnviz.ui.frame.choices import find, listed
from attnviz.ui.frame.head import head_row, loading, message_box
from attnviz.ui.frame.language import code, current, explain, plain, say
from attnviz.ui.frame.page_file import take
from attnviz.ui.frame.state import Session, page_state
from attnviz.ui.frame.titles import described, full_title
from attnviz.ui.frame.view import asked_edit, show_view
from attnviz.ui.frame.who import hidden_pages, me
from attnviz.ui.frame.widgets import button, select

__all__ = ["show"]

MAX_NEW = 40  # symbols that one press of "continue" appends
EXAMPLE_CHARS = 120


def show() -> None:
    """Show the whole page: its head, and below it what alone runs again when somebody changes the model or the text."""
    link.ADDRESS.arrive()
    controls = st.container(key="controls", gap="xsmall")
    state = page_state(ExplorerState)
    state.head = _head()
    with controls:
        with head_row():
            if not state.frozen:
                take(link.ADDRESS)
                modes.choose()
        st.caption(say("page.what"))
    _below(controls)


def _head() -> tuple[object, ...]:
    """Return what the head of the page depends on, and which pages there are."""
    person = me()
    offered = [offers(person, control) for control in ("modes", "upload")]
    return current(), ExplorerState.mode.value, page_state(ExplorerState).frozen, hidden_pages(), *offered


@st.fragment
def _below(controls: DeltaGenerator) -> None:
    """Show the fields, in the container of the controls, and what the model does."""
    if page_state(ExplorerState).head != _head():  # Back, a link or the teacher changed more than this
        st.rerun()
    if not offers(me(), "edits"):
        whatif.forget()
    elif asked := asked_edit():
        _edit(asked)
    with controls:
        key = _controls()
    mode = modes.chosen()
    if mode is None:
        _picture(key)
    else:
        _begin_mode(mode, key)


def _begin_mode(mode: Mode, key: TraceKey) -> None:
    st.container(key="about")
    messages = message_box()
    link.publish(key, messages)
    if edits := whatif.in_force():
        messages.info(say("mode.edits", edits=code(edits)))
        key = key._replace(edits=edits)
    with st.container(key=f"mode-{mode.name}"):
        mode.module.show(key, messages)


def _controls() -> TraceKey:
    """Model, text and target, as chosen. Without any model the page says how to get one, and ends there."""
    models = _models()
    if not models:
        st.info(say("page.no_models", variable=code(MODELS_FOLDER)))
        st.stop()
    frozen, mode = page_state(ExplorerState).frozen, modes.chosen()
    with st.container(horizontal=True, key="texts", gap="small", vertical_alignment="bottom"):
        titles = _titles(models)
        name = select(
            say("page.model"),
            ExplorerState.model,
            titles,
            on_change=_model_chosen,
            required=True,
            width=250,
            disabled=frozen,
        )
        model = models[name]
        with loading(model):
            opened = reads_of_listed(model)
        reads = opened or Reads()
        if opened is not None:
            begin(model, opened)
        if mode is not None and not mode.types:
            reads = replace(reads, text=False, second="", image=False)
        if mode is not None and not mode.target and reads.second == "target":
            reads = replace(reads, second="")
        type_texts(reads)
        if reads.image and not frozen:
            choose_image()
        if reads.text and not frozen:  # leaving the field hands its text in; people look for the button
            st.button(say("page.run"), key="run", type="primary", help=say("page.run_help"))
        if reads.continues and mode is None and not frozen:
            text = say("page.continue")
            button(text, "continue", _continue, model, icon="play_arrow", help=say("page.continue_help"))
    with st.container(horizontal=True, key="examples", gap="xsmall", vertical_alignment="center"):
        if opened is not None and not frozen and (mode is None or mode.types):
            _examples(model, opened)
    return TraceKey(
        model.name,
        ExplorerState.text.value if reads.text else "",
        ExplorerState.target.value if reads.second else "",
        model.version,
        ExplorerState.image.value if reads.image else "",
    )


def _models() -> dict[str, Listed]:
    """Return all models to choose from; the chosen one is among them, be it an earlier checkpoint of a run."""
    models = dict(listed(current()))
    own, name = find(page_state(Session).upload), ExplorerState.model.value
    if own is not None:
        models[own.name] = own
    chosen = find(name)
    if chosen is not None:
        models.setdefault(chosen.name, chosen)
    elif models and name:  # its run was deleted
        notice("page.unknown_model", name=name)
        link.start(next(iter(listed().values())))
    return models


def _titles(models: Mapping[str, Listed]) -> dict[str, str]:
    """Return the title of each model in the list: title and architecture, with the name where two would be alike."""
    lang = current()
    titles = {name: full_title(model, lang) for name, model in models.items()}
    count = Counter(titles.values())
    return {name: text if count[text] == 1 else f"{text} ({name})" for name, text in titles.items()}


def _model_chosen() -> None:
    link.start(find(ExplorerState.model.value))


def _examples(model: Listed, reads: Reads) -> None:
    if found := examples_of(model, reads):
        st.markdown(say("page.examples"), width="content")
    for index, (text, target) in enumerate(found):
        key = f"example-{model.name}-{index}"
        button(code(text, EXAMPLE_CHARS), key, use, text, target, help=say("page.use_example"))
    if reads.mask:
        button(code(reads.mask), "mask", _hide, reads.mask, help=say("models.mask_help"))


def _hide(mask: str) -> None:
    """Append a hidden token for the model to guess."""
    ExplorerState.text.value = with_mask(ExplorerState.text.value, mask)


def _continue(model: Listed) -> None:
    """Append what the model itself would write."""
    text = ExplorerState.text.value
    with suppress(AttnvizError):  # the run that follows says what is wrong with this text or this model
        longer = continue_text(TraceKey(model.name, text, version=model.version), MAX_NEW)
        if longer == text:
            notice("page.nothing_to_add")
        ExplorerState.text.value = longer


def _picture(key: TraceKey) -> None:
    """Run the model and show every number; when that fails, say why and keep the last good picture."""
    about = st.container(key="about")
    messages = message_box()
    shown, held, error = key, None, None
    try:
        check(key)
        held = run(key)
    except AttnvizError as refused:
        held, shown = _last_good()
        error = refused
    help_with(key, messages, error)
    link.publish(key, messages)  # refused or not: a reload finds what was typed
    if held is None:
        messages.info(say("page.how_to_begin" if isinstance(error, EmptyText) else "page.no_picture"))
        return
    if error is not None:
        title = _titles(_models()).get(shown.model, shown.model)
        text = code(shown.text) if shown.text else image_title(shown.image)
        messages.caption(say("page.text_shown", text=text, model=code(title)))
    page_state(ExplorerState).shown = shown
    with about:
        if page_state(ExplorerState).chips:
            way_back(key)  # the chips stand in place of what the model is
        else:
            _about(key, held if shown == key else None)
    if held.trace.target_generated:
        messages.caption(say("page.target_written", target=code(held.trace.target or "")))
    edited = _edited(shown, messages)
    show_chips(about, held.trace)
    if held.trace.sites or held.trace.outputs is not None:
        _view(shown, held, edited, messages)
    show_numbers((edited or held).trace)


def _edited(key: TraceKey, messages: DeltaGenerator) -> Held | None:
    """Return the trace with the edits in force; None without any, and where it cannot be: the page says why."""
    try:
        return run(key._replace(edits=edits)) if (edits := whatif.in_force()) else None
    except AttnvizError as error:
        messages.warning(say("whatif.refused", reason=explain(error)))
        return None


def _view(key: TraceKey, held: Held, edited: Held | None, messages: DeltaGenerator) -> None:
    """Show the trace, or the one with edits in front and this one beside it."""
    state = page_state(ExplorerState)
    undo = bool(state.chips or state.undone)
    is_offered = offers(me(), "edits") and not state.frozen
    offered = what_if(held.trace, current(), undo, edited and edited.trace) if is_offered else None
    if edited is None:
        show_view(key, held, current(), messages, what_if=offered)
    else:
        after = key._replace(edits=whatif.in_force())
        show_view(after, edited, current(), messages, Beside(key, held), offered)


def _edit(asked: str) -> None:
    """Do what the view asks for."""
    if asked == TWIN:
        text, target = ExplorerState.text.value, ExplorerState.target.value
        link.start(twin_of(ExplorerState.model.value))
        use(text, target)
    else:
        whatif.change(asked)


def _about(key: TraceKey, held: Held | None) -> None:
    """Describe the chosen model, and lead back to its training."""
    way_back(key)
    if text := described(key.model, "about", current()):
        st.caption(plain(text))
    elif held is not None and held.trace.model.facts.kind:
        st.caption(plain(about_model(held.trace)))


def _last_good() -> tuple[Held | None, TraceKey]:
    shown = page_state(ExplorerState).shown
    if shown is not None:
        with suppress(AttnvizError):  # its run was deleted since
            return run(shown), shown
    return None, TraceKey("", "")
