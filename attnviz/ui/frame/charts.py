"""Place figures on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from attnviz.figures.theme import DARK, LIGHT, Theme

__all__ = ["CHART", "PICTURE", "theme"]

CHART: Mapping[str, Any] = {"theme": None, "config": {"displaylogo": False}}
"""For `st.plotly_chart`: the figure's own colours, tools without the library's sign."""

PICTURE: Mapping[str, Any] = {"theme": None, "config": {"displayModeBar": False}}
"""For one that is a picture more than a chart: without tools."""


def theme() -> Theme:
    """Return the colours of figures on this page."""
    return DARK if st.context.theme.type == "dark" else LIGHT
