"""Linear layers, multiplied the fastest way that is as exact as float32 on this processor.

Routes
    plain    torch's own: MKL, the fastest there is on Intel's processors
    onednn   oneDNN, about twice as fast where MKL leaves AVX-512 unused, as on other makers' processors

PyTorch hands the products of the way back to oneDNN only where it may compute in bfloat16 ("medium" precision). A
processor with tiles (AMX) then does, with errors a thousand times as large; all others compute in float32. So the
route is tried out on random data before it is taken, and the permission holds for single products of it alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from threading import Lock
from typing import Literal, cast, get_args

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable

__all__ = ["ROUTES", "Linear", "Route", "best_route", "is_exact", "linear", "products"]

Route = Literal["plain", "onednn"]
ROUTES: tuple[Route, ...] = get_args(Route)
LARGEST_ERROR = 5e-4  # of sums of 512 products of normal numbers; float32 has 5e-5, bfloat16 2e-1

_route: ContextVar[Route] = ContextVar("route", default="plain")
_permission = Lock()


@contextmanager
def products(route: Route) -> Iterator[None]:
    """Multiply in linear layers by this route, in this thread; their way back goes the same way, whenever it does."""
    token = _route.set(route)
    try:
        yield
    finally:
        _route.reset(token)


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """x W^T + b by the route in force: (..., d_in), (d_out, d_in), (d_out,) -> (..., d_out)."""
    if _route.get() == "plain":
        return F.linear(x, weight, bias)
    return cast(Tensor, _OneDnn.apply(x, weight, bias))  # type: ignore[no-untyped-call]


class Linear(nn.Linear):
    """`nn.Linear` by the route in force."""

    def forward(self, input: Tensor) -> Tensor:
        """(..., d_in) -> (..., d_out)."""
        return linear(input, self.weight, self.bias)


@cache
def best_route() -> Route:
    """The route to take on this processor; depends on it alone, so that two runs on it round alike."""
    return "onednn" if torch.backends.cpu.get_cpu_capability() == "AVX512" and is_exact("onednn") else "plain"


@cache
@torch.inference_mode(False)
def is_exact(route: Route) -> bool:
    """Whether a route computes output and gradients here as float32 does, measured against float64."""
    generator = Generator().manual_seed(0)
    shapes = ((128, 512), (64, 512), (64,), (128, 64))
    x, weight, bias, grad = (torch.randn(shape, generator=generator) for shape in shapes)
    wanted = _output_and_gradients("plain", x.double(), weight.double(), bias.double(), grad.double())
    try:
        found = _output_and_gradients(route, x, weight, bias, grad)
    except (RuntimeError, AttributeError):  # this build of torch, or this processor, has it not
        return False
    return all(float((a - b).abs().max()) <= LARGEST_ERROR for a, b in zip(found, wanted, strict=True))


def _output_and_gradients(route: Route, x: Tensor, weight: Tensor, bias: Tensor, grad: Tensor) -> list[Tensor]:
    with torch.enable_grad(), products(route):
        inputs = [tensor.detach().requires_grad_() for tensor in (x, weight, bias)]
        output = linear(*inputs)
        return [output.detach(), *torch.autograd.grad((output * grad).sum(), inputs)]


class _Saved(FunctionCtx):
    saved_tensors: tuple[Tensor, Tensor]


class _OneDnn(torch.autograd.Function):
    """A linear layer in oneDNN's float32."""

    @staticmethod
    def forward(ctx: _Saved, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return cast(Tensor, torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], ""))

    @staticmethod
    @once_differentiable
    def backward(ctx: _Saved, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        rows, grads = x.flatten(0, -2), grad.flatten(0, -2)  # (N, d_in), (N, d_out)
        with _permitted():
            return (grads @ weight).view_as(x), grads.T @ rows, grads.sum(0)


@contextmanager
def _permitted() -> Iterator[None]:
    """Let oneDNN have the products; the setting belongs to the process, so one thread has it at a time."""
    setting = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    with _permission:
        before = setting.fp32_precision
        setting.fp32_precision = "bf16"
        try:
            yield
        finally:
            setting.fp32_precision = before
