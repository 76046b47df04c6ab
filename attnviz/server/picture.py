"""The picture of a trace as the browser's view takes it: what to show first, and the payload."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from attnviz.server.learned import asked_of, expected_of, truth_of
from attnviz.server.paths import whole
from attnviz.server.trace_address import trace_address
from attnviz.server.traces import Held, TraceKey
from attnviz.trace import Trace
from attnviz.view.modules import later_address
from attnviz.view.payload import Second, Sides, overview
from attnviz.view.texts import address

__all__ = ["DATA_PATH", "PIN", "PLACE", "Beside", "choice_of", "picture"]

DATA_PATH = "attnviz/trace"
LATER_PARTS = ("heads", "logits", "plane", "why")
"""Modules of parts of the view that are imported when they are first opened."""

PIN = r"(\d{1,4})\.(\d{1,4})"
"""Index of a site and a head of the second of two traces, that stay whichever head of the first is chosen."""

PLACE = {**dict.fromkeys(("layer", "head", "stack", "kind", "part", "q", "k"), ".*"), "lock": "[01]|all"}
"""Parameters of the view that say where in a trace it looks, and their values; `choice_of` holds them to the trace."""


class Beside(NamedTuple):
    """A second trace in the view of another one; its numbers come from its own address.

    Attributes:
        names: "edit" where it is the text before an edit and the other one after it, "pair" for A and B.
    """

    key: TraceKey
    held: Held
    names: Sides = "edit"


def picture(
    key: TraceKey,
    held: Held,
    choice: Mapping[str, Any],
    lang: str,
    beside: Beside | None = None,
    what_if: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the payload of a trace, with what its task knows of it and a second trace beside it; see `overview`."""
    second = None
    if beside is not None:
        own, _ = choice_of(beside.held.trace, {}, choice["link"])
        second = Second(beside.held.trace, picture(beside.key, beside.held, own, lang), beside.names)
    return overview(
        held.trace,
        trace_id=held.id,
        data_url=f"{DATA_PATH}/{trace_address(key, held)}",
        choice=choice,
        expected=expected_of(key.model, held.trace),
        lang=lang,
        texts=address(lang),
        asked=asked_of(key.model, held.trace),
        truth=truth_of(key.model, held.trace),
        second=second,
        what_if=what_if,
        name=key.model,
        later={name: later_address(name) for name in LATER_PARTS},
    )


def choice_of(trace: Trace, link: Mapping[str, str], number: int) -> tuple[dict[str, Any], list[str]]:
    """Return the head to show first and what is locked: as the address says, if the trace has it.

    Where the address names no head, the site is None: the head that tells most comes first.

    Returns:
        The view's choice (site and head as indices, query and key as indices or None, locked; whether the head is
        frozen; the number of the link that it is from: the view follows a link once, then people move on), and the
        names of the parameters that point outside of the trace.
    """
    missing: list[str] = []
    frozen = {"frozen": link.get("lock") == "all", "link": number}
    if not trace.sites:
        nowhere = {"site": None, "head": 0, "query": None, "key": None, "locked": False}
        return {**nowhere, **frozen}, sorted((PLACE.keys() - {"lock"}) & link.keys())

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
    return {**place, **frozen}, missing
