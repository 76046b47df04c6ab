"""Watching a forward pass closely: what each attention layer read, its output projection, and attention that hides.

Slower than listening alone, so it is done once for each model, and again when somebody asks for X or for the proof.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from transformers.pytorch_utils import Conv1D

from attnviz.guard import passes_on
from attnviz.huggingface.interface import InterfaceCall, hears, listening, unheard

__all__ = ["Hidden", "Inspection", "Seen"]

MEMORY = ("key_value_states", "encoder_hidden_states")  # what cross-attention layers call what they read
LOOKS_LIKE_ATTENTION = re.compile(r"Attention|Attn|Mamba|Mixer|SSM|DeltaNet|Retention|Rwkv|TimeMix|Recurrent|ShortConv")
PART_OF_ATTENTION = re.compile(r"(Output|Norm|Embeddings?|Bias|Mask|Dropout)$")

_inspecting: ContextVar[Inspection | None] = ContextVar("inspecting", default=None)


@dataclass
class Seen:
    """One attention call with its surroundings.

    Attributes:
        call: the call.
        context: what the layer's attention gave (B, Tq, H, d_value).
        module: path of the layer inside the model.
        turn: how many times the layer ran before, in this pass.
        x: what the queries are made of (B, Tq, d_model); None when it cannot be told.
        memory: what keys and values are made of (B, Tk, d_model), likewise.
        cross: the layer was given something else to read.
        rotary: it was given rotations of positions.
        projection: the linear layer that read the context vectors; None when it cannot be told.
        output: what that layer made of them (B, Tq, d_model).
    """

    call: InterfaceCall
    context: Tensor
    module: str
    turn: int
    x: Tensor | None
    memory: Tensor | None
    cross: bool
    rotary: bool
    projection: nn.Linear | Conv1D | None = None
    output: Tensor | None = None
    projected: bool = field(default=False, repr=False)  # a linear layer has run since


@dataclass(frozen=True)
class Hidden:
    """Attention that did not go through the interface: where, and how it was noticed."""

    module: str
    kind: str


@dataclass
class _Frame:
    """A module that is running."""

    module: nn.Module
    name: str
    arguments: Mapping[str, Any]
    calls: int = 0
    hidden: bool = False


class Inspection:
    """One watched forward pass.

    Args:
        model: to be watched, in this thread only.
        lengths: of the sequences that it reads: a softmax over that many is attention.
        take: is given each attention call when its surroundings are known.

    Attributes:
        hidden: attention that cannot be shown.
    """

    def __init__(self, model: nn.Module, lengths: set[int], take: Callable[[Seen], None]) -> None:
        self.names = {module: name for name, module in model.named_modules()}
        self.lengths = lengths
        self.hidden: list[Hidden] = []
        self._take = take
        self._frames: list[_Frame] = []
        self._turns = Counter[str]()
        self._pending: Seen | None = None

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watch what this thread runs inside."""
        with ExitStack() as stack:
            for module in self.names:
                for handle in (
                    module.register_forward_pre_hook(self._enter, with_kwargs=True, prepend=True),
                    module.register_forward_hook(self._leave, with_kwargs=True),
                ):
                    stack.callback(handle.remove)
            token = _inspecting.set(self)
            stack.callback(_inspecting.reset, token)
            stack.enter_context(listening(self._attended))
            stack.enter_context(_Softmax(self))
            yield
            self._flush()

    def _enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if _inspecting.get() is not self:
            return  # another thread runs the same model
        pending = self._pending
        if pending is not None and not pending.projected and isinstance(module, nn.Linear | Conv1D):
            pending.projected = True
            if args and _same_numbers(args[0], pending.context):
                pending.projection = module
        self._frames.append(_Frame(module, self.names[module], _arguments(module, args, kwargs)))

    def _leave(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if _inspecting.get() is not self:
            return
        frame = self._frames.pop()
        pending = self._pending
        if pending is not None and pending.projection is module and pending.output is None:
            pending.output = output
        kind = type(module).__name__
        if LOOKS_LIKE_ATTENTION.search(kind) and not PART_OF_ATTENTION.search(kind) and not frame.calls:
            within = any(
                outer.calls for outer in self._frames if LOOKS_LIKE_ATTENTION.search(type(outer.module).__name__)
            )
            if not frame.hidden and not within:
                self._hide(frame.name, kind)
                frame.hidden = True
        if self._frames:
            self._frames[-1].calls += frame.calls
            self._frames[-1].hidden |= frame.hidden

    def _attended(self, call: InterfaceCall, context: Tensor) -> None:
        self._flush()
        name = self.names.get(call.module, type(call.module).__name__)
        frame = next((frame for frame in reversed(self._frames) if frame.module is call.module), None)
        arguments = frame.arguments if frame else {}
        tensors = [value for value in arguments.values() if isinstance(value, Tensor) and value.ndim == 3]
        x = tensors[0] if tensors else None
        memory = next((arguments[key] for key in MEMORY if isinstance(arguments.get(key), Tensor)), None)
        rotary = arguments.get("position_embeddings") is not None and bool(getattr(call.module, "use_rope", True))
        self._pending = Seen(
            call, context, name, self._turns[name], x, x if memory is None else memory, memory is not None, rotary
        )
        self._turns[name] += 1
        if self._frames:
            self._frames[-1].calls += 1

    def _flush(self) -> None:
        if self._pending is not None:
            with unheard():
                self._take(self._pending)
            self._pending = None

    def softmax(self, shape: torch.Size | None) -> None:
        """A softmax ran outside of the interface; None: of unknown shape, but surely attention."""
        if shape is None or (len(shape) >= 3 and shape[-1] in self.lengths and shape[-2] in self.lengths):
            frame = self._frames[-1] if self._frames else None
            if frame is not None:
                self._hide(frame.name, type(frame.module).__name__)
                frame.hidden = True

    def _hide(self, name: str, kind: str) -> None:
        found = Hidden(name, kind)
        if found not in self.hidden:
            self.hidden.append(found)


class _Softmax(TorchFunctionMode):
    """Notices softmax and fused attention that the interface knows nothing of."""

    def __init__(self, inspection: Inspection) -> None:
        super().__init__()
        self.inspection = inspection

    @passes_on
    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in ("softmax", "scaled_dot_product_attention", "multi_head_attention_forward") and hears():
            self.inspection.softmax(args[0].shape if name == "softmax" and args else None)
        return func(*args, **(kwargs or {}))


def _arguments(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What a module is called with, by name, in the order of its signature."""
    try:
        named = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):  # its signature cannot be told: nothing is known of it
        return {}
    return {**named, **kwargs}


def _same_numbers(x: Any, context: Tensor) -> bool:
    """Whether a linear layer reads the context vectors and nothing else: (..., H * d_value) of (B, Tq, H, d_value)."""
    return (
        isinstance(x, Tensor)
        and x.shape[-1] == context.shape[-2] * context.shape[-1]
        and x.numel() == context.numel()
        and torch.equal(x.reshape(-1), context.reshape(-1))
    )
