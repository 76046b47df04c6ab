"""Shipped models on fresh test data: answers and the attention weights of every head, each model run once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import torch
from torch import Generator, Tensor

import attnviz
from attnviz.analysis.patterns import expected_reads
from attnviz.attention import Mask
from attnviz.models import AttentionCall, SequenceModel
from attnviz.tasks import IGNORE, Batch, Pattern, Task
from attnviz.training import RECIPES

__all__ = ["FRESH_SEED", "Head", "Read", "Seen", "ablated", "attended", "look", "model_of", "read", "task_of"]

FRESH_SEED = 20_261_129  # no recipe and no other test draws with it
AT_LEAST = 200  # inputs of every statement


class Read(NamedTuple):
    """How one head reads the cells that it should: means over the scored queries.

    mass: attention on them; hits: share of the queries whose largest weight lies on one; chance: mass of a head that
    reads all keys it may read alike.
    """

    mass: float
    hits: float
    chance: float
    n_queries: int


class Head(NamedTuple):
    site: str
    head: int


@dataclass(frozen=True, eq=False)
class Seen:
    """A model on a batch of test data.

    weights: by site, (B, H, Tq, Tk); allowed: by site, (B, Tq, Tk); both padded, with nothing allowed in padding.
    """

    model: SequenceModel
    task: Task
    batch: Batch
    logits: Tensor
    weights: dict[str, Tensor]
    allowed: dict[str, Tensor]

    @property
    def right(self) -> Tensor:
        """(B, T) bool: the answer is right, or nothing is scored."""
        return (self.logits.argmax(-1) == self.batch.targets) | (self.batch.targets == IGNORE)

    @property
    def score(self) -> float:
        return self.task.accuracy(self.logits, self.batch)

    def rows(self) -> list[tuple[list[int], list[int] | None]]:
        """Tokens and source of every sequence, without padding."""
        return [
            (_real(self.batch.tokens, self.batch.padding, row), self._source(row))
            for row in range(len(self.batch.tokens))
        ]

    @cached_property
    def expected(self) -> list[tuple[Pattern, ...]]:
        """What the task expects in every sequence."""
        return [self.task.expected(tokens, source) for tokens, source in self.rows()]

    def _source(self, row: int) -> list[int] | None:
        return None if self.batch.source is None else _real(self.batch.source, self.batch.source_padding, row)


def task_of(name: str) -> Task:
    return RECIPES[name].task


@cache
def model_of(name: str) -> SequenceModel:
    return attnviz.load_model(f"zoo/{name}")


@cache
def look(name: str, n: int = AT_LEAST, task: Task | None = None) -> Seen:
    """A shipped model on n fresh test sequences of its task, or of another one with the same tokens."""
    assert n >= AT_LEAST, "a statement is held by at least 200 inputs"
    task = task or task_of(name)
    return attended(model_of(name), task, task.sample(n, Generator().manual_seed(FRESH_SEED), "test"))


@torch.inference_mode()
def attended(model: SequenceModel, task: Task, batch: Batch) -> Seen:
    weights: dict[str, Tensor] = {}
    allowed: dict[str, Tensor] = {}

    def keep(call: AttentionCall) -> None:
        name, padding = call.layer.name, batch.padding
        if call.layer.keys == "encoder" and batch.source is not None:
            padding = batch.source_padding
        n_queries, n_keys = call.q.shape[2], call.k.shape[2]
        may = Mask(call.mask.causal, call.mask.window).allowed(n_queries, n_keys)[None]  # (1, Tq, Tk)
        may = may.expand(len(batch.tokens), -1, -1) if padding is None else may & padding[:, None, :]
        allowed[name] = may
        weights[name] = _weights(call, may)

    logits = model.network(
        batch.tokens,
        batch.source,
        features=batch.features,
        padding=batch.padding,
        source_padding=batch.source_padding,
        record=keep,
    )
    return Seen(model, task, batch, logits, weights, allowed)


def _weights(call: AttentionCall, may: Tensor) -> Tensor:
    """Softmax of the scores of q and k, worked out here and not by attnviz: (B, H, Tq, Tk)."""
    if call.layer.additive is None:
        k = call.k.repeat_interleave(call.q.shape[1] // call.k.shape[1], 1)
        scores = torch.einsum("bhqd,bhkd->bhqk", call.q, k) * call.layer.scale
    else:
        w_q, w_k, w_v = call.layer.additive
        scores = torch.tanh((call.q @ w_q.T)[:, :, :, None] + (call.k @ w_k.T)[:, :, None]) @ w_v
    return scores.masked_fill(~may[:, None], -torch.inf).softmax(-1).nan_to_num(0.0)


def read(seen: Seen, site: str, head: int, cells: Sequence[Tensor | None] | str) -> Read:
    """A head against cells: one (Tq, Tk) bool for each sequence, or the name of a pattern of the task."""
    if isinstance(cells, str):
        cells = pattern_cells(seen, site, cells)
    masses, tops, shares = [], [], []
    for row, wanted in enumerate(cells):
        if wanted is None:
            continue
        n_queries, n_keys = wanted.shape
        may = seen.allowed[site][row, :n_queries, :n_keys]
        wanted = wanted & may
        scored = wanted.any(1)
        weights, wanted, may = seen.weights[site][row, head, :n_queries, :n_keys][scored], wanted[scored], may[scored]
        masses.append((weights * wanted).sum(1))
        tops.append(wanted.gather(1, weights.argmax(1, keepdim=True))[:, 0].double())
        shares.append(wanted.sum(1).double() / may.sum(1))
    mass, top, share = (torch.cat(each) for each in (masses, tops, shares))
    return Read(float(mass.mean()), float(top.mean()), float(share.mean()), len(mass))


def pattern_cells(seen: Seen, site: str, name: str) -> list[Tensor | None]:
    stack, _, kind = site.split(".")
    main = "encoder" if seen.model.config.architecture == "encoder" else "decoder"
    found: list[Tensor | None] = []
    for patterns in seen.expected:
        pattern = next((each for each in patterns if each.name == name), None)
        found.append(None if pattern is None else expected_reads(pattern, stack, kind, main))
    assert any(cells is not None for cells in found), f"no sequence has the pattern {name} at {site}"
    return found


def cells_of(seen: Seen, pairs: Callable[[list[int]], list[tuple[int, int]]]) -> list[Tensor | None]:
    """Cells in self-attention by a function of the tokens, which names (query, key) positions."""
    found: list[Tensor | None] = []
    for tokens, _ in seen.rows():
        places = pairs(tokens)
        found.append(Pattern.of("", places, tokens).reads if places else None)
    return found


@torch.inference_mode()
def ablated(seen: Seen, site: str, heads: Sequence[int] | None = None) -> Tensor:
    """Logits with the contexts of some heads of a layer (None: of all) replaced by their mean over the batch."""
    layers = {module.name: module for module in seen.model.network.modules() if hasattr(module, "project_out")}
    layer = layers[site]
    chosen = list(range(layer.n_heads)) if heads is None else list(heads)
    real = seen.batch.padding if seen.batch.padding is not None else torch.ones_like(seen.batch.tokens).bool()
    if site.startswith("encoder") and seen.batch.source is not None:
        real = seen.batch.source_padding if seen.batch.source_padding is not None else seen.batch.source >= 0

    def replace(module: torch.nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        contexts = inputs[0].unflatten(-1, (layer.n_heads, -1)).clone()  # (B, T, H, d_head)
        contexts[:, :, chosen] = contexts[real].mean(0)[chosen]
        return (contexts.flatten(2),)

    hook = layer.project_out.register_forward_pre_hook(replace)
    try:
        batch = seen.batch
        return seen.model.network(
            batch.tokens,
            batch.source,
            features=batch.features,
            padding=batch.padding,
            source_padding=batch.source_padding,
        )
    finally:
        hook.remove()


def _real(tokens: Tensor, padding: Tensor | None, row: int) -> list[int]:
    kept: list[int] = (tokens[row] if padding is None else tokens[row][padding[row]]).tolist()
    return kept
