"""Numerical difference between a trace and the model's own computation."""

from __future__ import annotations

import torch
from torch import Tensor

from attnviz.trace import AttentionSite
from attnviz.trace.compare import largest, worst

__all__ = ["context_error", "output_error", "tolerance", "valid_rows"]


def tolerance(dtype: torch.dtype) -> float:
    """Return the largest allowed difference between float32 recomputation and a model that computes in `dtype`."""
    return 1e-4 if dtype in (torch.float32, torch.float64) else 4 * torch.finfo(dtype).eps


def context_error(site: AttentionSite, own: Tensor) -> float:
    """max |weights(h) @ v - the model's own context (H, Tq, d_value)|, over the rows in which something may be read,
    in units of the largest number of the model's own when that is above 1."""
    errors, scale = [], 1.0
    for head in range(site.n_heads):
        rows = valid_rows(site, head)
        errors.append(largest((site.context(head) - own[head].float())[rows]))
        scale = worst([scale, largest(own[head].float()[rows])])
    return worst(errors) / scale


def output_error(site: AttentionSite, w_o: Tensor, b_o: Tensor | None, own: Tensor) -> float:
    """Return max |sum over heads of context(h) W_O(h) + b_O - the layer's own output (Tq, d_model)|, likewise."""
    heads, parts = range(site.n_heads), w_o.float().reshape(site.n_heads, site.d_value, -1)
    total = sum((site.context(head) @ parts[head] for head in heads), 0.0 if b_o is None else b_o.float())
    rows = torch.stack([valid_rows(site, head) for head in heads]).all(0)
    return largest((total - own.float())[rows]) / worst([1.0, largest(own.float()[rows])])


def valid_rows(site: AttentionSite, head: int) -> Tensor:
    """Return the queries that may read something (Tq,); a row of weights that are not numbers is one of them."""
    return site.weights(head).sum(-1) != 0
