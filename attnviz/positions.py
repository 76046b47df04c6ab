"""Positional encodings: how a model that reads a set is told the order.

Shape legend
    T       positions          d_model   width of the embeddings          d_head   width of one head

Sinusoidal and learned encodings are added to the embeddings once; rotary turns every query and key; `none` tells
nothing (a causal mask still leaks order).
"""

from __future__ import annotations

import torch
from torch import Tensor

from attnviz.errors import ConfigError

__all__ = ["rotary_angles", "rotate", "sinusoidal"]


def sinusoidal(n_positions: int, d_model: int) -> Tensor:
    """Sinusoidal encoding: PE[t, 2i] = sin(t / 10000^(2i/d_model)), PE[t, 2i+1] = cos of the same angle.

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
    """Cosines and sines of the rotary angles t / 10000^(2i/d_head).

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


def _angles(n_positions: int, width: int) -> Tensor:
    if width % 2:
        raise ConfigError(f"sines and cosines come in pairs: the width {width} must be even, for example {width + 1}")
    frequencies = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)  # (width / 2,)
    positions = torch.arange(n_positions, dtype=torch.float64)  # (T,)
    return torch.outer(positions, frequencies).float()  # (T, width / 2), computed in float64
