"""The Models page: all that can be opened, what is known of it, and three ways to bring more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz import locale
from attnviz.downloads import DOWNLOADS, downloads_are_on
from attnviz.errors import AttnvizError
from attnviz.library import MODELS_FOLDER, model_folder
from attnviz.loading import HUB, open_checkpoint
from attnviz.models import SequenceModel
from attnviz.models.cost import n_parameters
from attnviz.sandbox import STAGES, prepare
from attnviz.server.listing import Listed, find, listed
from attnviz.server.open_models import ModelKey
from attnviz.server.opening import VERDICTS, Reason, open_model
from attnviz.server.stores import MODELS, UPLOADS
from attnviz.server.uploads import is_upload, upload_limit
from attnviz.server.words import in_words
from attnviz.ui.frame.address import Address, notice, notice_error
from attnviz.ui.frame.head import head_row, loading, message_box
from attnviz.ui.frame.head import page as link_to
from attnviz.ui.frame.language import code, current, explain, say
from attnviz.ui.frame.numbers import short
from attnviz.ui.frame.state import Session, page_state
from attnviz.ui.frame.titles import model_title
from attnviz.ui.models.outline import Outline, outline_of, outline_of_config, size_of
from attnviz.zoo import FOLDER

__all__ = ["show"]

COLUMNS = {
    "kind": False,
    "layers": True,
    "heads": True,
    "d_model": True,
    "parameters": True,
    "size": True,
    "context": True,
    "shown": False,
}
SECTIONS = ("uploaded", "hub", "folders", "runs", "zoo")
ID = re.compile(r"(?:https?://huggingface\.co/)?(?P<id>\w[\w.-]*(?:/\w[\w.-]*)?)/?", re.ASCII)

_table = st.components.v2.component("attnviz.models", js=(Path(__file__).parent / "table.js").read_text("utf-8"))


def _apply(link: Mapping[str, str]) -> None:
    """Nothing of this page is in its address."""


ADDRESS = Address("models", _apply, names=frozenset(), steps=frozenset())


def show() -> None:
    """Show ways to bring a model, and below them the list."""
    ADDRESS.arrive()
    state = st.session_state
    if name := state.pop("to_open", None):
        st.switch_page(link_to("explorer"), query_params={"model": name})
    if name := state.pop("to_run", None):
        st.switch_page(link_to("runs"), query_params={"run": open_checkpoint(name)[0].name})
    with st.container(key="controls"), head_row():
        st.space("stretch")
    messages = message_box()
    with st.container(key="bring", horizontal=True, gap="medium"):
        with st.container(key="bring-zip", gap="xsmall"):
            _receive()
        with st.container(key="bring-more", gap="xsmall"):
            _other_ways()
    with st.container(key="checking"):
        if name := state.pop("to_check", None):
            _check(name, messages)
    with st.container(key="list"):
        _list()
    ADDRESS.publish({})


def _receive() -> None:
    """Upload the folder of a model as a zip file."""
    prepare()  # while they choose the file
    state = st.session_state
    server = int(st.get_option("server.maxUploadSize") or 0)
    limit = min(upload_limit(), server) if server else upload_limit()
    key = f"model-file-{state.get('models_taken', 0)}"  # another one each time: the server keeps no second copy
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
            session = page_state(Session)
            if session.upload:
                UPLOADS.drop(session.upload)
            session.upload = state["to_check"] = upload.name
    state["models_taken"] = state.get("models_taken", 0) + 1
    st.rerun()


def _other_ways() -> None:
    """Open models of the Hub, if the administrator allows it, and of the administrator's own folder."""
    if downloads_are_on():
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            st.text_input(say("models.hub"), key="hub_id", placeholder=say("models.hub_placeholder"))
            st.button(say("models.download"), key="download", icon=":material/download:", on_click=_download)
    else:
        st.caption(say("models.hub_off", variable=code(f"{DOWNLOADS}=1")))
    st.caption(say("models.folder_about", variable=code(MODELS_FOLDER)))


def _download() -> None:
    text = (st.session_state["hub_id"] or "").strip()
    match = ID.fullmatch(text)
    if match is None:
        notice("models.no_id", name=text)
    else:
        st.session_state["to_check"] = HUB + match["id"]


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
    rows = list(_rows())
    _table(
        key="models-table",
        data={
            "lang": current(),
            "strings": locale.strings(current(), "models.table."),
            "columns": [
                {"key": key, "label": say(f"models.table.{key}"), "isNumber": number} for key, number in COLUMNS.items()
            ],
            "sections": [{"key": key, "label": say(f"models.table.section.{key}")} for key in SECTIONS],
            "rows": rows,
        },
        on_check_change=lambda: _told("check"),
        on_open_change=lambda: _told("open"),
        on_run_change=lambda: _told("run"),
    )


def _told(what: str) -> None:
    """Act on a button of the table; the browser may send anything."""
    name = st.session_state["models-table"].get(what)
    if isinstance(name, str) and find(name) is not None:
        st.session_state[f"to_{what}"] = name


def _rows() -> Iterator[dict[str, Any]]:
    upload = find(page_state(Session).upload)
    hub = [find(key.name) for key in MODELS.keys() if key.name.startswith(HUB)]  # noqa: SIM118
    for model in [upload, *hub, *listed().values()]:
        if model is not None:
            yield _row(model)


def _row(model: Listed) -> dict[str, Any]:
    outline = _outline(model)
    state, shown = _verdict(model, outline)
    kind = [outline.kind, say(f"models.table.{outline.architecture}") if outline.architecture else ""]
    return {
        "name": model.name,
        "title": model_title(model, current()),
        "section": _section(model),
        "run": model.title if model.step is not None else "",
        "state": state,
        "cells": {
            "kind": " · ".join(filter(None, kind)) or "–",
            "layers": outline.layers or "–",
            "heads": _heads(outline),
            "d_model": _number(outline.d_model),
            "parameters": _number(outline.n_parameters),
            "size": "–" if outline.nbytes is None else f"{short(outline.nbytes)}B",
            "context": _number(outline.context),
            "shown": shown,
        },
    }


def _section(model: Listed) -> str:
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
        return "yes", say("models.table.all" if outline.heads != 0 else "models.table.states")
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
    config = run.config.model
    two = config.architecture == "encoder-decoder"
    return Outline(
        architecture=config.architecture,
        layers=f"{config.n_layers} + {config.n_layers}" if two else str(config.n_layers),
        heads=config.n_heads,
        d_model=config.d_model,
        n_parameters=n_parameters(config),
        nbytes=size_of(run.checkpoint_path(step)),
        context=config.max_len,
    )


def _heads(outline: Outline) -> str:
    if outline.heads is None:
        return "–"
    if outline.kv_heads is None:
        return str(outline.heads)
    return say("models.grouped", heads=outline.heads, groups=outline.kv_heads)


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
