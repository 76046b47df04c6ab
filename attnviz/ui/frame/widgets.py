"""Widgets by name: the key and the type of the value that Streamlit keeps for each session."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import streamlit as st

__all__ = ["Widget", "button", "segments", "select"]

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
        """Return the value in this session; set it before the widget is placed."""
        found = st.session_state.get(self.key)
        return self.default if found is None else cast(T, found)

    @value.setter
    def value(self, value: T) -> None:
        st.session_state[self.key] = value

    def hold(self, options: Container[T], first: T) -> None:
        """Set the value to `first` where it is not among the options."""
        if self.value not in options:
            self.value = first

    @property
    def kept(self) -> Mapping[str, Any]:
        """Return the arguments that place the widget: its key, and that the value stays while it is not on the page."""
        return {"key": self.key, "persist_state": "session"}


def button(label: str, key: str, on_click: Callable[..., None], *args: Any, icon: str = "", **more: Any) -> None:
    """Place a button that calls a function; `icon` is a name among Material's."""
    st.button(label, key=key, icon=f":material/{icon}:" if icon else None, on_click=on_click, args=args, **more)


def select(label: str, widget: Widget[T], titles: Mapping[T, str], **more: Any) -> T:
    """Place a list of titles; return the value that was chosen."""
    st.selectbox(label, list(titles), format_func=titles.__getitem__, **widget.kept, **more)
    return widget.value


def segments(label: str, widget: Widget[T], titles: Mapping[T, str], **more: Any) -> T:
    """Place titles beside each other, one of which is always chosen; return its value."""
    st.segmented_control(label, list(titles), format_func=titles.__getitem__, required=True, **widget.kept, **more)
    return widget.value
