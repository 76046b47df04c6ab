"""Does a head read what the task needs? Its attention against an expected pattern, beside chance.

A high score says where a head looks, not that the model needs it: that is for ablation to show.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from attnviz.models import SequenceModel
from attnviz.tasks import Batch, Pattern, Task
from attnviz.trace import AttentionSite, Trace, trace
from attnviz.trace.record import READOUT
from attnviz.training.run.probe import sequences

__all__ = [
    "ExpectedCells",
    "HeadScore",
    "PatternScores",
    "expected_cells",
    "expected_reads",
    "mean_scores",
    "pattern_scores",
    "score_heads",
    "sums_of_reads",
    "texts_of",
]


class PatternScores(NamedTuple):
    """The heads of one site against one pattern, means over the scored queries.

    Attributes:
        mass: (H,) attention on the expected keys, 0 to 1.
        hits: (H,) share of queries whose most attended key is an expected one.
        chance: the mass of a head that reads all keys it may read alike.
        n_queries: scored; when 0, the other values are nan.
    """

    mass: Tensor
    hits: Tensor
    chance: float
    n_queries: int


class ExpectedCells(NamedTuple):
    """The expected keys of a pattern under a mask.

    Attributes:
        cells: (Tq, Tk) bool, the expected keys that may be read; a query without any is not scored.
        chance: the mass of a head that reads all keys it may read alike; nan without a scored query.
        n_queries: scored.
    """

    cells: Tensor
    chance: float
    n_queries: int


@dataclass(frozen=True)
class HeadScore:
    """One head against one pattern.

    Attributes:
        pattern: its name.
        site: name of the attention layer.
        mass: mean attention on the expected keys, 0 to 1.
        hits: share of queries whose most attended key is an expected one.
        chance: the mass of a head that reads all keys it may read alike.
        n_queries: scored.
    """

    pattern: str
    site: str
    head: int
    mass: float
    hits: float
    chance: float
    n_queries: int


def score_heads(weights: Tensor, reads: Tensor, allowed: Tensor) -> PatternScores:
    """Score attention weights against the expected keys.

    mass_h = mean over scored queries q of sum_k reads[q, k] weights[h, q, k]

    Queries without an expected key that they may read are not scored. Uniform weights over the allowed keys score
    exactly `chance`, weights that lie on expected keys alone score 1.

    Args:
        weights: (H, Tq, Tk), each row sums to 1 (or to less, where a sink takes a part).
        reads: (Tq, Tk) bool, the expected keys.
        allowed: (Tq, Tk) bool, what the mask lets a query read.

    Example:
        >>> weights = torch.tensor([[[1.0, 0.0], [0.25, 0.75]]])
        >>> reads = torch.tensor([[False, False], [True, False]])
        >>> score_heads(weights, reads, torch.ones(2, 2, dtype=torch.bool))
        PatternScores(mass=tensor([0.2500]), hits=tensor([0.]), chance=0.5, n_queries=1)
    """
    expected = expected_cells(reads, allowed)
    mass, hits = sums_of_reads(weights, weights.argmax(2), expected.cells[None])
    n = expected.n_queries
    return PatternScores(mass[0] / n, hits[0].sum(1) / n, expected.chance, n)


def sums_of_reads(weights: Tensor, top: Tensor, cells: Tensor) -> tuple[Tensor, Tensor]:
    """Sum the attention on the expected keys of several patterns at once, over some queries.

    Args:
        weights: (H, Tq, Tk).
        top: (H, Tq), the most attended key of each query.
        cells: (P, Tq, Tk) bool, the expected keys of each pattern that may be read.

    Returns:
        The sums (P, H), and whether the most attended key is an expected one (P, H, Tq).
    """
    mass = cells.flatten(1).float() @ weights.flatten(1).T  # (P, H)
    queries = torch.arange(cells.shape[1], device=cells.device)
    return mass, cells[:, queries, top]


def expected_cells(reads: Tensor, allowed: Tensor) -> ExpectedCells:
    """Prepare the expected keys for scoring weights.

    Args:
        reads: (Tq, Tk) bool, the expected keys.
        allowed: (Tq, Tk) bool, what the mask lets a query read.
    """
    cells = reads & allowed
    scored = cells.any(1)  # (Tq,)
    chance = float((cells[scored].sum(1) / allowed[scored].sum(1)).mean())
    return ExpectedCells(cells, chance, int(scored.sum()))


def expected_reads(pattern: Pattern, queries: str, kind: str, main: str) -> Tensor | None:
    """Return the keys a pattern expects for one layer's queries, (Tq, Tk) bool; None if it expects none.

    Where a network answers for a whole sequence, one token is expected to read what the answer takes: the only row of
    the pattern with any key, or else the first. If it pools its states by attention, that row is expected of the one
    query that pools as well.

    Args:
        pattern: pattern from `Task.expected`.
        queries: name of the sequence that asks in the layer, "readout" for a query that pools.
        main: name of the sequence of the stack that writes the answer.

    Example:
        >>> pattern = Pattern.of("needle", [(0, 2)], "abc")
        >>> expected_reads(pattern, "readout", "cross", "encoder").int()
        tensor([[0, 0, 1]], dtype=torch.int32)
        >>> expected_reads(pattern, "encoder", "cross", "encoder") is None
        True
    """
    if queries == READOUT:
        reads = _of_one(pattern.reads) if pattern.kind == "self" else None
    else:
        reads = pattern.reads if (queries, kind) == (main, pattern.kind) else None
    return reads if reads is not None and bool(reads.any()) else None


def _of_one(reads: Tensor) -> Tensor:
    """Return the row of the token that answers: (Tq, Tk) -> (1, Tk)."""
    rows = reads[reads.any(1)]
    return rows if len(rows) == 1 else reads[:1]


def pattern_scores(trace: Trace, expected: Iterable[Pattern]) -> tuple[HeadScore, ...]:
    """Return every head of every layer that a pattern is about, against that pattern.

    Args:
        trace: trace of the sequence for which the patterns were made.
        expected: patterns from `Task.expected`; see `expected_reads`. One without a scored query is left out.
    """
    scores: list[HeadScore] = []
    weights = cache(_weights)  # several patterns may be about one site
    for pattern in expected:
        for site in trace.sites:
            reads = expected_reads(pattern, site.queries, site.kind, trace.main)
            if reads is None:
                continue
            found = score_heads(weights(site), reads, site.mask.allowed(*reads.shape))
            if found.n_queries:
                heads = enumerate(zip(found.mass.tolist(), found.hits.tolist(), strict=True))
                scores += [
                    HeadScore(pattern.name, site.name, head, mass, hits, found.chance, found.n_queries)
                    for head, (mass, hits) in heads
                ]
    return tuple(scores)


def _weights(site: AttentionSite) -> Tensor:
    """Return the weights of all heads: (H, Tq, Tk)."""
    return torch.cat([weights.clone() for _, weights in site.weight_blocks()], dim=1)


def mean_scores(model: SequenceModel, task: Task, n: int = 16, seed: int = 0) -> tuple[HeadScore, ...]:
    """Score every head for the task's patterns on n test sequences, each query once; in the order of the patterns."""
    batch = task.held_out(n, Generator().manual_seed(seed))
    found: dict[tuple[str, str, int], list[HeadScore]] = {}
    for sequence in sequences(batch, n):
        tokens = sequence.tokens[0].tolist()
        source = None if sequence.source is None else sequence.source[0].tolist()
        for score in pattern_scores(trace(model, *texts_of(model, sequence)), task.expected(tokens, source)):
            found.setdefault((score.pattern, score.site, score.head), []).append(score)
    return tuple(_mean(scores) for scores in found.values())


def texts_of(model: SequenceModel, sequence: Batch) -> tuple[str, str | None]:
    """Return the text and the target (None without one) that a model reads as one sequence of its task."""
    features = None if sequence.features is None else sequence.features[0]
    text = model.tokenizer.decode(sequence.tokens[0].tolist(), features)
    if sequence.source is None or model.source_tokenizer is None:
        return text, None
    return model.source_tokenizer.decode(sequence.source[0].tolist()), text


def _mean(scores: Sequence[HeadScore]) -> HeadScore:
    n = sum(score.n_queries for score in scores)
    mass, hits, chance = (
        sum(getattr(score, name) * score.n_queries for score in scores) / n for name in ("mass", "hits", "chance")
    )
    return HeadScore(scores[0].pattern, scores[0].site, scores[0].head, mass, hits, chance, n)
