"""Counts of how heads read, added up text by text; the weights themselves are never kept.

Shape legend: P ways to read (`READS`), H heads of a site, K best texts of each, M marks in each of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from attnviz.analysis.patterns import sums_of_reads
from attnviz.heads.reads import READS, TextReads, text_reads
from attnviz.trace import AttentionSite, Tokens

__all__ = ["Example", "Place", "SiteTally", "Tally"]

BEST = 3  # K: texts kept as examples, and as texts on which effects are measured
MARKS = 6  # M
FEW = 3  # queries: fewer of a way in a text are no example of it
TINY = 1e-30  # a weight of 0 has no logarithm


class Read(Protocol):
    """A trace, as far as heads' reading goes."""

    @property
    def sequences(self) -> Mapping[str, Tokens]:
        """See `Trace.sequences`."""

    @property
    def sites(self) -> tuple[AttentionSite, ...]:
        """See `Trace.sites`."""


class Place(NamedTuple):
    """Where a site is, and the names of the sequences that ask and are read; see `AttentionSite`."""

    layer: int
    stack: str
    kind: str
    queries: str
    keys: str


@dataclass(frozen=True)
class Example:
    """A text in which a head reads in one way more than in others.

    Attributes:
        text: index of the text.
        mass: mean attention on the keys of the way, in this text.
        marks: strongest reads of that way: query, key, weight.
    """

    text: int
    mass: float
    marks: tuple[tuple[int, int, float], ...]


@dataclass
class SiteTally:
    """Sums of one site over texts.

    Attributes:
        queries: how many had a choice.
        entropy, distance: (H,) sums over these queries; of `entropy` in nats, of `distance` in tokens.
        even: sums of both for a head that reads all that it may read alike, (2,).
        n, chance: (P,) see `TextReads`.
        mass, hits: (P, H) attention on the keys of each way; queries whose most attended key is one of them.
        scores, texts, marks: the best texts of each way and head: mean mass (P, H, K), index (P, H, K), and query, key
            and weight of the strongest reads (P, H, K, M, 3). A score below 0: there is no such text.
        rich: (P, K, 2) number of queries that have a key of the way, and index, of the texts that have most of them.
    """

    queries: Tensor
    entropy: Tensor
    distance: Tensor
    even: Tensor
    n: Tensor
    chance: Tensor
    mass: Tensor
    hits: Tensor
    scores: Tensor
    texts: Tensor
    marks: Tensor
    rich: Tensor

    def add(self, other: SiteTally) -> None:
        """Add the sums of other texts."""
        for name in ("queries", "entropy", "distance", "even", "n", "chance", "mass", "hits"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        scores = torch.cat([self.scores, other.scores], 2)
        self.scores, order = scores.topk(BEST, 2)  # (P, H, K)
        self.texts = torch.cat([self.texts, other.texts], 2).gather(2, order)
        marks = torch.cat([self.marks, other.marks], 2)
        self.marks = marks.gather(2, order[..., None, None].expand(-1, -1, -1, MARKS, 3))
        rich = torch.cat([self.rich, other.rich], 1)
        order = rich[..., 0].topk(BEST, 1).indices
        self.rich = rich.gather(1, order[..., None].expand(-1, -1, 2))

    def examples(self, way: str, head: int) -> list[Example]:
        """Return the texts in which a head reads most in one way, the best first."""
        at, found = READS.index(way), []
        for k, (score, text) in enumerate(zip(self.scores[at, head], self.texts[at, head], strict=True)):
            marks = self.marks[at, head, k].tolist()
            if score >= 0:
                found.append(Example(int(text), float(score), tuple((int(q), int(j), w) for q, j, w in marks if w > 0)))
        return found

    def rich_texts(self, way: str) -> list[int]:
        """Return the texts with most queries for one way, the richest first."""
        return [int(text) for n, text in self.rich[READS.index(way)].tolist() if n > 0]


@dataclass
class Tally:
    """Sums of all sites, by name; of a layer that attends in windows, over all of its windows.

    Attributes:
        places: where each of them is.
        labels: labels of the tokens of the sequences of texts, by their index.
        measurable: whether the model has outputs that an effect can be told by.
    """

    sites: dict[str, SiteTally] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    labels: dict[int, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    n_texts: int = 0
    n_tokens: int = 0
    measurable: bool = False

    def read(self, trace: Read, text: int) -> None:
        """Count how the heads read one text.

        Args:
            text: its index.
        """
        known: list[tuple[AttentionSite, TextReads]] = []
        for site in trace.sites:
            reads = next((reads for like, reads in known if _alike(like, site)), None)
            if reads is None:
                reads = text_reads(site, trace.sequences)
                known.append((site, reads))
            name = site.name.partition(".w")[0]
            self._add(name, _count(site, reads, text))
            self.places.setdefault(name, Place(site.layer, site.stack, site.kind, site.queries, site.keys))
        self.labels[text] = {name: tokens.labels for name, tokens in trace.sequences.items()}
        self.n_texts += 1
        self.n_tokens += sum(map(len, trace.sequences.values()))

    def add(self, other: Tally) -> None:
        """Add the counts of other texts."""
        for name, site in other.sites.items():
            self._add(name, site)
        self.places |= other.places
        self.labels |= other.labels
        self.n_texts += other.n_texts
        self.n_tokens += other.n_tokens
        self.measurable |= other.measurable

    def _add(self, name: str, site: SiteTally) -> None:
        if name in self.sites:
            self.sites[name].add(site)
        else:
            self.sites[name] = site

    def keep_examples(self) -> None:
        """Forget the labels of texts that are no example of anything."""
        used = {text for site in self.sites.values() for text in site.texts[site.scores >= 0].tolist()}
        self.labels = {text: labels for text, labels in self.labels.items() if text in used}

    def to_arrays(self) -> dict[str, Any]:
        """Return the counts for another process."""
        sites = {name: {f.name: getattr(one, f.name).numpy() for f in fields(one)} for name, one in self.sites.items()}
        return {**vars(self), "sites": sites}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Tally:
        """Return the counts of another process."""
        sites = {name: SiteTally(**_tensors(one)) for name, one in arrays["sites"].items()}
        return cls(**{**arrays, "sites": sites})


def _tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}


def _alike(one: AttentionSite, other: AttentionSite) -> bool:
    """Whether two sites of a trace read the same tokens by the same rule."""

    def rule(site: AttentionSite) -> Iterable[object]:
        mask = site.mask
        return site.queries, site.keys, site.kind, mask.causal, mask.window, mask.first_query

    def same(a: Tensor | None, b: Tensor | None) -> bool:
        return a is b or (a is not None and b is not None and torch.equal(a, b))

    masks = same(one.mask.keys, other.mask.keys) and same(one.mask.pairs, other.mask.pairs)
    return masks and rule(one) == rule(other)


def _count(site: AttentionSite, reads: TextReads, text: int) -> SiteTally:
    """Count how the heads of a site read one text, in one pass over their weights."""
    n_heads = site.n_heads
    entropy, distance = torch.zeros(2, n_heads, device=site.q.device)
    mass = torch.zeros(len(READS), n_heads, device=site.q.device)
    values, keys, hits = [], [], []
    scored = reads.allowed.any(1)  # (Tq,)
    for block, weights in site.weight_blocks():  # (H, rows, Tk)
        chosen = scored[block]
        top = weights.max(2)
        sums, hit = sums_of_reads(weights, top.indices, reads.cells[:, block])
        mass[reads.live] += sums
        values.append(top.values)
        keys.append(top.indices)
        hits.append(hit)
        distance += weights.flatten(1) @ (reads.distance[block] * chosen[:, None]).flatten()
        logs = weights.clamp(min=TINY).log_()
        entropy -= (logs.mul_(weights).sum(2) * chosen).sum(1)
    hit = torch.zeros(len(READS), n_heads, len(scored), dtype=torch.bool)  # (P, H, Tq)
    hit[reads.live] = torch.cat(hits, 2).cpu()
    n_allowed = reads.allowed[scored].sum(1)  # (scored,)
    even = torch.stack([n_allowed.log().sum(), ((reads.distance * reads.allowed)[scored].sum(1) / n_allowed).sum()])
    scores = mass.cpu() / reads.n.clamp(min=1)[:, None]  # (P, H)
    scores[reads.n < FEW] = -1.0
    marks = _marks(torch.cat(values, 1).cpu(), torch.cat(keys, 1).cpu(), hit)
    n_reads = len(READS)
    tally = SiteTally(
        queries=scored.sum().float().cpu(),
        entropy=entropy.cpu(),
        distance=distance.cpu(),
        even=even.float().cpu(),
        n=reads.n,
        chance=reads.chance,
        mass=mass.cpu(),
        hits=hit.sum(2).float(),
        scores=torch.full((n_reads, n_heads, BEST), -1.0),
        texts=torch.zeros(n_reads, n_heads, BEST, dtype=torch.long),
        marks=torch.zeros(n_reads, n_heads, BEST, MARKS, 3),
        rich=torch.zeros(n_reads, BEST, 2, dtype=torch.long),
    )
    tally.scores[..., 0], tally.texts[..., 0], tally.marks[:, :, 0, : marks.shape[2]] = scores, text, marks
    tally.rich[:, 0] = torch.stack([reads.n.long(), torch.full((n_reads,), text)], 1)
    return tally


def _marks(values: Tensor, keys: Tensor, hit: Tensor) -> Tensor:
    """Return query, key and weight of the strongest reads of each way: (P, H, up to M, 3).

    Args:
        values, keys: (H, Tq) weight and place of the most attended key of each query.
        hit: (P, H, Tq) whether that key is one of the way.
    """
    weights, queries = (values * hit).topk(min(MARKS, hit.shape[2]), 2)
    places = keys.expand(len(hit), -1, -1).gather(2, queries)
    return torch.stack([queries.float(), places.float(), weights], 3)
