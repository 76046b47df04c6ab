"""The language of a session and text that is safe to show.

Streamlit reads most texts as Markdown; what a person typed reaches it only through `code`, as a literal code span.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import streamlit as st

from attnviz import locale
from attnviz.errors import AttnvizError, EditError, InputError
from attnviz.locale import visible
from attnviz.ui.frame.state import Session
from attnviz.ui.frame.widgets import segments
from attnviz.view.page import described

__all__ = ["choose", "code", "current", "explain", "plain", "say", "symbol", "symbols"]

MAX_SYMBOLS = 12
MAX_KNOWN = 80  # characters of the list of known symbols


def current() -> str:
    """Return the session's language: chosen, named in the link, or the browser's."""
    lang = Session.lang.value
    return lang if lang in locale.LANGUAGES else locale.closest(st.context.locale or "") or locale.DEFAULT


def say(key: str, **params: object) -> str:
    """Return the message `key` in the session's language."""
    return locale.t(current(), key, **params) if params else _static(current(), key)


@cache
def _static(lang: str, key: str) -> str:
    """Return a message that always reads the same."""
    return locale.t(lang, key)


def choose() -> None:
    """Show the switch between languages."""
    Session.lang.value = current()
    segments(say("page.language"), Session.lang, locale.LANGUAGES, label_visibility="collapsed")


def code(text: str, limit: int = 60) -> str:
    """Any text as a Markdown code span that shows it literally.

    Example:
        >>> code("a`b")
        '`` a`b ``'
    """
    shown = visible(text, limit)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    pad = " " if "`" in shown or shown.startswith(" ") or shown.endswith(" ") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def plain(text: str) -> str:
    """Return a catalogue's text as Markdown that shows it literally."""
    return re.sub(r"([\\`*_{}\[\]<>#+!|~$^])", r"\\\1", text)


def symbol(text: str) -> str:
    """Return a symbol that a model does not know, with code points where the eye cannot tell what it is.

    Example:
        >>> symbol("\\u200b")
        'U+200B ZERO WIDTH SPACE'
    """
    hidden = any(unicodedata.category(c)[0] in "CMZ" for c in text)
    if not hidden:
        return code(text, 24)
    points = ", ".join(f"U+{ord(c):04X} {unicodedata.name(c, '')}".rstrip() for c in text[:6])
    more = "…" if len(text) > 6 else ""
    if all(unicodedata.category(c)[0] in "CMZ" for c in text):
        return points + more
    return f"{code(text, 24)} ({points}{more})"


def explain(error: AttnvizError) -> str:
    """Say what went wrong and what to do, as Markdown in the session's language."""
    names_a_model = isinstance(error, InputError | EditError)

    def detail(name: str, value: object) -> str:
        if name == "name" and names_a_model:
            value = described(str(value), "title", current()) or value
        return _detail(name, value)

    return locale.told(current(), error.code, error.details, detail)


def _detail(name: str, value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, list):
        return code(str(value), 200)
    if name == "known":
        return code(" ".join(visible(item) for item in value), MAX_KNOWN)
    return symbols(value)


def symbols(unknown: Sequence[str]) -> str:
    """Return a list of symbols that a model does not know, the first of many."""
    shown = locale.listed(current(), map(symbol, unknown[:MAX_SYMBOLS]))
    rest = len(unknown) - MAX_SYMBOLS
    return shown if rest <= 0 else say("page.and_more", shown=shown, n=rest)
