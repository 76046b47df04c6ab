"""A Hugging Face model's own linear layers, multiplied the fastest way that is as exact as float32 here.

The route is that of `attnviz.models.linear`. It reaches a model from outside: while it is in force, torch shows every
call that this thread makes, and the products of an input with one of the model's weights are made by oneDNN. No
layer, weight or hook of the model is touched, other threads run as ever, and products on the way to gradients, in
another precision or on another device stay as they are.

Layers
    nn.Linear    F.linear(x, W, b), W (d_out, d_in): as oneDNN wants it
    Conv1D       torch.addmm(b, x, W), W (d_in, d_out), in GPT-2 and its kin: oneDNN wants the transpose. Copying it
                 costs what the route wins in some two hundred rows; `lay_out` keeps it that way from the start
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from transformers.pytorch_utils import Conv1D

from attnviz.models.linear import best_route

__all__ = ["fast_products", "lay_out"]

ROWS_WORTH_A_COPY = 256


@contextmanager
def fast_products(model: nn.Module) -> Iterator[None]:
    """Multiply by a model's weights by the best route of this processor, in this thread; "plain" changes nothing.

    Args:
        model: any module; what it multiplies by its own two-dimensional parameters in float32 is meant.

    Example:
        >>> model = nn.Linear(3, 2)
        >>> with torch.inference_mode(), fast_products(model):
        ...     model(torch.ones(5, 3)).shape
        torch.Size([5, 2])
    """
    if best_route() == "plain":
        yield
    else:
        with _FastProducts(model):
            yield


def lay_out(model: nn.Module) -> None:
    """Store the weights of a model's Conv1D layers in the order in which the best route reads them.

    Shapes and values stay; only the strides of W (d_in, d_out) change, from (d_out, 1) to (1, d_in), and on the route
    "plain" nothing does.

    Example:
        >>> layer = Conv1D(nf=2, nx=3)
        >>> lay_out(layer)
        >>> layer.weight.shape
        torch.Size([3, 2])
    """
    if best_route() == "plain":
        return
    for layer in model.modules():
        if isinstance(layer, Conv1D):
            layer.weight.data = layer.weight.data.T.contiguous().T


class _FastProducts(TorchFunctionMode):
    """Makes the products with a model's weights by oneDNN; hands every other call on."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._weights = {id(weight) for weight in model.parameters() if weight.dim() == 2}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is F.linear:
            product = self._of_linear(*args, **kwargs)
        elif func is torch.addmm and not kwargs:
            product = self._of_conv1d(*args)
        else:
            product = None
        return func(*args, **kwargs) if product is None else product

    def _of_linear(self, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor | None:
        """x W^T + b, or None where that is not for oneDNN: (..., d_in), (d_out, d_in), (d_out,) -> (..., d_out)."""
        return _product(input, weight, bias) if self._is_ours(input, weight, bias) else None

    def _of_conv1d(self, bias: Tensor, x: Tensor, weight: Tensor) -> Tensor | None:
        """b + x W, or None: (d_out,), (N, d_in), (d_in, d_out) -> (N, d_out)."""
        if not self._is_ours(x, weight, bias):
            return None
        across = weight.T
        if not across.is_contiguous():
            if len(x) < ROWS_WORTH_A_COPY:
                return None
            across = across.contiguous()
        return _product(x, across, bias)

    def _is_ours(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
        """Whether this is a product with one of the model's weights that oneDNN makes exactly, without gradients."""
        tensors = (x, weight) if bias is None else (x, weight, bias)
        return (
            id(weight) in self._weights
            and not (torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors))
            and not torch.is_autocast_enabled("cpu")
            and all(tensor.dtype is torch.float32 and tensor.device.type == "cpu" for tensor in tensors)
            and (bias is None or bias.dim() == 1)
            and x.dim() >= 2
            and x.numel() > 0
        )


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x W^T + b in oneDNN's float32: (..., d_in), (d_out, d_in), (d_out,) -> (..., d_out)."""
    return cast(Tensor, torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], ""))
