"""The Models page: all that can be opened, what is known of it, and three ways to bring more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.column_types import ColumnConfig

from attnviz.downloads import DOWNLOADS, downloads_are_on
from attnviz.errors import AttnvizError
from attnviz.library import MODELS_FOLDER, model_folder
from attnviz.loading import HUB, open_checkpoint
from attnviz.models import SequenceModel
from attnviz.models.cost import n_parameters
from attnviz.sandbox import STAGES, prepare
from attnviz.server.listing import Listed
from attnviz.server.open_models import ModelKey
from attnviz.server.opening import VERDICTS, Reason, open_model
from attnviz.server.stores import MODELS, UPLOADS
from attnviz.server.uploads import is_upload, upload_limit
from attnviz.server.words import in_words
from attnviz.ui.frame.address import Address, notice, notice_error
from attnviz.ui.frame.choices import find, hub_name, openable
from attnviz.ui.frame.head import head_row, link_to, loading, message_box, page
from attnviz.ui.frame.language import code, current, explain, say
from attnviz.ui.frame.state import Session, page_state
from attnviz.ui.frame.table import Row, Table
from attnviz.ui.frame.titles import model_title
from attnviz.ui.models.outline import Outline, outline_of, outline_of_config, outline_of_network, size_of
from attnviz.ui.models.state import ModelsState
from attnviz.zoo import FOLDER

__all__ = ["show"]

FILE = "model-file"
MOST = 15  # rows that are seen at once
NUMBERS = {"layers": 52, "heads": 56, "kv_heads": 90, "d_model": 64, "parameters": 82, "size": 104, "context": 94}
"""Columns of numbers, with their widths in pixels: all columns fit into 1,320."""


def _apply(link: Mapping[str, str]) -> None:
    """Nothing of this page is in its address."""


ADDRESS = Address("models", _apply, names=frozenset(), steps=frozenset())


def show() -> None:
    """Show ways to bring a model, and below them the list."""
    ADDRESS.arrive()
    state = page_state(ModelsState)
    (action, name), state.asked = state.asked, ("", "")
    if action == "open":
        st.switch_page(page("explorer"), query_params={"model": name})
    if action == "run":
        st.switch_page(page("runs"), query_params={"run": open_checkpoint(name)[0].name})
    with st.container(key="controls"), head_row():
        st.space("stretch")
    messages = message_box()
    with st.container(key="bring", horizontal=True, gap="medium"):
        with st.container(key="bring-zip", gap="xsmall"):
            _receive()
        with st.container(key="bring-more", gap="xsmall"):
            _other_ways()
    with st.container(key="checking"):
        if action == "check":
            _check(name, messages)
    with st.container(key="list"):
        _list()
    ADDRESS.publish({})


def _receive() -> None:
    """Upload the folder of a model as a zip file."""
    prepare()  # while they choose the file
    session = page_state(Session)
    server = int(st.get_option("server.maxUploadSize") or 0)
    limit = min(upload_limit(), server) if server else upload_limit()
    key = f"{FILE}-{session.n_taken[FILE]}"  # another one each time: the server keeps no second copy
    file = st.file_uploader(say("models.upload", limit=limit), type=["zip"], key=key, max_upload_size=limit)
    st.caption(say("models.upload_about"))
    if file is None:
        return
    with st.spinner(say("models.unpacking", name=code(file.name))):
        try:
            upload = UPLOADS.put(file, file.name)
        except AttnvizError as error:
            notice_error(error)
        else:
            if session.upload:
                UPLOADS.drop(session.upload)
            session.upload = upload.name
            _ask("check", upload.name)
    session.n_taken[FILE] += 1
    st.rerun()


def _other_ways() -> None:
    """Open models of the Hub, if the administrator allows it, and of the administrator's own folder."""
    if downloads_are_on():
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            st.text_input(say("models.hub"), key=ModelsState.hub.key, placeholder=say("models.hub_placeholder"))
            st.button(say("models.download"), key="download", icon=":material/download:", on_click=_download)
    else:
        st.caption(say("models.hub_off", variable=code(f"{DOWNLOADS}=1")))
    st.caption(say("models.folder_about", variable=code(MODELS_FOLDER)))


def _download() -> None:
    text = ModelsState.hub.value.strip()
    name = hub_name(text)
    if name is None:
        notice("models.no_id", name=text)
    else:
        _ask("check", name)


def _check(name: str, messages: DeltaGenerator) -> None:
    """Open a model, and say what became of it."""
    model = find(name)
    if model is None:
        messages.warning(say("page.unknown_model", name=code(name)))
        return
    try:
        if is_upload(name):
            _examine(model)
        with loading(model):
            open_model(model.name, model.version)
    except AttnvizError as error:
        messages.error(explain(error))
    else:
        messages.success(say("models.can_be_shown", name=code(model.title)))


def _examine(model: Listed) -> None:
    """Open what was handed in apart from the server, and show how far that is."""
    bar = st.progress(0.0, text=say("models.stage.starting", name=code(model.title)))

    def tell(stage: str) -> None:
        done = STAGES.index(stage) / len(STAGES) if stage in STAGES else 0.0
        bar.progress(done, text=say(f"models.stage.{stage}", name=code(model.title)))

    try:
        UPLOADS.examine(model.name, tell)
    except AttnvizError as error:
        VERDICTS[ModelKey(model.name, model.version)] = Reason(error.code, error.details)
        raise
    finally:
        bar.empty()


def _list() -> None:
    """Show the models that have all words of the search, and what can be done with the chosen one."""
    models, state = {model.name: model for model in openable()}, page_state(ModelsState)
    with st.container(horizontal=True, key="search", gap="small", vertical_alignment="center"):
        label = say("models.table.find")
        st.text_input(label, placeholder=label, label_visibility="collapsed", width=280, **ModelsState.search.kept)
        with st.container(horizontal=True, key="of-chosen", gap="small", vertical_alignment="center"):
            _actions(models.get(state.chosen))
    words = ModelsState.search.value.lower().split()
    rows = {name: _row(model) for name, model in models.items()}
    found = {name: row for name, row in rows.items() if all(word in f"{name} {row.cells}".lower() for word in words)}
    if found:
        table = Table("models-table", say("models.table.caption"), _columns(), _choose, _ask, "single-row", MOST)
        table.show(found, [state.chosen])
    else:
        st.caption(say("models.table.none"))


def _choose(names: list[str]) -> None:
    page_state(ModelsState).chosen = names[0] if names else ""


def _ask(action: str, name: str) -> None:
    """Have the next run of the page open a model, show its run or check it."""
    page_state(ModelsState).asked = (action, name)


def _actions(model: Listed | None) -> None:
    """Show what can be done with the chosen model: the keyboard reaches it too."""
    if model is None:
        st.caption(say("models.table.choose"))
        return
    link_to("explorer", say("models.table.open"), model=model.name)
    if model.step is not None:
        link_to("runs", say("models.table.run"), run=model.title)
    if _verdict(model, _outline(model))[0] == "unknown":
        st.button(say("models.table.check"), key="check", on_click=_ask, args=("check", model.name))


def _columns() -> dict[str, ColumnConfig]:
    column = st.column_config
    return {
        "model": column.TextColumn(say("models.table.model"), width=246),
        "source": column.TextColumn(say("models.table.source"), width=128),
        "kind": column.TextColumn(say("models.table.kind"), width=142),
        **{
            key: column.NumberColumn(
                say(f"models.table.{key}"), format="%,.3f" if key == "size" else "%,d", width=width
            )
            for key, width in NUMBERS.items()
        },
        "shown": column.TextColumn(say("models.table.shown"), width=150),
    }


def _row(model: Listed) -> Row:
    outline = _outline(model)
    state, shown = _verdict(model, outline)
    stacks = " + ".join(map(str, outline.layers)) if len(outline.layers) > 1 else ""
    architecture = say(f"models.table.{outline.architecture}") if outline.architecture else ""
    actions = {"open": True, "run": model.step is not None, "check": state == "unknown"}
    return Row(
        {
            "model": model_title(model, current()),
            "source": say(f"models.table.source.{_source(model)}"),
            "kind": " · ".join(filter(None, (outline.kind, architecture, stacks))),
            "layers": sum(outline.layers) or None,
            "heads": outline.heads,
            "kv_heads": outline.kv_heads,
            "d_model": outline.d_model,
            "parameters": outline.n_parameters,
            "size": None if outline.nbytes is None else outline.nbytes / 1e6,
            "context": outline.context,
            "shown": {"yes": "✓ ", "no": "✕ "}.get(state, "") + shown,
        },
        {action: say(f"models.table.{action}") for action, is_there in actions.items() if is_there},
    )


def _source(model: Listed) -> str:
    if model.step is not None:
        return "runs"
    if model.name.startswith(HUB):
        return "hub"
    if is_upload(model.name):
        return "uploaded"
    return "zoo" if model.folder is not None and model.folder.parent == FOLDER else "folders"


def _verdict(model: Listed, outline: Outline) -> tuple[str, str]:
    """Whether all of it can be shown: "yes", "no" or "unknown", and in words.

    Of our own models all can be shown, unless their weights cannot be read.
    """
    key = ModelKey(model.name, model.version)
    reason = VERDICTS.get(key)
    if reason is not None:
        return "no", in_words(current(), reason.code, reason.details)
    if key in VERDICTS or (model.architecture and outline.n_parameters is not None):
        attends = outline.heads != 0
        shown = "all" if attends else "states" if outline.receptive_field is None else "answers"
        return "yes", say(f"models.table.{shown}")
    return "unknown", say("models.table.unknown")


def _outline(model: Listed) -> Outline:
    if model.step is not None:
        return _of_checkpoint(model)
    if model.folder is not None:
        return _of_folder(model.folder, model.version)
    opened = MODELS.get(ModelKey(model.name, model.version))
    if opened is None or isinstance(opened, SequenceModel):
        return Outline()
    return outline_of_config(opened.config.to_dict(), type(opened.network).__name__)


@lru_cache(1024)
def _of_folder(folder: Path, version: int) -> Outline:
    return outline_of(model_folder(folder))


@lru_cache(1024)
def _of_checkpoint(model: Listed) -> Outline:
    run, step = open_checkpoint(model.name)
    outline, size = outline_of_network(run.config.model), size_of([run.checkpoint_path(step)])
    return replace(outline, n_parameters=n_parameters(run.config.model), nbytes=size)
