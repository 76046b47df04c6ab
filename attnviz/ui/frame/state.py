"""State of a session: one typed object for the frame and one for each page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import streamlit as st

from attnviz.ui.frame.widgets import Widget

__all__ = ["Session", "page_state"]

S = TypeVar("S")


def page_state(kind: type[S]) -> S:
    """Return this session's object of a class, made with its defaults when first asked for."""
    state: S = st.session_state.setdefault(kind.__name__, kind())
    return state


@dataclass
class Session:
    """State that all pages share.

    Attributes:
        name: random, for `address.js`, which outlives the session; "" before the first page.
        page: name of the page that was opened last.
        visited: names of the pages that were opened.
        notices: messages for the page to show once, as Markdown.
        links: the link that each model's view follows.
        n_links: number of links that views were given.
        n_moves: number of the last move in the browser's history that was followed.
        missing_said: number of the link whose wrong places were said.
        upload: name of the model that was uploaded last.
        n_taken: number of files that were taken, by the key of their field.
    """

    lang = Widget("lang", "")
    address = Widget[dict[str, object]]("address", {})

    name: str = ""
    page: str = ""
    visited: set[str] = field(default_factory=set)
    notices: list[str] = field(default_factory=list)
    links: dict[str, Mapping[str, str]] = field(default_factory=dict)
    n_links: int = 0
    n_moves: int = 0
    missing_said: int = 0
    upload: str = ""
    n_taken: Counter[str] = field(default_factory=Counter)
