"""Functions of torch, by their names: what each is to the stream of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from attnviz.why.maps import Call, Centred, Map, Slot

__all__ = [
    "ARRANGES", "CONSTANT", "DATA", "EMPTY", "JOINS", "LIKE", "LINEAR", "NORMS", "NUMBERS", "PRODUCTS", "QUOTIENTS",
    "SAME", "SUMS", "TIMES", "again", "drops", "fixed", "has_memory", "has_numbers", "is_choice", "name_of",
    "tensors_of",
]  # fmt: skip

SAME = {
    "to",
    "float",
    "half",
    "bfloat16",
    "double",
    "type",
    "type_as",
    "detach",
    "clone",
    "contiguous",
    "data",
    "alias",
}
"""Functions whose result is what they are given, but for rounding."""

LIKE: Mapping[str, Callable[[Tensor, torch.Size], Tensor]] = {
    "view_as": Tensor.reshape,
    "reshape_as": Tensor.reshape,
    "expand_as": Tensor.expand,
}
"""Functions that give a tensor the shape of another one."""

LINEAR = {
    "view", "reshape", "transpose", "permute", "movedim", "moveaxis", "swapaxes", "swapdims",
    "T", "mT", "t", "flatten", "unflatten", "squeeze", "unsqueeze", "expand", "repeat",
    "repeat_interleave", "chunk", "split", "split_with_sizes", "tensor_split", "unbind", "narrow", "select", "getitem",
    "index_select", "gather", "roll", "flip", "neg", "sum", "mean",
    "broadcast_to", "view_as_complex", "view_as_real", "unsafe_chunk", "unsafe_split", "take_along_dim",
}  # fmt: skip
"""Functions that are linear in all tensors of the stream that they are given."""

JOINS = {"cat", "concat", "concatenate", "stack"}
"""Functions that join tensors; those that are no part of the stream are writings then."""

ARRANGES = LINEAR - {"neg", "sum", "mean", "view_as_complex", "view_as_real"} | JOINS
"""Functions of these that only put numbers elsewhere."""

QUOTIENTS = {"div", "divide", "true_divide"}
TIMES = {*QUOTIENTS, "mul", "multiply"}
PRODUCTS = {*TIMES, "matmul", "mm", "bmm", "linear", "einsum", "tensordot"}
"""Functions that are linear in one of them, where the others are constants or statistics."""

EMPTY = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"}
"""Functions whose numbers are any that lay in memory."""

NUMBERS = {"item", "int", "index", "float", "complex", "tolist", "numpy", "array"}
"""Functions by which numbers leave torch."""

SUMS = {"add": 1, "sub": -1, "subtract": -1, "rsub": -1}
"""Functions that add, with the sign of the second term; of rsub, of the first."""

CONSTANT = ("_like", "new_zeros", "new_ones", "new_empty", "new_full", "new_tensor")
DATA = ("conv1d", "conv2d", "conv3d", "linear", "addmm")  # of what is no part of the stream: a writing


class Norm(NamedTuple):
    """A norm of torch: centred * scale(centred) * weight + bias."""

    centre: Map | None
    scale: Callable[[Tensor], Tensor]
    weight: Tensor | None = None
    bias: Tensor | None = None


def _layer_norm(
    x: Tensor, shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any
) -> Norm:
    axes = tuple(range(-len(shape), 0))
    several = Call(lambda x: x - x.mean(axes, keepdim=True), (Slot(0),), {})
    return Norm(Centred() if len(axes) == 1 else several, _inverse_root(axes, eps), weight, bias)


def _rms_norm(x: Tensor, shape: Sequence[int], weight: Any = None, eps: float | None = None) -> Norm:
    axes = tuple(range(-len(shape), 0))
    return Norm(None, _inverse_root(axes, torch.finfo(x.dtype).eps if eps is None else eps), weight)


def _inverse_root(axes: tuple[int, ...], eps: float) -> Callable[[Tensor], Tensor]:
    return lambda x: (x.square().mean(axes, keepdim=True) + eps).rsqrt()


def _normalize(x: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, *_: Any, **__: Any) -> Norm:
    return Norm(None, lambda x: x.norm(p, dim, keepdim=True).clamp_min(eps).reciprocal())


NORMS: Mapping[str, Callable[..., Norm]] = {"layer_norm": _layer_norm, "rms_norm": _rms_norm, "normalize": _normalize}


def name_of(func: Any) -> str:
    """Return the name of a function of torch, of a method or of an attribute."""
    name = str(getattr(func, "__name__", ""))
    if name == "__get__":
        return str(getattr(getattr(func, "__self__", None), "__name__", ""))
    return name.strip("_") if name.startswith("__") else name


def drops(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether dropout was called to drop something."""
    return bool(args[2] if len(args) > 2 else kwargs.get("training", True)) and _probability(args, kwargs) > 0


def _probability(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> float:
    return float(args[1] if len(args) > 1 else kwargs.get("p", 0.5))


def again(func: Any, name: str, writes: bool) -> Any:
    """Return the function that does the same to other numbers, which may lie otherwise in memory; it writes nowhere."""
    return torch.Tensor.reshape if name == "view" else getattr(torch.Tensor, name) if writes else func


def fixed(tensor: Tensor) -> Tensor:
    """Return a constant that gradients may go past."""
    return tensor.clone() if tensor.is_inference() else tensor.detach()


def is_choice(result: Any) -> bool:
    """Whether it is a choice, such as a shape or the numbers of experts; what else leaves torch may come back."""
    if isinstance(result, tuple | list):
        return all(map(is_choice, result))
    return result is None or isinstance(result, Tensor | bool | int | str | torch.dtype | torch.device | torch.layout)


def has_numbers(value: Any) -> bool:
    """Whether it is a tensor of real or complex numbers."""
    return isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex()) and has_memory(value)


def has_memory(tensor: Tensor) -> bool:
    """Whether a tensor has memory of its own; those inside of a transform of `torch.func` stand for others."""
    try:
        tensor.untyped_storage()
    except NotImplementedError:
        return False
    return True


def tensors_of(value: Any) -> list[Tensor]:
    """Return the tensors in an argument or a result."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [tensor for one in value for tensor in tensors_of(one)]
    return [value] if isinstance(value, Tensor) else []
