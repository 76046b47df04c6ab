"""Have the whole page run again when the line to the server is there again: another server may be behind it.

It stands at the level of the page: what a fragment asks for is asked of that fragment, which a new session does not
know.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

__all__ = ["reconnect"]

_reconnect = st.components.v2.component("attnviz.reconnect", js=Path(__file__).with_suffix(".js").read_text("utf-8"))


def reconnect() -> None:
    """Place what listens."""
    with st.container(key="reconnect-box"):
        _reconnect(key="reconnect", on_reconnected_change=lambda: None)  # the run is what is asked for
