"""The top of every page: name, navigation, what the page puts there, languages; the messages, and what is loading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache

import streamlit as st
from streamlit import Page
from streamlit.delta_generator import DeltaGenerator

from attnviz import locale
from attnviz.server.listing import Listed
from attnviz.server.open_models import ModelKey
from attnviz.server.stores import MODELS
from attnviz.ui import PAGES, PLACES
from attnviz.ui.frame.address import notices
from attnviz.ui.frame.language import choose, code, current, say
from attnviz.ui.frame.state import Session, page_state

__all__ = ["head_row", "link_to", "loading", "message_box", "page", "pages"]


def pages() -> list[Page]:
    """Return all pages, for the navigation."""
    return [page(name) for name in PAGES]


def page(name: str) -> Page:
    """Return one page, to be linked to; its title is the document's."""
    return st.Page(PAGES[name], title=_title(current(), name), url_path=name, default=name == next(iter(PAGES)))


@cache
def _title(lang: str, name: str) -> str:
    return locale.t(lang, "page.title", page=locale.t(lang, f"page.{name}"))


def link_to(name: str, label: str, icon: str = "", **parameters: str) -> None:
    """Place a link to a page, with parameters of its address; `icon` is a name among Material's."""
    symbol = f":material/{icon}:" if icon else None
    st.page_link(page(name), label=label, icon=symbol, query_params=parameters)


@contextmanager
def head_row() -> Iterator[None]:
    """Name and places, then what is placed inside, then the languages; below them the pages of this place.

    The page's title is a heading for those who listen; for the eye, its link is marked.
    """
    here = page_state(Session).page
    place = next(names for names in PLACES if here in names)
    with st.container(horizontal=True, key="head-row", gap="small", vertical_alignment="center"):
        st.markdown(f"**{say('page.name')}**", width="content")
        st.title(say(f"page.{here}"), anchor=False)
        _links("places", {names[0]: say(f"page.place.{names[0]}") for names in PLACES}, place[0])
        yield
        choose()
    if len(place) > 1:
        _links("pages", {name: say(f"page.{name}") for name in place}, here)


def _links(key: str, labels: Mapping[str, str], here: str) -> None:
    """Place links to pages, by their names, with the one that is open marked."""
    with st.container(horizontal=True, key=f"nav-{key}", gap="xxsmall", width="content"):
        for name, label in labels.items():
            with st.container(key=f"here-{key}", width="content") if name == here else nullcontext():
                link_to(name, label)


@contextmanager
def loading(model: Listed) -> Iterator[None]:
    """While a model is opened inside, say so over the page; nothing on it moves."""
    with st.container(key="loading"):
        if model.architecture or ModelKey(model.name, model.version) in MODELS:  # ours are there at once
            yield
        else:
            with st.spinner(say("models.loading", name=code(model.title))):
                yield


def message_box() -> DeltaGenerator:
    """Make the container for a page's errors, and show the messages waiting for it."""
    messages = st.container(key="messages", gap="xsmall")
    for text in notices():
        messages.warning(text)
    return messages
