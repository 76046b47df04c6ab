"""The top of every page: name, navigation, what the page puts there, languages; the messages, and what is loading."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache

import streamlit as st
from streamlit import Page
from streamlit.delta_generator import DeltaGenerator

from attnviz import locale
from attnviz.server.listing import Listed
from attnviz.server.open_models import ModelKey
from attnviz.server.people.classes import CLASS
from attnviz.server.stores import MODELS
from attnviz.ui import CLASSROOM, PAGES, PLACES
from attnviz.ui.frame.address import notices
from attnviz.ui.frame.language import choose, code, current, say
from attnviz.ui.frame.state import Session, page_state
from attnviz.ui.frame.who import hidden_pages

__all__ = ["head_row", "hidden_page", "link_to", "loading", "message_box", "page", "pages"]


def pages() -> list[Page]:
    """Return all pages, for the navigation."""
    return [page(name) for name in (*PAGES, *(["class"] if os.environ.get(CLASS) else []))]


def page(name: str) -> Page:
    """Return one page, to be linked to; its title is the document's."""
    return st.Page(
        PAGES.get(name, CLASSROOM), title=_title(current(), name), url_path=name, default=name == next(iter(PAGES))
    )


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
    hidden = hidden_pages()
    places = [seen for names in PLACES if (seen := [name for name in names if name not in hidden])]
    place = next((names for names in places if here in names), [here])
    with st.container(horizontal=True, key="head-row", gap="small", vertical_alignment="center"):
        st.markdown(f"**{say('page.name')}**", width="content")
        st.title(say(f"page.{here}"), anchor=False)
        _links("places", {names[0]: _place(names[0]) for names in places}, place[0])
        yield
        choose()
    if len(place) > 1:
        _links("pages", {name: say(f"page.{name}") for name in place}, here)


def _place(name: str) -> str:
    """Return the title of a place by its first page; where that one is hidden, the title of the next."""
    key = f"page.place.{name}"
    return say(key if locale.has(current(), key) else f"page.{name}")


def _links(key: str, labels: Mapping[str, str], here: str) -> None:
    """Place links to pages, by their names, with the one that is open marked."""
    with st.container(horizontal=True, key=f"nav-{key}", gap="xxsmall", width="content"):
        for name, label in labels.items():
            with st.container(key=f"here-{key}", width="content") if name == here else nullcontext():
                link_to(name, label)


def hidden_page(name: str) -> None:
    """In place of a page that the teacher has hidden, say so."""
    page_state(Session).page = name
    with st.container(key="controls"), head_row():
        st.space("stretch")
    message_box().info(say("class.hidden"))


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
