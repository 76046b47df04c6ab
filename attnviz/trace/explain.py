"""Explaining a score or a logit of a trace by what the parts of its model wrote; the maths is that of `attnviz.why`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from attnviz.errors import NotSplit
from attnviz.errors.base import Why
from attnviz.trace.compare import largest
from attnviz.trace.rows import Answered, label_of, output_at, row_of
from attnviz.trace.site import AttentionSite
from attnviz.trace.tokens import Tokens
from attnviz.trace.weights import HeldLayer
from attnviz.why.explanation import Explanation, LogitParts, ScoreSplit, SplitProof, parts_of
from attnviz.why.pulled import Columns, Pulled
from attnviz.why.written import Written

__all__ = ["explain_logit", "explain_score"]


class Explained(Answered, Protocol):
    """A trace, as far as it is explained."""

    @property
    def main(self) -> str:
        """Name of the sequence that the model reads last."""

    @property
    def sequences(self) -> Mapping[str, Tokens]:
        """All tokens, by name."""

    @property
    def written(self) -> Written:
        """Writings of the parts of the model."""

    @property
    def last_step(self) -> tuple[HeldLayer, Tensor] | None:
        """The unembedding, and what it read (T, d_model)."""

    def site(self, name: str) -> AttentionSite:
        """Return a site by its name."""


def explain_score(trace: Explained, name: str, head: int, query: int, key: int) -> Explanation:
    """Explain a score; see `Trace.why`."""
    site = trace.site(name)
    above, scores, bias = _above_mean(site, head, query, key)
    written = trace.written
    asks, reads = written.sides(name)
    group = site.group(head)
    q, k = site.q[head, query].float(), site.k[group].float()  # (d_head,), (Tk, d_head)
    read = above.nonzero().flatten()  # (n,)
    asked = Pulled.at_rows(asks.target.shape, (asks.row, head), [query], (site.scale * above @ k)[None, None])
    along = Columns(lambda: site.scale * q[None])
    keyed = Pulled.at_rows(reads.target.shape, (reads.row, group), read, above[None, read, None], along)
    extra = None if bias is None else float(above @ bias)
    queries, of_queries = parts_of(asks, "query", asked, extra)
    keys, of_keys = parts_of(reads, "key", keyed, extra)
    total = float(above.double() @ scores.double())
    size = max(1.0, largest(scores[above != 0]))
    error = max(abs(sum(part.share for part in parts) - total) / size for parts in (queries, keys))
    if not error <= written.limit:
        raise NotSplit(name, Why("split-sum", error=f"{error:.1e}"))
    held = len(asks.statistics) + len(reads.statistics)

    def earlier(site: str) -> tuple[AttentionSite, Sequence[str]]:
        found = trace.site(site)
        if found.edits:
            raise NotSplit(name, Why("split-edited", site=site))
        return found, trace.sequences[found.keys].labels

    split = ScoreSplit(
        {"query": asks, "key": reads},
        {"query": of_queries, "key": of_keys},
        (head, group),
        query,
        earlier,
        site.scale,
        above,
    )
    score = float(scores[key])
    proof = SplitProof(error, written.linearity_error, written.limit, held)
    return Explanation(name, head, query, key, score, score - total, queries, keys, proof, split)


def _above_mean(site: AttentionSite, head: int, query: int, key: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return d = onehot(key) - mean over the keys that may be read, the scores of the row and their bias: (Tk,) each.

    Raises:
        IndexError: there is no such query or key.
        NotSplit: the score is no product of a query and a key, or the key may not be read.
    """
    n_queries, n_keys = site.q.shape[1], site.k.shape[1]
    if not (0 <= query < n_queries and 0 <= key < n_keys):
        raise IndexError(f"no cell ({query}, {key}): {site.name} has {n_queries} queries and {n_keys} keys")
    if site.additive is not None:
        raise NotSplit(site.name, Why("split-additive", scoring=site.scoring))
    if any(edit.step == "scaled" and edit.touches(head) for edit in site.edits):
        raise NotSplit(site.name, Why("split-scaled"))
    allowed = site.mask.allowed(n_queries, n_keys, site.q.device)[query]  # (Tk,)
    if not bool(allowed[key]):
        raise NotSplit(site.name, Why("split-hidden", i=query, j=key))
    above = -allowed.float() / allowed.sum()
    above[key] += 1
    scores = site.scale * (site.k[site.group(head)].float() @ site.q[head, query].float())
    matrix = site.bias_of(head)
    bias = None if matrix is None else matrix[query].masked_fill(~allowed, 0.0)
    return above, scores if bias is None else scores + bias, bias


def explain_logit(trace: Explained, position: int, token: str | int | None, against: str | int | None) -> LogitParts:
    """Explain a logit; see `Trace.logit_parts`."""
    row = row_of(trace, position)
    output = output_at(trace, token, row)
    other = None if against is None else output_at(trace, against, row)
    written = trace.written
    side = written.end(trace.main)
    place = (side.row, row)[: len(side.target.shape) - 1]  # of a pooled sequence there is one row
    signs = {output: 1.0} if other is None else {output: 1.0, other: -1.0}
    direction, rest, logit = _direction(trace, row, signs)
    along = torch.zeros(side.target.shape)
    along[place] = direction
    parts, _ = parts_of(side, "logit", Pulled.of(along[None]), rest or None)
    error = abs(sum(part.share for part in parts) - logit) / max(1.0, abs(logit))
    if not error <= written.limit:
        raise NotSplit(trace.model.facts.name, Why("split-sum", error=f"{error:.1e}"))
    proof = SplitProof(error, written.linearity_error, written.limit, len(side.statistics))
    name = None if other is None else label_of(trace, other)
    return LogitParts(row, label_of(trace, output), name, logit, parts, proof)


def _direction(trace: Explained, row: int, signs: Mapping[int, float]) -> tuple[Tensor, float, float]:
    """Return what a sum of logits multiplies the last stream by (d_model,), what it adds, and the sum.

    Raises:
        NotSplit: the unembedding is not linear, or there is none.
    """
    ended = trace.last_step
    if ended is None:
        raise NotSplit(trace.model.facts.name, Why("split-no-outputs"))
    layer, streams = ended
    stream = streams[row].float()
    direction, logit, rest = layer.direction(streams[row], signs)
    limit = trace.written.limit * max(1.0, abs(logit))
    if not abs(float(direction @ stream) + rest - logit) <= limit:
        raise NotSplit(trace.model.facts.name, Why("split-head"))
    return direction, rest, logit
