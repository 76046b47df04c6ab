"""An explained score for the browser's view: the largest parts of both sides, the rest of them, and their pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from attnviz.errors import NotSplit
from attnviz.trace import AttentionSite, Trace
from attnviz.why import Explanation, Part

__all__ = ["MOST", "told"]

MOST = 5
"""Parts of a side that are shown one by one."""


def told(trace: Trace, site: str, head: int, query: int, key: int) -> dict[str, Any]:
    """Return an explanation for JSON; a head's part names the cell at which that head can be asked in turn.

    Raises:
        NotSplit: see `Trace.why`.
    """
    found, place = trace.why(site, head, query, key), trace.site(site)
    return {
        "score": found.score,
        "row_mean": found.row_mean,
        "weight": float(place.weights(head)[query, key]),
        "allowed": int(_allowed(place, query).sum()),
        "queries": _side(trace, found, found.queries, query),
        "keys": _side(trace, found, found.keys, key),
        "pairs": _pairs(found),
        "proof": found.proof._asdict(),
        "rounded": str(place.q.dtype).removeprefix("torch.") if place.q.element_size() < 4 else "",
    }


def _side(trace: Trace, found: Explanation, parts: Sequence[Part], row: int) -> dict[str, Any]:
    rest = parts[MOST:]
    return {
        "parts": [_part(trace, found, part, row) for part in parts[:MOST]],
        "rest": {"count": len(rest), "share": sum(part.share for part in rest)},
        "sum": sum(part.share for part in parts),
    }


def _part(trace: Trace, found: Explanation, part: Part, row: int) -> dict[str, Any]:
    shown = {name: getattr(part, name) for name in ("kind", "layer", "head", "share", "if_removed")}
    stack = {"stack": part.name.partition(".")[0]} if part.kind == "mlp" else {}
    return {**shown, **stack, **(_read(trace, found, part, row) if part.kind == "head" else {})}


def _read(trace: Trace, found: Explanation, part: Part, row: int) -> dict[str, Any]:
    """Return where an earlier head wrote its part, and the token read there that the most of it comes from.

    Under an edit of that head "source" is None, and the key is the one that it reads most.
    """
    assert part.head is not None  # it is a head
    site = trace.site(part.name.rpartition(":")[0])
    try:
        shares = torch.tensor([source.share for source in found.sources(part)])  # (Tk,)
    except NotSplit:
        return {"site": site.name, "query": row, "key": int(site.weights(part.head)[row].argmax()), "source": None}
    toward = (shares if part.share >= 0 else -shares).masked_fill(~_allowed(site, row), -torch.inf)
    key = int(toward.argmax())
    return {"site": site.name, "query": row, "key": key, "source": float(shares[key])}


def _allowed(site: AttentionSite, query: int) -> Tensor:
    return site.mask.allowed(site.q.shape[1], site.k.shape[1], site.q.device)[query]


def _pairs(found: Explanation) -> list[list[float]]:
    """Return the shares of the pairs (parts of the query, parts of the key), those not shown as the last of each.

    Biases on the score itself belong to no pair: their rows and columns are 0.
    """
    places = [{id(part): min(at, MOST) for at, part in enumerate(parts)} for parts in (found.queries, found.keys)]
    rows, columns = (min(len(parts), MOST + 1) for parts in (found.queries, found.keys))
    table = [[0.0] * columns for _ in range(rows)]
    for query, key, share in found.pairs(len(found.queries) * len(found.keys)):
        table[places[0][id(query)]][places[1][id(key)]] += share
    return table
