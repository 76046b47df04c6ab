"""W_O of an attention layer: what turns its context vectors into its output, whatever module does it.

Most layers have a linear layer for it, whose own weight is W_O. Others wrap one and add to it (LoRA), scale it, store
it in few bits or hang hooks on it: of those W_O is what the wrapper makes of the unit vectors. Either way it is proved:
context W_O + b_O is what the module gave when the model called it, and that is what the layer gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from attnviz.errors import ModelChanged
from attnviz.errors.base import Why
from attnviz.huggingface.inspection import Reader, Seen
from attnviz.huggingface.numerics import output_error, tolerance
from attnviz.trace import AttentionSite
from attnviz.trace.compare import difference
from attnviz.trace.site import Held

__all__ = ["HeldProjection", "OutputProjection", "find_projection", "is_plain", "matrix_of"]


@dataclass(frozen=True, eq=False)
class OutputProjection:
    """The module that is W_O of a layer.

    Attributes:
        module: path inside the model.
        weight: W_O (H * d_value, d_model) of a wrapper, as it was derived; None: the module's own weight is W_O.
        bias: b_O (d_model,), likewise.
    """

    module: str
    weight: Tensor | None = None
    bias: Tensor | None = None


def find_projection(seen: Seen) -> OutputProjection | str:
    """Find W_O of a layer that was watched, or say why it cannot be found.

    The outermost module that reads the context vectors alone and is linear in them is W_O, if what it makes is what the
    layer gives.
    """
    limit = tolerance(seen.context.dtype)
    context = seen.context.flatten(2)  # (B, Tq, H * d_value)
    for reader in seen.readers:
        made = reader.output
        if made is None or made.numel() // made.shape[-1] != context.numel() // context.shape[-1]:
            continue
        plain = is_plain(reader.module)
        matrix = matrix_of(reader.module) if plain else _derived(reader, context.shape[-1])
        if matrix is None:
            continue
        weight, bias = matrix
        total = context.float() @ weight.float() + (0.0 if bias is None else bias.float())
        if not difference(made.float().reshape(total.shape), total) <= limit:
            continue
        if not seen.arrives(reader, limit):
            return f"{reader.name} is not all that the layer does with them"
        return OutputProjection(reader.name) if plain else OutputProjection(reader.name, weight, bias)
    if not seen.readers:
        return Why("shared-output")
    last = seen.readers[-1]
    return f"{last.name} ({type(last.module).__name__}) is not linear in them"


def is_plain(module: nn.Module) -> bool:
    """Whether a module is a linear layer and nothing else: its own weight, no hooks, no other way to run."""
    return (
        type(module) in (nn.Linear, Conv1D)
        and type(module.weight) is nn.Parameter
        and module.weight.is_floating_point()
        and not (module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module))
    )


def matrix_of(module: Any) -> tuple[Tensor, Tensor | None]:
    """Return W (d_in, d_out) and b (d_out,) of a plain linear layer."""
    weight: Tensor = module.weight.detach()
    bias: Tensor | None = None if module.bias is None else module.bias.detach()
    return (weight.T if isinstance(module, nn.Linear) else weight), bias


def _derived(reader: Reader, width: int) -> tuple[Tensor, Tensor] | None:
    """Derive W (width, d_out) and b (d_out,): a module's output for the unit vectors less that for zero, and for zero.

    None where it is given other tensors too, or fails on other rows than those it was called with.
    """
    values = [*reader.args, *reader.kwargs.values()]
    given = [value for value in values if isinstance(value, Tensor)]
    if len(given) != 1:
        return None
    rows = torch.eye(width + 1, width, dtype=given[0].dtype, device=given[0].device)  # the last one is zero
    rows = rows.reshape(*(1,) * (given[0].ndim - 2), width + 1, width)
    args = [rows if value is given[0] else value for value in reader.args]
    kwargs = {name: rows if value is given[0] else value for name, value in reader.kwargs.items()}
    try:
        made: Any = reader.module(*args, **kwargs)
        made = made[0] if isinstance(made, tuple | list) else made
        made = made.reshape(width + 1, -1)
    except Exception:  # a wrapper's own code may fail in any way on rows that it does not expect: it is no W_O then
        return None
    return made[:-1] - made[-1], made[-1].clone()


class HeldProjection(Held):
    """W_O of a wrapper, proved for each trace when somebody first looks.

    Args:
        model: name for messages.
        projection: projection with weight and bias.
        made: what the module made of the context vectors of this trace (Tq, d_model).
    """

    def __init__(self, model: str, projection: OutputProjection, made: Tensor) -> None:
        assert projection.weight is not None  # a plain one is held by its tensor
        self.shape, self.nbytes = projection.weight.shape, made.untyped_storage().nbytes()
        self._model, self._projection, self._weight, self._made = model, projection, projection.weight, made
        self._proved = False

    def take(self, site: AttentionSite) -> Tensor:
        if not self._proved:
            error = output_error(site, self._weight, self._projection.bias, self._made)
            if not error <= tolerance(site.q.dtype):
                raise ModelChanged(self._model, self._projection.module)
            self._proved = True
        return self._weight
