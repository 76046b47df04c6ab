"""Analyses of positional encodings: similarity of positions, and the effect of having none.

Shape legend
    T  positions or tokens        d  width
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from attnviz import attention
from attnviz.attention import Mask
from attnviz.models import SequenceModel
from attnviz.positions import alibi_bias, alibi_slopes, relative_buckets, rotary_angles, rotate, sinusoidal

__all__ = [
    "KINDS",
    "Kind",
    "Permuted",
    "bias_alone",
    "learned_tables",
    "permuted",
    "rotated",
    "similarity",
    "untrained",
]

Kind = Literal["sinusoidal", "learned", "rotary", "alibi", "t5", "none"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SEED = 0
START_STD = 0.5  # of the embeddings of our own models before training


def _random(*shape: int, seed: int = SEED) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def untrained(n_positions: int, d: int) -> Tensor:
    """A learned encoding before anything was learned: (T, d), every number drawn from N(0, 0.5^2), always the same."""
    return START_STD * _random(n_positions, d)


def learned_tables(model: SequenceModel) -> Mapping[str, Tensor]:
    """Return the learned encodings of a model by stack, (max_len, d_model) each; empty where it learns none."""
    tables = {}
    for name, module in model.network.named_modules():
        embedding = getattr(module, "position_embedding", None)
        if isinstance(embedding, nn.Embedding):
            tables[name] = embedding.weight.detach()
    return tables


def rotated(n_positions: int, d: int) -> Tensor:
    """One random vector x, the same for all positions, turned to each of them: (T, d). d is the even width of a head.

    Raises:
        ConfigError: d is odd.
    """
    x = _random(d).expand(n_positions, d)
    return rotate(x, *rotary_angles(n_positions, d))


def similarity(vectors: Tensor) -> Tensor:
    """Compute the cosine similarity of position vectors: (T, T), s_ij = v_i · v_j / (|v_i| |v_j|), in [-1, 1].

    Args:
        vectors: (T, d), one for each position.

    Example:
        >>> similarity(torch.tensor([[3.0, 0.0], [0.0, 2.0]])).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    directions = nn.functional.normalize(vectors, dim=-1)
    return directions @ directions.T


def bias_alone(bias: Tensor) -> Tensor:
    """Causal weights of a head whose tokens are all alike, so that nothing but the bias (T, T) tells keys apart."""
    return attention.softmax_weights(attention.masked_scores(bias, Mask(causal=True)))


class Permuted(NamedTuple):
    """Effect of permuting tokens on the output of a layer.

    Attributes:
        difference: the largest |f(P x) - P f(x)| over all tokens and dimensions.
        largest: the largest |f(x)|, to compare with.
    """

    kind: Kind
    difference: float
    largest: float


def permuted(n_tokens: int, d: int) -> list[Permuted]:
    """Test for each positional encoding whether an attention layer notices a permutation of its tokens.

    One head with random projections reads random tokens x, then the same tokens in another order, P x. Without
    positions f(P x) = P f(x): each token gets exactly what it got before, wherever it stands. The learned encoding and
    the relative biases are as before training.

    Args:
        n_tokens: T, at least 2.
        d: even width.

    Returns:
        One entry for each of KINDS.

    Raises:
        ConfigError: d is odd.

    Source:
        Equivariance of self-attention: Lee et al. 2019, "Set Transformer", section 3.1.

    Example:
        >>> [entry.kind for entry in permuted(8, 16) if entry.difference < 1e-5 * entry.largest]
        ['none']
    """
    x = _random(n_tokens, d, seed=1)
    order = torch.randperm(n_tokens, generator=torch.Generator().manual_seed(2))
    found = []
    for kind in KINDS:
        before, after = _attend(kind, x), _attend(kind, x[order])
        difference = (after - before[order]).abs().max()
        found.append(Permuted(kind, float(difference), float(before.abs().max())))
    return found


def _attend(kind: Kind, x: Tensor) -> Tensor:
    """One head of self-attention with its positions told in one way: (T, d) -> (T, d)."""
    n_tokens, d = x.shape
    added = {"sinusoidal": sinusoidal, "learned": untrained}.get(kind)
    x = x if added is None else x + added(n_tokens, d)
    q, k, v = (x @ w for w in _random(3, d, d, seed=3) / d**0.5)
    if kind == "rotary":
        angles = rotary_angles(n_tokens, d)
        q, k = rotate(q, *angles), rotate(k, *angles)
    scores = attention.scaled_scores(attention.dot_product_scores(q, k), d**-0.5, _bias(kind, n_tokens))
    return attention.context(attention.softmax_weights(scores), v)


def _bias(kind: Kind, n_tokens: int) -> Tensor | None:
    if kind == "alibi":
        return alibi_bias(n_tokens, float(alibi_slopes(8)[0]))  # the steepest of 8 heads
    if kind == "t5":
        buckets = relative_buckets(n_tokens)
        return START_STD * _random(int(buckets.max()) + 1, seed=4)[buckets]
    return None
