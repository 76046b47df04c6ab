"""The browser view as a Streamlit component: bytes go down, nothing comes back but the wish to reload."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from attnviz import locale
from attnviz.server.routes import DATA_PATH
from attnviz.server.traces import Held, TraceKey
from attnviz.ui import link
from attnviz.view.payload import overview

__all__ = ["show_view"]

_view = st.components.v2.component("attnviz.view", js=(Path(__file__).parent / "loader.js").read_text("utf-8"))


def show_view(key: TraceKey, held: Held, lang: str) -> list[str]:
    """Place the view of a trace; returns the link's parameters that point outside of it."""
    choice, missing = link.choice(held.trace, key.model)
    payload = overview(
        held.trace,
        trace_id=held.id,
        data_url=f"{DATA_PATH}/{held.id}",
        choice=choice,
        strings=locale.view_strings(lang),
        lang=lang,
    )
    # "reload": the server no longer held this trace; the run that the event causes makes it anew, under another id
    _view(key="view", data=payload, on_reload_change=lambda: None)
    return missing
