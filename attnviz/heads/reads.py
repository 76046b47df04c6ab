"""Ways in which a head may read a text, each as cells of its weights: (Tq, Tk) bool, the keys that such a head reads.

previous, next, itself   key q - 1, q + 1, q: Clark et al. 2019, "What Does BERT Look At?", section 3; Voita et al.
                         2019, "Analyzing Multi-Head Self-Attention", section 5.1 (positional heads)
positional               key q + d for one distance d from -8 to 8 other than these three: Voita et al., section 5.1
same                     another occurrence of the query's token: Vig and Belinkov 2019, "Analyzing the Structure of
                         Attention in a Transformer Language Model"
first                    the first token: Xiao et al. 2023, "Efficient Streaming Language Models with Attention Sinks"
separator                special tokens and punctuation: Clark et al. 2019, section 3.2
induction                the token behind an earlier occurrence of the query's token: Olsson et al. 2022, "In-context
                         Learning and Induction Heads" (prefix matching)
elsewhere                none of the first token, separators, the query itself and its two neighbours; no label, for
                         examples of heads without one

The query itself and its neighbours count as neither "same" nor "induction", and a neighbour not as "first", so that a
head that reads by place is not taken for one of these. In cross-attention, whose queries and keys are tokens of two
texts, there are "same", "first", "separator" and "elsewhere".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from attnviz.analysis.patterns import expected_cells
from attnviz.trace import AttentionSite, Tokens

__all__ = ["DISTANCES", "ELSEWHERE", "LABELS", "READS", "TextReads", "text_reads"]

FURTHEST = 8
DISTANCES = {f"{d:+}": d for d in range(-FURTHEST, FURTHEST + 1) if abs(d) > 1}
NEAR = {"previous": -1, "itself": 0, "next": 1}
ELSEWHERE = "elsewhere"
READS = (*NEAR, "same", "first", "separator", "induction", *DISTANCES, ELSEWHERE)
"""Names of all ways, in the order of the axes called P."""

LABELS = ("previous", "next", "itself", "same", "first", "separator", "induction", "positional")
"""Names that a head may get."""

PUNCTUATION = frozenset(".,;:!?…|/>=-—–。，、；：！？·")


class TextReads(NamedTuple):
    """The ways to read one text in one layer.

    Attributes:
        live: (L,) indices of the ways that any query of the text has a key for.
        cells: (L, Tq, Tk) bool, the keys of these ways, for queries that have a choice.
        n: (P,) queries that have such a key.
        chance: (P,) sums over these queries of the share of such keys among those that may be read.
        allowed: (Tq, Tk) bool, what the mask lets a query read, for queries that have a choice.
        distance: (Tq, Tk) tokens between query and key; 0 in cross-attention.
    """

    live: Tensor
    cells: Tensor
    n: Tensor
    chance: Tensor
    allowed: Tensor
    distance: Tensor

    def keys_of(self, way: str) -> Tensor:
        """Return the keys of a way, (Tq, Tk) bool."""
        at = (self.live == READS.index(way)).nonzero()
        return self.cells[int(at)] if len(at) else torch.zeros_like(self.allowed)


def text_reads(site: AttentionSite, sequences: Mapping[str, Tokens]) -> TextReads:
    """Return the ways to read the text of a site.

    Queries that may read one key alone, or none, have no choice and are left out.
    """
    n_queries, n_keys = site.q.shape[1], site.k.shape[1]
    allowed = site.mask.allowed(n_queries, n_keys, site.q.device)
    allowed &= (allowed.sum(1) > 1)[:, None]
    own = site.kind == "self" and site.queries == site.keys
    queries, keys = sequences[site.queries], sequences[site.keys]
    first = n_keys - n_queries if own and site.mask.first_query is None else site.mask.first_query or 0
    key = torch.arange(n_keys)[None]  # (1, Tk)
    query = torch.arange(first, first + n_queries)[:, None]  # (Tq, 1)
    same = _same(queries, keys, own)  # (Tq, Tk)
    marks = _separators(keys)
    found = {"first": (key == 0) & ((query > 1) | (not own)), "separator": marks[None].expand(n_queries, -1)}
    near = torch.zeros(n_queries, n_keys, dtype=torch.bool)
    if own:
        found |= {name: key == query + d for name, d in (NEAR | DISTANCES).items()}
        behind = torch.zeros_like(same)
        behind[:, 1:] = same[:, :-1]  # the key behind an occurrence
        found["induction"] = behind & (key < query - 1)
        near = (key - query).abs() <= 1
    found["same"] = same & ~near
    found[ELSEWHERE] = ~(found["separator"] | near | (key == 0))
    n, chance, cells = torch.zeros(len(READS)), torch.zeros(len(READS)), []
    for at, name in enumerate(READS):
        if name in found and (expected := expected_cells(found[name].to(allowed.device), allowed)).n_queries:
            n[at], chance[at] = expected.n_queries, expected.chance * expected.n_queries
            cells.append(expected.cells)
    distance = (key - query).abs().float() if own else torch.zeros(n_queries, n_keys)
    some = torch.stack(cells) if cells else torch.zeros(0, n_queries, n_keys, dtype=torch.bool)
    return TextReads(n.nonzero()[:, 0], some, n, chance, allowed, distance.to(allowed.device))


def _same(queries: Tokens, keys: Tokens, own: bool) -> Tensor:
    """Whether two tokens are the same, (Tq, Tk); special tokens, which a text does not contain, are like no other."""
    numbers: dict[object, int] = {}

    def numbered(tokens: Tokens, start: int) -> Tensor:
        names = zip(tokens.ids, tokens.labels, strict=True) if own and tokens.ids else tokens.labels
        found = torch.tensor([numbers.setdefault(name, len(numbers)) for name in names])
        found[list(tokens.specials)] = torch.arange(start, start - len(tokens.specials), -1)
        return found

    asks = numbered(queries, -1)
    reads = asks if own else numbered(keys, -1 - len(asks))
    return asks[:, None] == reads[None]


def _separators(keys: Tokens) -> Tensor:
    """Which keys separate, (Tk,); the first token is a way of its own."""
    found = torch.tensor([label.strip(" ▁Ġ") in PUNCTUATION for label in keys.labels])
    found[list(keys.specials)] = True
    found[0] = False
    return found
