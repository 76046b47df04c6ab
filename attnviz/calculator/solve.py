"""Solve a typed problem as a trace: projection, attention, W_O, residual and pooling, each step kept.

The steps between q, k, v and the context are those of `AttentionSite`, as for every model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from attnviz.attention import Mask, Projection
from attnviz.calculator.check import check
from attnviz.calculator.problem import CHOICES, Problem
from attnviz.models.facts import ModelFacts
from attnviz.positions import rotary_angles, rotate, sinusoidal
from attnviz.trace import AttentionSite, LayerInputs, ProofEntry, Tokens, Trace
from attnviz.trace.site import Additive

__all__ = ["BY_HAND", "ByHand", "Pooled", "by_scoring", "pooled", "solve", "stages", "weighted_values", "worked"]

BY_HAND = "by hand"
"""Stands for a model where the numbers are a person's own."""
SITE = "hand.0.self"


class Pooled(NamedTuple):
    """A sequence as one vector, in the ways that need no weights: each (d,)."""

    mean: Tensor
    max: Tensor
    last: Tensor


class Model:
    """Stand-in for a model where the numbers are typed."""

    def __init__(self, positions: str) -> None:
        self.facts = ModelFacts(BY_HAND, BY_HAND, "", "encoder", 0, None, positions, kind=BY_HAND)


class ByHand:
    """A forward pass made of typed numbers.

    Attributes:
        problem: the numbers.
        x: what the layer read, positions added (T, d_model); None where q, k and v were typed.
        context: context of all heads side by side (Tq, H * d_v).
        output: output of W_O; the context where there is none (Tq, d_out).
        result: result with the residual where there is one (Tq, d_out).
    """

    def __init__(self, problem: Problem, x: Tensor | None, site: AttentionSite) -> None:
        self.problem, self.x = problem, x
        self.context = torch.cat([site.context(head) for head in range(site.n_heads)], dim=-1)  # (Tq, H * d_v)
        self.output = self.context if site.w_o is None else self.context @ site.w_o
        self.result = self.output + x if x is not None and problem.residual else self.output

    @property
    def nbytes(self) -> int:
        """Bytes beside q, k and v."""
        return sum(tensor.nbytes for tensor in (self.x, self.context, self.output, self.result) if tensor is not None)

    def logits(self, rows: int | None = None) -> Iterator[Tensor]:
        """There are none: an attention layer ends with its result.

        Raises:
            ValueError: always.
        """
        raise ValueError("attention by hand has no outputs to choose from")

    def inputs(self) -> Mapping[str, LayerInputs]:
        """X, where it was typed."""
        return {} if self.x is None else {SITE: LayerInputs(self.x, self.x)}

    def proof(self, sites: Sequence[AttentionSite]) -> list[ProofEntry]:
        """The site against `attnviz.calculator.check`: the same problem in float64, one query after the other."""
        (site,) = sites
        context, output = check(self.problem)
        mine = torch.stack([site.context(head) for head in range(site.n_heads)])  # (H, Tq, d_v)
        shares = [site.output(head) for head in range(site.n_heads)] if site.w_o is not None else list(mine)
        through = torch.stack(shares).sum(0) if site.w_o is not None else torch.cat(shares, dim=-1)
        return [ProofEntry(site.name, _error(mine, context), _error(through, output))]


def _error(mine: Tensor, exact: Tensor) -> float:
    """Return the largest difference, in units of the largest number where that is above 1."""
    return float((mine.double() - exact).abs().max() / exact.abs().max().clamp(min=1))


@torch.inference_mode()
def solve(problem: Problem, names: Sequence[str] = ()) -> Trace:
    """Compute every step of a problem, in float32 as models do.

    Args:
        problem: problem that fits together.
        names: names of the first tokens, where queries and keys are the same ones; the others are called x1, x2 ...

    Returns:
        A Trace with one site; `worked` gives what follows after the site's context.

    Source:
        Vaswani et al. 2017, sections 3.2 and 3.5; additive scores: Bahdanau et al. 2014, section A.1.2.

    Example:
        >>> from attnviz.calculator.presets import PRESETS
        >>> [round(weight, 4) for weight in solve(PRESETS["one-hot"]).sites[0].weights(0)[0].tolist()]
        [0.5761, 0.2119, 0.2119]
    """
    table = {name: torch.tensor(rows, dtype=torch.float32) for name, rows in problem.tables.items()}
    x: Tensor | None = None
    if problem.given == "x":
        x = table["x"] + _added(problem, table)
        q, k, v = (x @ table[name] for name in ("w_q", "w_k", "w_v"))  # (T, d_model) x (d_model, H * d) -> (T, H * d)
    else:
        q, k, v = table["q"], table["k"], table["v"]
    q, k, v = (_heads(each, problem.heads) for each in (q, k, v))  # (T, H * d) -> (H, T, d)
    if problem.positions == "rotary":
        q, k = (rotate(each, *rotary_angles(each.shape[1], problem.d_k)) for each in (q, k))
    site = _site(problem, table, q, k, v)
    is_self = site.kind == "self"
    first = _tokens("x" if x is not None else "q", problem.n_queries, names if is_self else ())
    sequences = {site.queries: first}
    if not is_self:
        sequences[site.keys] = _tokens("k", problem.n_keys)
    return Trace(
        model=Model(problem.positions),
        text="",
        target=None,
        target_generated=False,
        sequences=sequences,
        main=site.queries,
        sites=(site,),
        outputs=None,
        forward_pass=ByHand(problem, x, site),
    )


def _added(problem: Problem, table: Mapping[str, Tensor]) -> Tensor:
    """Return the position vectors that are added to X."""
    if problem.positions == "sinusoidal":
        return sinusoidal(*table["x"].shape)
    return table["p"] if problem.positions == "learned" else torch.zeros(())


def _heads(rows: Tensor, n_heads: int) -> Tensor:
    return rows.reshape(len(rows), n_heads, -1).transpose(0, 1).contiguous()  # (T, H * d) -> (H, T, d)


def _site(problem: Problem, table: Mapping[str, Tensor], q: Tensor, k: Tensor, v: Tensor) -> AttentionSite:
    is_self = problem.n_queries == problem.n_keys
    stack = "decoder" if problem.causal or not is_self else "encoder"
    keys = None
    if problem.padding:
        keys = torch.ones(problem.n_keys, dtype=torch.bool)
        keys[list(problem.padding)] = False
    additive = problem.scoring == "additive"
    return AttentionSite(
        name=SITE,
        layer=0,
        stack=stack,
        kind="self" if is_self else "cross",
        queries=stack,
        keys=stack if is_self else "encoder",
        scoring=problem.scoring,
        q=q,
        k=k,
        v=v,
        w_o=table.get("w_o"),
        w_in=torch.cat([table[name] for name in ("w_q", "w_k", "w_v")], dim=-1) if problem.given == "x" else None,
        scale=problem.multiplier,
        mask=Mask(problem.causal, problem.window, keys, first_query=0),
        additive=Additive(table["a_q"], table["a_k"], table["a_v"][0]) if additive else None,
        rotary=problem.positions == "rotary",
        projection=Projection(normed=False, bias=False) if problem.given == "x" else None,
    )


def _tokens(letter: str, n: int, names: Sequence[str] = ()) -> Tokens:
    others = (f"{letter}{i}" for i in range(len(names) + 1, n + 1))
    return Tokens(tuple(range(n)), (*names[:n], *others))


def worked(trace: Trace) -> ByHand:
    """Return the results of `solve` that follow its attention site."""
    assert isinstance(trace.forward_pass, ByHand)
    return trace.forward_pass


@torch.inference_mode()
def stages(trace: Trace) -> dict[str, Tensor]:
    """Return every intermediate of a trace from `solve`, all heads together, by name.

    Returns:
        x (T, d_model) where it was typed; q, k, v (H, T, d); scores, scaled, masked, weights (H, Tq, Tk);
        context (H, Tq, d_v); output, result (Tq, d_out); pooled (d_out,) where one was asked for.
    """
    (site,) = trace.sites
    by_hand = worked(trace)
    chains = [site.chain(head) for head in range(site.n_heads)]
    names = ("scores", "scaled", "masked", "weights", "context")
    found = {} if by_hand.x is None else {"x": by_hand.x}
    found |= {"q": site.q, "k": site.k, "v": site.v}
    found |= {name: torch.stack([getattr(chain, name) for chain in chains]) for name in names}
    found |= {"output": by_hand.output, "result": by_hand.result}
    if by_hand.problem.pooling != "attention":
        found["pooled"] = getattr(pooled(by_hand.result), by_hand.problem.pooling)
    return found


def by_scoring(problem: Problem, head: int, query: int) -> dict[str, Tensor]:
    """Return one query's weights, (Tk,) each, under every scoring function with its default scale.

    Additive scores take the typed tables; where there are none, W_q and W_k are the identity and w_v is all ones.

    Example:
        >>> from attnviz.calculator.presets import PRESETS
        >>> found = by_scoring(PRESETS["one-hot"], 0, 0)
        >>> {name: round(float(weights[0]), 3) for name, weights in found.items()}
        {'dot': 0.576, 'scaled_dot': 0.471, 'additive': 0.222}
    """
    eye = tuple(tuple(float(i == j) for j in range(problem.d_k)) for i in range(problem.d_k))
    tables = {"a_q": eye, "a_k": eye, "a_v": ((1.0,) * problem.d_k,), **problem.tables}
    found = {}
    for scoring in CHOICES["scoring"]:
        (site,) = solve(replace(problem, tables=tables, scoring=scoring, scale=None)).sites
        found[scoring] = site.weights(head)[query]
    return found


def pooled(rows: Tensor) -> Pooled:
    """Return the mean, largest and last number of every column: (T, d) to (d,) each."""
    return Pooled(rows.mean(0), rows.amax(0), rows[-1])


def weighted_values(trace: Trace, head: int, query: int) -> Tensor:
    """Return the terms of one query's context, w_ij v_j: (Tk, d_v). Only their sum is an output."""
    (site,) = trace.sites
    return site.weights(head)[query][:, None] * site.v[head]  # (Tk, 1) * (Tk, d_v)
