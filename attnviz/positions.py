"""Positional encodings: how a model that reads tokens in any order alike is told theirs.

Shape legend
    T       positions          d_model   width of the embeddings          d_head   width of one head

Sinusoidal and learned encodings are added to the embeddings once; rotary turns every query and key; a relative bias is
added to the scores; `none` tells nothing (a causal mask still leaks order).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from attnviz.errors import SettingMisfit
from attnviz.errors.settings import check_whole

__all__ = ["alibi_bias", "alibi_slopes", "relative_buckets", "rotary_angles", "rotate", "sinusoidal"]


def sinusoidal(n_positions: int, d_model: int) -> Tensor:
    """Compute the sinusoidal encoding: PE[t, 2i] = sin(t / 10000^(2i/d_model)), PE[t, 2i+1] = cos of the same angle.

    Args:
        n_positions: T.
        d_model: width, even.

    Returns:
        (T, d_model), entries in [-1, 1].

    Raises:
        ConfigError: d_model is odd.

    Source:
        Vaswani et al. 2017, section 3.5.

    Example:
        >>> sinusoidal(2, 2)[1].tolist() == [torch.sin(torch.tensor(1.0)).item(), torch.cos(torch.tensor(1.0)).item()]
        True
    """
    angles = _angles(n_positions, d_model)  # (T, d_model / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)  # (T, d_model/2, 2) -> (T, d_model)


def rotary_angles(n_positions: int, d_head: int) -> tuple[Tensor, Tensor]:
    """Return the cosines and sines of the rotary angles t / 10000^(2i/d_head).

    Args:
        n_positions: T.
        d_head: width of a head, even.

    Returns:
        (cos, sin), each (T, d_head / 2).

    Raises:
        ConfigError: d_head is odd.

    Source:
        Su et al. 2021, "RoFormer", eq. 15.
    """
    angles = _angles(n_positions, d_head)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (x[2i], x[2i+1]) of a query or key by the angle of its position.

    Invariant: rotate(q, m) · rotate(k, n) depends on the positions only through m - n, and lengths are kept.

    Args:
        x: (..., T, d_head).
        cos: (T, d_head / 2).
        sin: (T, d_head / 2).

    Returns:
        (..., T, d_head).

    Source:
        Su et al. 2021, eq. 34.
    """
    even, odd = x[..., 0::2], x[..., 1::2]  # (..., T, d_head / 2) each
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def alibi_slopes(n_heads: int) -> Tensor:
    """Return the slope of each head's linear bias: m_h = 2^(-8 h / H) for h = 1 .. H.

    Args:
        n_heads: H.

    Returns:
        (H,) in (0, 1), the first head the steepest.

    Raises:
        ConfigError: there is no head.

    Source:
        Press et al. 2022, "Train Short, Test Long: Attention with Linear Biases", section 3.

    Example:
        >>> alibi_slopes(4).tolist()
        [0.25, 0.0625, 0.015625, 0.00390625]
    """
    check_whole("n_heads", n_heads, 1)
    return 2.0 ** (-8.0 * torch.arange(1, n_heads + 1) / n_heads)


def alibi_bias(n_positions: int, slope: float) -> Tensor:
    """Return the linear bias on the scaled score of every pair: b_ij = -slope |i - j|.

    The paper's models are causal: there the keys after a query are masked, and only the lower half is read.

    Args:
        n_positions: T.
        slope: slope of the head, see `alibi_slopes`.

    Returns:
        (T, T), 0 on the diagonal, negative elsewhere; it depends on the distance alone.

    Source:
        Press et al. 2022, section 3.

    Example:
        >>> alibi_bias(3, 0.5).tolist()
        [[-0.0, -0.5, -1.0], [-0.5, -0.0, -0.5], [-1.0, -0.5, -0.0]]
    """
    position = torch.arange(n_positions)
    return -slope * (position[:, None] - position[None, :]).abs()


def relative_buckets(n_positions: int, n_buckets: int = 32, max_distance: int = 128, causal: bool = False) -> Tensor:
    """Return the bucket of every pair of a query and a key; a model learns one bias per bucket and head.

    Let d = |i - j|, and N the buckets of one direction: half of all, or all of them with a causal mask, where keys
    after the query share bucket 0. Then d has bucket d while d < N / 2, and after that
    N / 2 + floor(log(d / (N / 2)) / log(max_distance / (N / 2)) * N / 2), at most N - 1. Keys after the query add N.

    Args:
        n_positions: T.
        n_buckets: number of buckets of both directions, a multiple of 4.
        max_distance: at the latest from here on all distances share a bucket; by rounding down, somewhat before: with
            the defaults from 91 on, with a causal mask from 113 on.
        causal: whether only keys before the query have buckets of their own.

    Returns:
        (T, T) int64, from 0 to n_buckets - 1, queries down, keys to the right.

    Raises:
        ConfigError: n_buckets is no multiple of 4, or max_distance leaves no room for the logarithm.

    Source:
        Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer" (T5),
        section 2.1; the rounding is that of its published code.

    Example:
        >>> relative_buckets(4, n_buckets=8, max_distance=16)[0].tolist()  # of the first query
        [0, 5, 6, 6]
    """
    if n_buckets < 4 or n_buckets % 4:
        raise SettingMisfit("n_buckets", n_buckets, "multiple-of-4", 32)
    per_side = n_buckets if causal else n_buckets // 2
    exact = per_side // 2
    check_whole("max_distance", max_distance, exact + 1)
    position = torch.arange(n_positions)
    after = position[None, :] - position[:, None]  # (T, T), above 0 where the key comes after the query
    distance = (-after).clamp(min=0) if causal else after.abs()
    growth = (distance.clamp(min=1).double() / exact).log() / math.log(max_distance / exact)
    far = (exact + (growth * (per_side - exact)).long()).clamp(max=per_side - 1)
    bucket = torch.where(distance < exact, distance, far)
    return bucket if causal else bucket + per_side * (after > 0)


def _angles(n_positions: int, width: int) -> Tensor:
    if width % 2:
        raise SettingMisfit("width", width, "pairs", width + 1)
    frequencies = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)  # (width / 2,)
    positions = torch.arange(n_positions, dtype=torch.float64)  # (T,)
    return torch.outer(positions, frequencies).float()  # (T, width / 2), computed in float64
