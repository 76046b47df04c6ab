"""The Explorer's address: model, text, target and image; the view writes layer, head, lock and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.downloads import DOWNLOADS
from attnviz.errors import DownloadsOff
from attnviz.loading import HUB
from attnviz.server.listing import Listed, find, listed
from attnviz.server.reads import Reads
from attnviz.server.traces import TraceKey
from attnviz.server.uploads import is_upload
from attnviz.trace import Trace
from attnviz.ui.address import Address, notice, notice_error, whole
from attnviz.ui.inputs import image_in_link, link_image
from attnviz.ui.language import current
from attnviz.ui.page_file import offer
from attnviz.ui.sentences import general_examples

__all__ = ["ADDRESS", "LOOK", "PLACE", "begin", "choice", "examples_of", "follow", "publish", "start"]


PLACE = frozenset({"layer", "head", "stack", "kind", "part", "q", "k", "lock"})
"""Parameters of the view that say where in a trace it looks."""

LOOK = frozenset({"tab", "hide", "words", "pair", "scale", "heads", "keep"})
"""Parameters of the view that say how it looks there."""


def _apply(link: Mapping[str, str]) -> None:
    """Set the controls from an address; what it names and does not exist is noticed and falls back to the default."""
    state = st.session_state
    name = link.get("model")
    model = None if name is None else find(name)
    if name is not None and model is None:
        _not_found(name)
        link = {}
    start(model or next(iter(listed().values()), None))
    if "text" in link:
        state.update(text=link["text"], target=link.get("target", ""), begin=False)
    if "image" in link:
        link_image(link["image"])
    follow(link, state.get("model"))


def _not_found(name: str) -> None:
    if name.startswith(HUB):
        notice_error(DownloadsOff(name, DOWNLOADS))
    else:
        notice("models.upload_gone" if is_upload(name) else "page.unknown_model", name=name)


def start(model: Listed | None) -> None:
    """Choose a model; its first example follows as soon as it is known what it reads, see `begin`."""
    if model is not None:
        st.session_state.update(model=model.name, begin=True)


def begin(model: Listed, reads: Reads) -> None:
    """Call it before the fields are placed: a model that was just chosen begins with its first example."""
    state = st.session_state
    if state.get("begin"):
        examples = examples_of(model, reads)
        text, target = examples[0] if examples else ("", "")
        state.update(text=text, target=target, begin=False)


def examples_of(model: Listed, reads: Reads) -> tuple[tuple[str, str], ...]:
    """Pairs of a text and a target, or a second sentence, to begin with."""
    return model.examples if model.architecture else general_examples(reads, current())


ADDRESS = Address(
    "explorer",
    _apply,
    names=frozenset({"model", "text", "target", "image"}),
    steps=frozenset({"model", "text", "target", "image"}),
    view=PLACE | LOOK,
    long=frozenset({"text", "target"}),
)


def publish(key: TraceKey, messages: DeltaGenerator) -> None:
    """Have the browser write into its address what the picture shows; what is too long for it is offered as a file."""
    parameters = {"model": key.model, "text": key.text, "target": key.target, "image": image_in_link(key.image)}
    offer(messages, ADDRESS, parameters)
    ADDRESS.publish(parameters)


def follow(link: Mapping[str, str], model: str | None) -> None:
    """Have the view of a model take head and lock from an address, once."""
    state = st.session_state
    state.setdefault("links", {})[model] = link
    state["link_number"] = state.get("link_number", 0) + 1


def choice(trace: Trace, model: str) -> tuple[dict[str, Any], list[str]]:
    """Which head of a trace to show first, and what is locked: as the address says, where the trace has it.

    Returns:
        The view's choice (site and head as indices, query and key as indices or None, locked; the number of the link
        that it is from: the view follows a link once, then people move on), and the names of the parameters that point
        outside of the trace.
    """
    link: Mapping[str, str] = st.session_state["links"].get(model, {})
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
    locked = link.get("lock") == "1" and (query is not None or key is not None)
    place = {"site": chosen, "head": head or 0, "query": query, "key": key, "locked": locked}
    return {**place, "link": st.session_state["link_number"]}, missing
