"""Reading what a recorded call does between scores and softmax: masks, biases, caps and sinks as data."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from attnviz.attention import MINUS_INFINITY, Mask
from attnviz.errors.base import Why
from attnviz.huggingface.interface import InterfaceCall

__all__ = ["Rules", "RulesReader", "rule_of"]


class Rules(NamedTuple):
    """Changes that a call makes to the raw scores of one row of its batch; see `AttentionSite` for each."""

    scale: float
    mask: Mask
    bias: Tensor | None
    softcap: float | None
    sinks: Tensor | None


class RulesReader:
    """Reads the rules of the calls of one forward pass; a mask that serves many layers is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[Tensor, tuple[Mask, Tensor | None]]] = {}

    def read(self, call: InterfaceCall, row: int) -> Rules:
        """Return the rules of a call for one row of its batch.

        Raises:
            TypeError: the mask is of a kind that is not understood.
        """
        n_queries, n_keys = call.q.shape[2], call.k.shape[2]
        mask, bias = self._split(call.mask, row, n_queries, n_keys)
        if call.mask is None and n_queries > 1 and _causal_when_unmasked(call):
            mask = Mask(causal=True, first_query=0 if n_queries != n_keys else None)
        positions, position_bias = self._split(call.extras.get("position_bias"), row, n_queries, n_keys)
        if not positions.open:
            raise TypeError(Why("bias-hides"))
        if bias is not None and position_bias is not None:
            bias = bias + position_bias
        scaling, sinks = call.extras.get("scaling"), call.extras.get("s_aux")
        return Rules(
            scale=call.q.shape[-1] ** -0.5 if scaling is None else float(scaling),
            mask=mask,
            bias=position_bias if bias is None else bias,
            softcap=call.extras.get("softcap"),
            sinks=None if sinks is None else sinks.detach().float().flatten().clone(),  # a parameter of the model
        )

    def _split(self, given: Any, row: int, n_queries: int, n_keys: int) -> tuple[Mask, Tensor | None]:
        """Return a mask as the rule which keys may be read, and what it adds to the scores of those that may."""
        if given is None:
            return Mask(), None
        if not isinstance(given, Tensor):
            raise TypeError(Why("mask-type", type=type(given).__name__))
        key = (given.data_ptr(), tuple(given.shape), given.stride(), row, n_queries, n_keys)
        if key not in self._known:  # the tensor is kept, so that its address stays its own
            self._known[key] = given, _read(given, row, n_queries, n_keys)
        return self._known[key][1]


def _read(given: Tensor, row: int, n_queries: int, n_keys: int) -> tuple[Mask, Tensor | None]:
    given = given[row if given.shape[0] > 1 else 0]
    if given.ndim == 1:  # (Tk,) 1 for real tokens
        keys = given[:n_keys].bool()
        return Mask(keys=None if bool(keys.all()) else keys), None
    matrix = given[..., :n_keys].expand(-1, n_queries, -1)  # (1 or H, Tq, Tk)
    if matrix.dtype == torch.bool:
        allowed, bias = matrix, None
    else:
        allowed = matrix > torch.finfo(matrix.dtype).min / 2
        bias = matrix if bool(allowed.all()) else matrix.masked_fill(~allowed, 0.0)
        bias = bias if bool(bias.any()) else None
    if bool((allowed != allowed[:1]).any()):  # no rule for all heads: a bias can say it of each
        added = torch.zeros_like(matrix, dtype=torch.float32) if bias is None else bias.float()
        return Mask(), added.masked_fill(~allowed, MINUS_INFINITY)
    return rule_of(allowed[0]), bias


def rule_of(allowed: Tensor) -> Mask:
    """The shortest rule that says which keys (Tk) each query (Tq) may read: causal, window, padding, else the pairs.

    Example:
        >>> rule_of(torch.ones(3, 3).tril().bool())
        Mask(causal=True, window=None, keys=None, first_query=None, pairs=None)
    """
    n_queries, n_keys = allowed.shape
    if bool(allowed.all()):
        return Mask()
    query = torch.arange(n_keys - n_queries, n_keys, device=allowed.device)[:, None]
    distance = query - torch.arange(n_keys, device=allowed.device)[None, :]  # how far before the query a key stands
    read = distance[allowed]
    if read.numel() == 0:
        return Mask(pairs=allowed)
    causal = bool(read.min() >= 0)
    reach = int(read.abs().max()) + 1
    keys = allowed.any(0)
    for window in (None, reach):
        for padding in (None, keys):
            mask = Mask(causal, window, padding)
            if bool((mask.allowed(n_queries, n_keys, allowed.device) == allowed).all()):
                return mask
    return Mask(pairs=allowed)


def _causal_when_unmasked(call: InterfaceCall) -> bool:
    """Whether the backend lets a call without a mask read only what came before: fused kernels do, eager does not."""
    fused = any(call.backend is function for function in ALL_ATTENTION_FUNCTIONS.values())
    told = call.extras.get("is_causal")
    return fused and bool(getattr(call.module, "is_causal", True) if told is None else told)
