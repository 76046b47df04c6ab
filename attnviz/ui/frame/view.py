"""The view of a trace as a Streamlit component, and what the address says of it.

Bytes go down, nothing comes back but the wish to reload.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.server.learned import asked_of, expected_of, truth_of
from attnviz.server.routes import DATA_PATH
from attnviz.server.traces import Held, TraceKey
from attnviz.trace import Trace
from attnviz.ui.frame.address import whole
from attnviz.ui.frame.language import code, say
from attnviz.ui.frame.loader import loader
from attnviz.ui.frame.state import Session, page_state
from attnviz.view import PANELS
from attnviz.view.payload import overview
from attnviz.view.texts import address

__all__ = ["LOOK", "PLACE", "follow", "show_view"]

PLACE = {**dict.fromkeys(("layer", "head", "stack", "kind", "part", "q", "k"), ".*"), "lock": "[01]|all"}
"""Parameters of the view that say where in a trace it looks, and their values; `show_view` holds them to the trace."""

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
}
"""Parameters of the view that say how it looks there, and their values."""

_view = st.components.v2.component("attnviz.view", js=loader("explorer"))


def show_view(key: TraceKey, held: Held, lang: str, messages: DeltaGenerator) -> None:
    """Place the view of a trace, and say once of each link which of its parameters point outside of it."""
    choice, missing = _choice(held.trace, key.model)
    session = page_state(Session)
    if missing and session.missing_said != choice["link"]:
        messages.warning(say("page.unknown_place", names=[*map(code, missing)]))
    session.missing_said = choice["link"]
    payload = overview(
        held.trace,
        trace_id=held.id,
        data_url=f"{DATA_PATH}/{held.id}",
        choice=choice,
        expected=expected_of(key.model, held.trace),
        lang=lang,
        texts=address(lang),
        asked=asked_of(key.model, held.trace),
        truth=truth_of(key.model, held.trace),
    )
    # "reload": the server no longer held this trace; the run that the event causes makes it anew, under another id
    _view(key="view", data=payload, on_reload_change=lambda: None)


def follow(link: Mapping[str, str], model: str) -> None:
    """Have the view of a model take head and lock from an address, once."""
    session = page_state(Session)
    session.links[model] = link
    session.n_links += 1


def _choice(trace: Trace, model: str) -> tuple[dict[str, Any], list[str]]:
    """Return the head to show first and what is locked: as the address says, if the trace has it.

    Where the address names no head, the site is None: the head that tells most comes first.

    Returns:
        The view's choice (site and head as indices, query and key as indices or None, locked; whether the head is
        frozen; the number of the link that it is from: the view follows a link once, then people move on), and the
        names of the parameters that point outside of the trace.
    """
    session = page_state(Session)
    link = session.links.get(model, {})
    missing: list[str] = []

    def index(name: str, size: int) -> int | None:
        value = link.get(name)
        if value is None:
            return None
        found = whole(value, 0, size - 1)
        if found is None:
            missing.append(name)
        return found

    layer = index("layer", 1 + max(site.layer for site in trace.sites))
    sites = [
        i
        for i, site in enumerate(trace.sites)
        if site.layer == (layer or 0)
        and site.stack == link.get("stack", site.stack)
        and site.kind == link.get("kind", site.kind)
        and link.get("part") in (None, str(site.part))
    ]
    if not sites and "layer" not in missing:
        missing += [name for name in ("stack", "kind", "part") if name in link]
    chosen = sites[0] if sites else 0
    site = trace.sites[chosen]
    head = index("head", site.n_heads)
    query, key = index("q", site.q.shape[1]), index("k", site.k.shape[1])
    if any(int(other) >= site.n_heads for other in re.findall(r"\d+", link.get("heads", ""))):
        missing.append("heads")
    locked = link.get("lock") in ("1", "all") and (query is not None or key is not None)
    is_named = not (PLACE.keys() - {"lock"}).isdisjoint(link)
    place = {"site": chosen if is_named else None, "head": head or 0, "query": query, "key": key, "locked": locked}
    return {**place, "frozen": link.get("lock") == "all", "link": session.n_links}, missing
