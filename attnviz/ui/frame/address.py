"""The address of each page: read when a page begins, written by the browser.

Two scripts write it, each only its own parameters, both with the history API: `address.js` writes what Python publishes
here; the views write theirs (layer, head, step and the like). Python never writes it, and no widget is bound to it:
Streamlit would replace the whole query by what it knew of it, and forget what the views wrote. The navigation's links
have no parameters, so a page never sees those of another one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus

import streamlit as st

from attnviz import locale
from attnviz.errors import AttnvizError
from attnviz.server.shell import THEMES
from attnviz.ui import PAGES
from attnviz.ui.frame.language import code, current, explain, say
from attnviz.ui.frame.state import Session, page_state

__all__ = ["LONGEST", "Address", "begin", "length", "notice", "notice_error", "notice_wrong", "notices"]

OF_ALL = {"lang": ".*", "embed": ".*", "embed_options": ".*", "theme": "|".join(THEMES)}
"""Parameters of every page, with a pattern of their values; `embed` and `embed_options` are Streamlit's."""

TRACKING = re.compile(r"utm|fbclid$|gclid$")
"""Parameters that newsletters and networks add to any link; they ask for nothing."""

LONGEST = 7000
"""Bytes of the parameters that a page writes: a common proxy takes 8 kB of an address, and the view writes some."""

_address = st.components.v2.component("attnviz.address", js=(Path(__file__).parent / "address.js").read_text("utf-8"))


def length(parameters: Mapping[str, str]) -> int:
    """Return the bytes of parameters in an address, as browsers write them: a character takes up to twelve.

    Example:
        >>> length({"text": "a b"}), length({"text": "é~"}), length({"text": "\\u4e2d"})
        (9, 15, 15)
    """
    pairs = ((quote_plus(name), quote_plus(value, safe="*")) for name, value in parameters.items() if value)
    return sum(len(name) + len(value) + 2 * value.count("~") + 2 for name, value in pairs)


def begin() -> None:
    """At the beginning of a session, take the language from the address."""
    session = page_state(Session)
    if not session.name:
        session.name = secrets.token_hex(8)
        Session.lang.value = locale.closest(st.query_params.get("lang", "")) or ""


def _choose_language(link: Mapping[str, str]) -> None:
    if "lang" not in link:
        return
    lang = locale.closest(link["lang"])
    if lang is None:
        notice("page.unknown_language", name=link["lang"])
    else:
        Session.lang.value = lang


@dataclass(frozen=True)
class Address:
    """The part of the address that belongs to one page.

    Attributes:
        page: name of the page.
        apply: sets the page's controls from an address; what it names and does not exist is noticed and falls back.
        names: its parameters, but for those that its view writes itself.
        steps: those of them whose change is a step in the browser's history.
        view: the parameters that its view writes, with a pattern of the values that there are.
        long: those of them that are left out where all together are too long for an address; a file holds them.
    """

    page: str
    apply: Callable[[Mapping[str, str]], None]
    names: frozenset[str]
    steps: frozenset[str]
    view: Mapping[str, str] = field(default_factory=dict)
    long: frozenset[str] = frozenset()

    def arrive(self) -> None:
        """Call it first on the page: the controls follow the address on the first visit, and whenever a link says more.

        Coming back through the navigation, whose links say nothing, finds the controls as they were left.
        """
        session, link = page_state(Session), st.query_params.to_dict()
        if self.page not in session.visited or (session.page != self.page and link):
            self._follow(link)
        session.visited.add(self.page)
        session.page = self.page

    def publish(self, parameters: Mapping[str, str]) -> None:
        """Have the browser write into its address what the page shows, and report Back and Forward.

        Call it at the page's own level, with as many elements before it each time: in another place it is another
        element to the browser, for which nothing is a step.

        Args:
            parameters: those of `names` that have a value; the others are removed.
        """
        left_out = self.long if length(parameters) > LONGEST else ()
        mine = {name: "" if name in left_out else parameters.get(name, "") for name in sorted(self.names)}
        with st.container(key="address-box"):
            _address(
                key=Session.address.key,
                data={
                    "parameters": {**mine, "lang": current()},
                    "steps": sorted(self.steps),
                    "page": self.page,
                    "others": [name for name in PAGES if name != self.page],
                    "isFirstPage": self.page == next(iter(PAGES)),
                    "session": page_state(Session).name,
                    "answered": page_state(Session).n_moves,
                },
                on_moved_change=self._moved,
            )

    def _moved(self) -> None:
        moved = Session.address.value.get("moved")  # nothing, where the page left meanwhile
        match moved:
            case [int(number), {**link}]:
                page_state(Session).n_moves = number
                self._follow({str(name): str(value) for name, value in link.items()})

    def _follow(self, link: Mapping[str, str]) -> None:
        """Set the page's controls, and notice the parameters that it does not have, and the view's wrong values."""
        _choose_language(link)
        patterns = {**OF_ALL, **self.view}
        unknown = [name for name in sorted(link.keys() - self.names - patterns.keys()) if not TRACKING.match(name)]
        if unknown:
            notice("page.unknown_parts", names=unknown)
        notice_wrong(name for name, values in patterns.items() if name in link and not re.fullmatch(values, link[name]))
        self.apply(link)


def notice(key: str, **params: str | list[str]) -> None:
    """Have the page say something once, with words of the program as parameters."""
    shown = {name: code(words) if isinstance(words, str) else [*map(code, words)] for name, words in params.items()}
    page_state(Session).notices.append(say(key, **shown))


def notice_wrong(names: Iterable[str]) -> None:
    """Have the page say once which parameters of the link have a value that does not exist, if any."""
    if wrong := [*names]:
        notice("page.wrong_link", names=wrong)


def notice_error(error: AttnvizError) -> None:
    """Have the page say once what went wrong."""
    page_state(Session).notices.append(explain(error))


def notices() -> list[str]:
    """Return the messages waiting to be shown, as Markdown, and forget them."""
    waiting = page_state(Session).notices
    said = list(waiting)
    waiting.clear()
    return said
