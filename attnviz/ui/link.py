"""The page's address: read once when a session begins, written by the browser.

Two scripts write it, each only its own parameters, both with the history API: `address.js` writes model, text, target
and language of the picture on screen; the view writes layer, head, lock and the like. Python never writes it, and no
widget is bound to it: Streamlit would replace the whole query by what it knew of it, and forget what the view wrote.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from attnviz import locale
from attnviz.trace import Trace
from attnviz.ui.shared import Listed, find, listed
from attnviz.ui.store import TraceKey

__all__ = ["choice", "notice", "publish", "restore", "start"]

_address = st.components.v2.component("attnviz.address", js=(Path(__file__).parent / "address.js").read_text("utf-8"))


def restore() -> None:
    """At the beginning of a session, set model, text, target and language as the address says."""
    if "session" not in st.session_state:
        st.session_state["session"] = secrets.token_hex(8)  # a name for `address.js`, which outlives the session
        _apply(st.query_params.to_dict())


def _apply(link: Mapping[str, str]) -> None:
    """Set the controls from an address; what it names and does not exist is noticed and falls back to the default."""
    state = st.session_state
    if link.get("lang") in locale.LANGUAGES:
        state["lang"] = link["lang"]
    name = link.get("model")
    model = None if name is None else find(name)
    if name is not None and model is None:
        notice("page.unknown_model", name=name)
        link = {}
    start(model or next(iter(listed().values()), None))
    if "text" in link:
        state.update(text=link["text"], target=link.get("target", ""))
    state["link"] = link
    state["link_number"] = state.get("link_number", 0) + 1
    state["linked_model"] = state.get("model")


def start(model: Listed | None) -> None:
    """Choose a model and its first example."""
    if model is not None:
        text, target = model.examples[0] if model.examples else ("", "")
        st.session_state.update(model=model.name, text=text, target=target)


def notice(key: str, **params: str) -> None:
    """Have the page say something once."""
    st.session_state.setdefault("notices", []).append((key, params))


def publish(key: TraceKey, lang: str) -> None:
    """Have the browser write into its address what the picture shows, and report Back and Forward."""
    _address(
        key="address",
        data={"parameters": {**key._asdict(), "lang": lang}, "session": st.session_state["session"]},
        on_moved_change=_moved,
    )


def _moved() -> None:
    moved = st.session_state["address"].get("moved")
    if isinstance(moved, dict):
        _apply({str(name): str(value) for name, value in moved.items()})


def choice(trace: Trace, model: str) -> tuple[dict[str, Any], list[str]]:
    """Which head of a trace to show first, and what is locked: as the address says, where the trace has it.

    Returns:
        The view's choice (site and head as indices, query and key as indices or None, locked; the number of the link
        that it is from: the view follows a link once, then people move on), and the names of the parameters that point
        outside of the trace.
    """
    link: Mapping[str, str] = st.session_state["link"] if st.session_state.get("linked_model") == model else {}
    missing: list[str] = []

    def index(name: str, size: int) -> int | None:
        value = link.get(name)
        if value is None:
            return None
        if value.isascii() and value.isdigit() and len(value) < 7 and int(value) < size:
            return int(value)
        missing.append(name)
        return None

    layer = index("layer", 1 + max(site.layer for site in trace.sites))
    sites = [
        i
        for i, site in enumerate(trace.sites)
        if site.layer == (layer or 0)
        and site.stack == link.get("stack", site.stack)
        and site.kind == link.get("kind", site.kind)
    ]
    chosen = sites[0] if sites else 0
    site = trace.sites[chosen]
    head = index("head", site.n_heads)
    query, key = index("q", site.q.shape[1]), index("k", site.k.shape[1])
    locked = link.get("lock") == "1" and (query is not None or key is not None)
    place = {"site": chosen, "head": head or 0, "query": query, "key": key, "locked": locked}
    return {**place, "link": st.session_state["link_number"]}, missing
