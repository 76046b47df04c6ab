"""Distance of two heads: the Jensen-Shannon divergence of what each query reads in one trace and in another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import log

import torch
from torch import Tensor
from torch.special import entr

from attnviz.analysis.alignment import Block, equal_blocks
from attnviz.trace import Trace

__all__ = ["head_distance", "head_distances", "jensen_shannon"]

LN2 = log(2)


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    """Return the Jensen-Shannon divergence of distributions, in bits: 0 for equal ones, 1 where they share no outcome.

        JS(p, q) = 1/2 KL(p || m) + 1/2 KL(q || m),  m = (p + q) / 2

    Args:
        p: (..., n) distributions.
        q: (..., n) distributions.

    Returns:
        (...) divergences.

    Source:
        Lin 1991, "Divergence Measures Based on the Shannon Entropy".

    Example:
        >>> jensen_shannon(torch.tensor([[1.0, 0.0], [0.5, 0.5]]), torch.tensor([[0.0, 1.0], [0.5, 0.5]])).tolist()
        [1.0, 0.0]
    """
    m = (p + q) / 2
    nats: Tensor = (entr(m) - (entr(p) + entr(q)) / 2).sum(-1)
    return (nats / LN2).clamp(0, 1)


def head_distance(p: Tensor, q: Tensor, queries: Sequence[Block], keys: Sequence[Block]) -> Tensor:
    """Return how far apart two heads read, for each query of the first: `jensen_shannon` of its row and its partner's.

    The outcomes are the keys of both texts, those in common once, any other as read by one head alone; and what of a
    row's mass lies on no key at all, as where a sink takes it.

    Args:
        p: (Tq, Tk) weights of the one head.
        q: (Tq', Tk') weights of the other.
        queries: the queries that are the same token.
        keys: the keys that are.

    Returns:
        (Tq,) bits; NaN for a query without a partner.
    """
    distances = torch.full((len(p),), torch.nan)
    if not queries:
        return distances
    (rows, their_rows), (columns, their_columns) = _pairs(queries), _pairs(keys)
    p, q = p[rows].float(), q[their_rows].float()
    mine, theirs = p[:, columns], q[:, their_columns]  # (n, keys in common)
    alone, their_alone = p.sum(-1) - mine.sum(-1), q.sum(-1) - theirs.sum(-1)
    rest, their_rest = (1 - p.sum(-1)).clamp(min=0), (1 - q.sum(-1)).clamp(min=0)
    zero = torch.zeros_like(alone)
    both = torch.cat([mine, torch.stack([alone.clamp(min=0), zero, rest], -1)], -1)
    their_both = torch.cat([theirs, torch.stack([zero, their_alone.clamp(min=0), their_rest], -1)], -1)
    distances[rows] = jensen_shannon(both, their_both)
    return distances


def _pairs(blocks: Sequence[Block]) -> tuple[Tensor, Tensor]:
    """Return the indices of the tokens in common in each of the two sequences, (n,) each."""
    first = [block.first + n for block in blocks for n in range(block.size)]
    second = [block.second + n for block in blocks for n in range(block.size)]
    return torch.tensor(first, dtype=torch.long), torch.tensor(second, dtype=torch.long)


def head_distances(trace: Trace, other: Trace, pin: tuple[str, int] | None = None) -> dict[str, Tensor]:
    """Return how far apart each head of a trace reads from the head at the same place in another.

    Args:
        pin: site and head of the other trace with which every head is compared instead.

    Returns:
        By the name of the site (H, Tq) bits, see `head_distance`; NaN for a head without a partner.

    Raises:
        KeyError: the other trace has no such site.
        IndexError: it has no such head.
    """
    partners = {site.place: site for site in other.sites}
    pinned = None if pin is None else other.site(pin[0])
    found = {}

    @cache
    def in_common(mine: str, theirs: str) -> list[Block]:
        return equal_blocks(trace.sequences[mine].labels, other.sequences[theirs].labels)

    for site in trace.sites:
        partner = pinned or partners.get(site.place)
        distances = torch.full((site.n_heads, site.q.shape[1]), torch.nan)
        if partner is not None:
            queries, keys = in_common(site.queries, partner.queries), in_common(site.keys, partner.keys)
            for head in range(site.n_heads if pin else min(site.n_heads, partner.n_heads)):
                theirs = partner.weights(pin[1] if pin else head)
                distances[head] = head_distance(site.weights(head), theirs, queries, keys)
        found[site.name] = distances
    return found
