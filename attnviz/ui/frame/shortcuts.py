"""The switch for shortcuts of one letter, at the foot of every page: who dictates or mistypes presses them unawares."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from attnviz.ui.frame.language import say

__all__ = ["shortcuts"]

STYLE = "label { display: flex; align-items: center; gap: 0.4rem; min-height: 24px; font: 0.85rem var(--st-font); }"

_shortcuts = st.components.v2.component(
    "attnviz.shortcuts", css=STYLE, js=Path(__file__).with_suffix(".js").read_text("utf-8")
)


def shortcuts() -> None:
    """Place the switch."""
    with st.container(key="shortcuts"):
        _shortcuts(key="shortcuts-switch", data={"label": say("page.shortcuts")})
