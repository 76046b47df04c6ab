"""Functions of torch that compute several steps in one, as those steps: each is then a linear one, or is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["REWRITTEN"]

Steps = Callable[[], Tensor]


def _convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Steps | None:
    """Where the kernel has one place it is a linear map of the channels; any other one reads several places."""
    sizes = weight.shape[2:]
    moves = any(int(each) != 1 for each in (stride if isinstance(stride, tuple | list) else (stride,)))
    pads = not isinstance(padding, str) and any(padding if isinstance(padding, tuple | list) else (padding,))
    if groups != 1 or moves or pads or any(size != 1 for size in sizes):
        return None
    channels = -len(sizes) - 1
    matrix = weight.flatten(1)  # (out, in)
    return lambda: F.linear(x.movedim(channels, -1), matrix, bias).movedim(-1, channels).contiguous()


def _with_product(total: Tensor, one: Tensor, other: Tensor, *, beta: float = 1, alpha: float = 1) -> Steps:
    return lambda: total * beta + torch.matmul(one, other) * alpha


def _lerp(start: Tensor, end: Tensor, weight: Any) -> Steps:
    return lambda: start + (end - start) * weight


def _addcmul(total: Tensor, one: Tensor, other: Tensor, *, value: float = 1) -> Steps:
    return lambda: total + one * other * value


def _addcdiv(total: Tensor, one: Tensor, other: Tensor, *, value: float = 1) -> Steps:
    return lambda: total + one / other * value


REWRITTEN: Mapping[str, Callable[..., Steps | None]] = {
    "conv1d": _convolution,
    "conv2d": _convolution,
    "conv3d": _convolution,
    "baddbmm": _with_product,
    "addmm": _with_product,
    "lerp": _lerp,
    "addcmul": _addcmul,
    "addcdiv": _addcdiv,
}
"""Return the linear steps of a call; None where it has none."""
