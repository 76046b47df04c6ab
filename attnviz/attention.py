"""Attention as free functions: the one implementation that display and analysis use.

Shape legend:

    H      heads                      H_kv   heads of keys and values (H_kv divides H; fewer when grouped)
    Tq     queries                    Tk     keys
    d_head width of one head          d_att  width inside the additive scoring function
    ...    any leading axes (batch, heads), the same for all arguments

A query reads in five steps, one function each:

    scores   s = q · k                         dot_product_scores, additive_scores    (..., Tq, Tk)
    scaled   s / sqrt(d_head) (+ bias, cap)    scaled_scores                          (..., Tq, Tk)
    masked   -inf where a key may not be read  masked_scores                          (..., Tq, Tk)
    weights  softmax over the keys of a row    softmax_weights                        (..., Tq, Tk)
    context  weights @ v                       context                                (..., Tq, d_head)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = [
    "Additive",
    "Mask",
    "Projection",
    "additive_scores",
    "attend",
    "block_weights",
    "context",
    "dot_product_scores",
    "head_output",
    "masked_scores",
    "scaled_dot_product_scores",
    "scaled_scores",
    "softmax_weights",
]

MINUS_INFINITY = float("-inf")


class Additive(NamedTuple):
    """The parameters of the additive scoring function: w_q, w_k (d_att, d_head), w_v (d_att,)."""

    w_q: Tensor
    w_k: Tensor
    w_v: Tensor


class Projection(NamedTuple):
    """Projections of a layer to queries, keys and values: Q = X W_Q + b_Q, K = M W_K + b_K, V = M W_V + b_V.

    M is X itself in self-attention, the encoder's output in cross-attention.

    Attributes:
        normed: X is the residual stream after layer norm (pre-norm); else the residual stream as it is. M of
            cross-attention goes through no norm of this layer.
        bias: b_Q, b_K and b_V are added.
        qk_norm: Q and K are normed after that, each head for itself or all together.

    Source:
        Vaswani et al. 2017, section 3.2.2; pre-norm: Xiong et al. 2020, "On Layer Normalization in the Transformer
        Architecture".
    """

    normed: bool
    bias: bool
    qk_norm: bool = False


def dot_product_scores(q: Tensor, k: Tensor) -> Tensor:
    """Compute the dot product of every query with every key: s_ij = q_i · k_j.

    Args:
        q: queries (..., Tq, d_head).
        k: keys (..., Tk, d_head).

    Returns:
        Scores (..., Tq, Tk), without unit or bound.

    Source:
        Luong et al. 2015, "Effective Approaches to Attention-based Neural Machine Translation", section 3.1, the
        alternative "dot".

    Example:
        >>> dot_product_scores(torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
        [[1.0, 3.0], [2.0, 4.0]]
    """
    return q @ k.transpose(-2, -1)  # (..., Tq, d_head) x (..., d_head, Tk) -> (..., Tq, Tk)


def scaled_dot_product_scores(q: Tensor, k: Tensor) -> Tensor:
    """Compute the scaled dot product: s_ij = q_i · k_j / sqrt(d_head).

    The scale is the root of the width of one head, not of the number of heads: it keeps the variance of a score
    near 1 when the entries of q and k are independent with variance 1.

    Args:
        q: queries (..., Tq, d_head).
        k: keys (..., Tk, d_head).

    Returns:
        Scaled scores (..., Tq, Tk).

    Source:
        Vaswani et al. 2017, "Attention Is All You Need", eq. 1.
    """
    return scaled_scores(dot_product_scores(q, k), scale=q.shape[-1] ** -0.5)


def additive_scores(q: Tensor, k: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor) -> Tensor:
    """Compute additive (Bahdanau) scores: s_ij = w_v · tanh(W_q q_i + W_k k_j), one number per pair.

    Args:
        q: queries (..., Tq, d_q).
        k: keys (..., Tk, d_k); d_k may differ from d_q.
        w_q: (d_att, d_q).
        w_k: (d_att, d_k).
        w_v: (d_att,).

    Returns:
        Scores (..., Tq, Tk), each within ± the sum of |w_v|.

    Source:
        Bahdanau et al. 2014, "Neural Machine Translation by Jointly Learning to Align and Translate", section A.1.2.
    """
    queries = (q @ w_q.T).unsqueeze(-2)  # (..., Tq, 1, d_att)
    keys = (k @ w_k.T).unsqueeze(-3)  # (..., 1, Tk, d_att)
    return torch.tanh(queries + keys) @ w_v  # (..., Tq, Tk, d_att) x (d_att,) -> (..., Tq, Tk)


def scaled_scores(scores: Tensor, scale: float, bias: Tensor | None = None, softcap: float | None = None) -> Tensor:
    """Scale raw scores, add a bias and cap them, as a model does before the mask.

    s' = scale * s + bias; with a cap c: c * tanh(s' / c).

    Args:
        scores: raw scores (..., Tq, Tk).
        scale: 1 / sqrt(d_head) for the scaled dot product, 1 for the dot product and additive scores.
        bias: added to the scaled scores, broadcast to (..., Tq, Tk).
        softcap: bound on the absolute value.

    Returns:
        Scaled scores (..., Tq, Tk).

    Source:
        Vaswani et al. 2017, eq. 1; bias: Raffel et al. 2020 (T5), section 2.1; cap: Gemma Team 2024 (Gemma 2),
        section 2.
    """
    scaled = scores * scale
    if bias is not None:
        scaled = scaled + bias
    if softcap is not None:
        scaled = softcap * torch.tanh(scaled / softcap)
    return scaled


@dataclass(frozen=True)
class Mask:
    """Rules of the keys that a query may attend to; the (Tq, Tk) matrix is made only on request.

    Attributes:
        causal: a query reads keys at its own position and before.
        window: a query reads only keys fewer than `window` positions away (before it; also after it unless causal).
        keys: (Tk,) bool, True where a key is a real token, None when all are (padding mask).
        first_query: position of the first query; None: the queries are the last positions, as in decoding with a cache.
        pairs: (Tq, Tk) bool, True where a query may read a key, for what no other rule tells; None: no such rule.

    Example:
        >>> Mask(causal=True, window=2).allowed(3, 3).int().tolist()
        [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    """

    causal: bool = False
    window: int | None = None
    keys: Tensor | None = None
    first_query: int | None = None
    pairs: Tensor | None = None

    @property
    def open(self) -> bool:
        """True when every query may read every key."""
        return not self.causal and self.window is None and self.keys is None and self.pairs is None

    def allowed(self, n_queries: int, n_keys: int, device: torch.device | None = None) -> Tensor:
        """Return the mask as a matrix: (Tq, Tk) bool, True where the key may be read."""
        first = n_keys - n_queries if self.first_query is None else self.first_query
        query = torch.arange(first, first + n_queries, device=device)[:, None]  # (Tq, 1) positions
        key = torch.arange(n_keys, device=device)[None, :]  # (1, Tk)
        allowed = torch.ones(n_queries, n_keys, dtype=torch.bool, device=device)
        if self.causal:
            allowed &= key <= query
        if self.window is not None:
            allowed &= (query - key).abs() < self.window
        if self.keys is not None:
            allowed &= self.keys[None, :]
        if self.pairs is not None:
            allowed &= self.pairs
        return allowed

    @property
    def only_causal(self) -> bool:
        """True when nothing else than the order of positions decides, and every query may read its own."""
        return self.window is None and self.keys is None and self.pairs is None

    def block(self, queries: slice, n_queries: int, n_keys: int, seen: int) -> Mask:
        """Return the same rule for some of (Tq, Tk) = (n_queries, n_keys) queries and the first `seen` keys."""
        first = n_keys - n_queries if self.first_query is None else self.first_query
        return replace(
            self,
            first_query=first + queries.start,
            keys=None if self.keys is None else self.keys[:seen],
            pairs=None if self.pairs is None else self.pairs[queries, :seen],
        )


def masked_scores(scaled: Tensor, mask: Mask) -> Tensor:
    """Set scores to -inf where the mask forbids reading: e^(-inf) = 0, so that softmax gives those keys no weight.

    Args:
        scaled: scaled scores (..., Tq, Tk).
        mask: which keys each query may read.

    Returns:
        Masked scores (..., Tq, Tk).

    Source:
        Vaswani et al. 2017, section 3.2.3.
    """
    if mask.open:
        return scaled
    allowed = mask.allowed(scaled.shape[-2], scaled.shape[-1], scaled.device)
    return scaled.masked_fill(~allowed, MINUS_INFINITY)


def softmax_weights(masked: Tensor, sink: Tensor | float | None = None) -> Tensor:
    """Compute the softmax over the keys of one query: w_ij = exp(s_ij) / sum_j' exp(s_ij').

    A row in which every key is masked gets zero weights: nothing can be read, so nothing is.

    Args:
        masked: masked scores (..., Tq, Tk).
        sink: a learned score that takes part in the sum but has no value; the row then sums to less than 1.

    Returns:
        Weights (..., Tq, Tk) in [0, 1]; each row sums to 1, to less with a sink, or to 0 when fully masked.

    Source:
        Vaswani et al. 2017, eq. 1; a learned score without a value: OpenAI 2025, "gpt-oss-120b & gpt-oss-20b Model
        Card". The sinks of Xiao et al. 2023 are tokens, each with a key and a value.

    Example:
        >>> softmax_weights(torch.tensor([[0.0, MINUS_INFINITY], [MINUS_INFINITY, MINUS_INFINITY]])).tolist()
        [[1.0, 0.0], [0.0, 0.0]]
    """
    if sink is not None:
        column = torch.as_tensor(sink, dtype=masked.dtype, device=masked.device).expand(masked.shape[:-1])[..., None]
        return torch.softmax(torch.cat([masked, column], dim=-1), dim=-1)[..., :-1]
    weights = torch.softmax(masked, dim=-1)
    empty = masked.amax(dim=-1, keepdim=True) == MINUS_INFINITY
    return weights.masked_fill_(empty, 0.0) if empty.any() else weights


def block_weights(q: Tensor, k: Tensor, scale: float, mask: Mask, scores: Tensor, weights: Tensor) -> None:
    """Compute the weights of many heads in memory that is used again, for masks that are at most causal.

    The same numbers as `softmax_weights(masked_scores(scaled_scores(dot_product_scores(q, k), scale), mask))`, up to
    the order of two roundings. Only the keys after the first query can be masked, so only they are looked at.

    Args:
        q: queries (H, Tq, d_head).
        k: keys (H, Tk, d_head).
        scale: scale that raw scores are multiplied by.
        mask: `only_causal`, and no query stands before the first key.
        scores: memory for (H, Tq, Tk); what was in it is lost.
        weights: (H, Tq, Tk), is filled.

    Source:
        Vaswani et al. 2017, eq. 1.
    """
    torch.baddbmm(scores, q, k.transpose(1, 2), beta=0, alpha=scale, out=scores)  # (H, Tq, Tk)
    if mask.causal:
        n_queries, n_keys = scores.shape[1:]
        first = n_keys - n_queries if mask.first_query is None else mask.first_query
        allowed = replace(mask, first_query=0).allowed(n_queries, n_keys - first, scores.device)
        scores[..., first:].masked_fill_(~allowed, MINUS_INFINITY)
    torch.softmax(scores, dim=-1, out=weights)


def context(weights: Tensor, v: Tensor) -> Tensor:
    """Compute the context vectors, weighted sums of values: c_i = sum_j w_ij v_j.

    Args:
        weights: (..., Tq, Tk).
        v: values (..., Tk, d_head).

    Returns:
        Context (..., Tq, d_head): one vector per query, inside the convex hull of the values where the row of weights
            sums to 1 (not with a sink, nor where every key is masked: then it is 0).

    Source:
        Vaswani et al. 2017, eq. 1.
    """
    return weights @ v  # (..., Tq, Tk) x (..., Tk, d_head) -> (..., Tq, d_head)


def head_output(context: Tensor, w_o: Tensor) -> Tensor:
    """Compute one head's share of the residual stream: its context through its rows of W_O.

    MultiHead = Concat(c_1 .. c_H) W_O + b_O is the sum of these shares over the heads, plus b_O once.

    Args:
        context: (Tq, d_head).
        w_o: (d_head, d_model), the rows of W_O that belong to this head.

    Returns:
        (Tq, d_model).

    Source:
        Vaswani et al. 2017, section 3.2.2; as a sum: Elhage et al. 2021, "A Mathematical Framework for
        Transformer Circuits".
    """
    return context @ w_o  # (Tq, d_head) x (d_head, d_model) -> (Tq, d_model)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Mask | None = None) -> tuple[Tensor, Tensor]:
    """Compute the scaled dot-product attention from queries, keys and values to context and weights, all five steps.

    Args:
        q: (..., Tq, d_head).
        k: (..., Tk, d_head).
        v: (..., Tk, d_v).
        mask: which keys each query may read; every key when None.

    Returns:
        (context (..., Tq, d_v), weights (..., Tq, Tk)).

    Source:
        Vaswani et al. 2017, eq. 1.

    Example:
        >>> x = torch.eye(3)
        >>> [round(w, 4) for w in attend(x, x, x)[1][0].tolist()]
        [0.4711, 0.2645, 0.2645]
    """
    weights = softmax_weights(masked_scores(scaled_dot_product_scores(q, k), mask or Mask()))
    return context(weights, v), weights
