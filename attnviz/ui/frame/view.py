"""The view of a trace as a Streamlit component, and what the address says of it.

Bytes go down, nothing comes back but the wish to reload.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.server.picture import Beside, choice_of, picture
from attnviz.server.traces import Held, TraceKey
from attnviz.ui.frame.language import code, say
from attnviz.ui.frame.loader import loader
from attnviz.ui.frame.state import Session, page_state
from attnviz.ui.frame.widgets import Widget
from attnviz.view import PANELS

__all__ = ["LOOK", "asked_edit", "follow", "show_view"]

LOOK = {
    "tab": "|".join(PANELS),
    "hide": "none|first|specials",
    "words": "[01]",
    "pair": "aa|ab|ba|bb",
    "scale": "one|contrast",
    "heads": r"\d{1,4}(,\d{1,4})*",
    "chain": "[0-6]",
    "present": "[01]",
    "show": "(answer|heads|weights|lines|chain)(,(answer|heads|weights|lines|chain))*",
    "tour": "[0-7]",
    "keep": r"\d{1,2}(\.\d*)?|100",
    "side": "other|difference",
    "outputs": "lens|parts",
    "product": "plane",
    "row": r"\d{1,9}",
    "token": r"\d{1,9}",
    "against": r"\d{1,9}",
    "pin": r"\d{1,4}\.\d{1,4}",
    "sort": "previous|next|itself|same|first|separator|induction|positional|entropy|distance",
    "only": "[01]",
    "walk": r"\d{1,4}(\.\d{1,4}){3}(_\d{1,4}(\.\d{1,4}){3}){0,11}",
}
"""Parameters of the view that say how it looks there, and their values."""

_VIEW = Widget[dict[str, object]]("view", {})

_view = st.components.v2.component("attnviz.view", js=loader("explorer"))


def show_view(
    key: TraceKey,
    held: Held,
    lang: str,
    messages: DeltaGenerator,
    beside: Beside | None = None,
    what_if: Mapping[str, Any] | None = None,
) -> None:
    """Place the view of a trace, and say once of each link which of its parameters point outside of it.

    Args:
        beside: a second trace: the view shows either side, or the difference first less second, where tokens are equal.
        what_if: what the view offers to change in the forward pass, see `attnviz.server.what_if`.
    """
    session = page_state(Session)
    choice, missing = choice_of(held.trace, session.links.get(key.model, {}), session.n_links)
    if missing and session.missing_said != choice["link"]:
        messages.warning(say("page.unknown_place", names=[*map(code, missing)]))
    session.missing_said = choice["link"]
    # "reload": the server no longer held this trace; the run that the event causes makes it anew, under another id
    _view(
        key=_VIEW.key,
        data=picture(key, held, choice, lang, beside, what_if),
        on_reload_change=lambda: None,
        on_edit_change=lambda: None,  # `asked_edit` tells the run that the event causes
    )


def asked_edit() -> str:
    """Return the edit that the view asks for in this run; "" in all others."""
    return str(_VIEW.value.get("edit") or "")


def follow(link: Mapping[str, str], model: str) -> None:
    """Have the view of a model take head and lock from an address, once."""
    session = page_state(Session)
    session.links[model] = link
    session.n_links += 1
