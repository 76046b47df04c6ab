"""Measure how the outputs of a model change where a head reads in some way, once that head is switched off alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from attnviz.edits.edit import head_off
from attnviz.edits.sweep import Job, edited_logits
from attnviz.guard import guarded
from attnviz.heads.reads import text_reads
from attnviz.trace import Trace

__all__ = ["Asked", "Effect", "can_measure", "measure_effects"]

ROWS = 64  # of the outputs of a text at most: a large vocabulary takes much time
BY_TOKEN = ("next", "same", "masked", "labels")  # kinds of outputs that have a row for each token


class Asked(NamedTuple):
    """A head, by its site and index, and the way in which it reads."""

    site: str
    head: int
    way: str


class Effect(NamedTuple):
    """Effect of a head alone on the outputs of the tokens that its way of reading is about.

    Attributes:
        kl: mean Kullback-Leibler divergence of the outputs with the head from those without it, in nats.
        loss: for induction in a model that says the next token: mean change of -log p(next token), in nats, where the
            next token is the one that stood behind an earlier occurrence; None for other ways and models.
        n: outputs that it was measured on.
    """

    kl: float
    loss: float | None
    n: int

    @property
    def nats(self) -> float:
        """The number that a label is judged by: the change of the loss where there is one, else the divergence."""
        return self.kl if self.loss is None else self.loss

    def plus(self, other: Effect) -> Effect:
        """Return the mean over the outputs of both."""
        n = self.n + other.n
        loss = None
        if self.loss is not None and other.loss is not None:
            loss = (self.loss * self.n + other.loss * other.n) / n
        return Effect((self.kl * self.n + other.kl * other.n) / n, loss, n)


def can_measure(trace: Trace) -> bool:
    """Whether the model of a trace ends with probabilities, in a pass that can be run again."""
    ends = trace.outputs is not None and trace.outputs.kind != "values"
    return ends and hasattr(trace.forward_pass, "under")


@torch.inference_mode()
def measure_effects(trace: Trace, asked: Sequence[Asked]) -> dict[Asked, Effect]:
    """Switch each head off alone, and measure that on a text; heads without any output to tell it by are left out.

    Raises:
        EditError: the model has not what is to be switched off.
    """
    assert trace.outputs is not None  # see `can_measure`
    by_token = trace.outputs.kind in BY_TOKEN and len(trace.logits) == len(trace.sequences[trace.outputs.sequence])
    at = slice(None) if by_token else 0
    base = trace.logits[at].float()
    names = list(dict.fromkeys(each.site for each in asked))
    rows = {(each.site, each.way): _rows(trace, each.site, each.way, by_token) for each in asked}
    of_head: dict[tuple[str, int], list[str]] = {}
    for each in asked:
        if len(rows[each.site, each.way][0]):
            of_head.setdefault((each.site, each.head), []).append(each.way)
    heads: Mapping[str, list[int]] = {name: [head for site, head in of_head if site == name] for name in names}
    jobs = [Job(name, at_site, heads[name]) for at_site, name in enumerate(names) if heads[name]]
    found: dict[Asked, Effect] = {}
    before = base.reshape(-1, base.shape[-1])
    with guarded(trace.model.facts.name):
        for job, logits in edited_logits(trace, at, base, jobs, head_off):
            for head, after in zip(job.heads, logits.reshape(len(job.heads), *before.shape), strict=True):
                for way in of_head[job.site, head]:
                    found[Asked(job.site, head, way)] = _effect(before, after, *rows[job.site, way])
    return found


def _effect(before: Tensor, after: Tensor, rows: Tensor, right: Tensor | None) -> Effect:
    p, q = before[rows].log_softmax(-1), after[rows].log_softmax(-1)  # (rows, V)
    kl = (p.exp() * (p - q)).sum(-1).clamp(min=0).mean()
    loss = None if right is None else float((p - q).gather(1, right[:, None]).mean())
    return Effect(float(kl), loss, len(rows))


def _rows(trace: Trace, name: str, way: str, by_token: bool) -> tuple[Tensor, Tensor | None]:
    """Return the outputs that a way of reading is about, and the right outputs there for induction, else None."""
    assert trace.outputs is not None  # see `can_measure`
    site = next(site for site in trace.sites if site.name.partition(".w")[0] == name)
    if not by_token or site.queries != trace.outputs.sequence:
        return _spread(torch.arange(len(trace.logits))), None
    cells = text_reads(site, trace.sequences).keys_of(way).cpu()  # (T, T)
    if way != "induction" or trace.outputs.kind != "next":
        return _spread(cells.any(1).nonzero()[:, 0]), None
    ids = torch.tensor(trace.sequences[site.queries].ids)
    repeats = (cells[:-1] & (ids[1:, None] == ids[None])).any(1)  # the next token is one that this way reads
    rows = _spread(repeats.nonzero()[:, 0])
    return rows, ids[rows + 1]


def _spread(rows: Tensor) -> Tensor:
    """Return at most `ROWS` rows, evenly."""
    return rows[:: -(-len(rows) // ROWS)] if len(rows) > ROWS else rows
