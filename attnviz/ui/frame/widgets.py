"""Widgets by name: the key and the type of the value that Streamlit keeps for each session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import streamlit as st

__all__ = ["Widget", "segments", "select"]

T = TypeVar("T")


@dataclass
class Widget(Generic[T]):
    """A widget, declared once beside the state of its page.

    Attributes:
        key: its key in Streamlit.
        default: its value while it is empty.
    """

    key: str
    default: T

    @property
    def value(self) -> T:
        """The value in this session; set it before the widget is placed."""
        found = st.session_state.get(self.key)
        return self.default if found is None else cast(T, found)

    @value.setter
    def value(self, value: T) -> None:
        st.session_state[self.key] = value

    @property
    def kept(self) -> Mapping[str, Any]:
        """Arguments that place the widget: its key, and that the value stays while it is not on the page."""
        return {"key": self.key, "persist_state": "session"}


def select(label: str, widget: Widget[T], titles: Mapping[T, str], **more: Any) -> T:
    """Place a list of titles; returns the value that was chosen."""
    st.selectbox(label, list(titles), format_func=titles.__getitem__, **widget.kept, **more)
    return widget.value


def segments(label: str, widget: Widget[T], titles: Mapping[T, str], **more: Any) -> T:
    """Place titles beside each other, one of which is always chosen; returns its value."""
    st.segmented_control(label, list(titles), format_func=titles.__getitem__, required=True, **widget.kept, **more)
    return widget.value
