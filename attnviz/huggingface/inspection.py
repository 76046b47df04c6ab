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
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from attnviz.guard import passes_on
from attnviz.huggingface.interface import InterfaceCall, hears, listening, unheard
from attnviz.trace.compare import difference

__all__ = ["Hidden", "Inspection", "Reader", "Seen", "Step"]

MEMORY = ("key_value_states", "encoder_hidden_states")  # what cross-attention layers call what they read
LOOKS_LIKE_ATTENTION = re.compile(r"Attention|Attn|Mamba|Mixer|SSM|DeltaNet|Retention|Rwkv|TimeMix|Recurrent|ShortConv")
PART_OF_ATTENTION = re.compile(r"(Output|Norm|Embeddings?|Bias|Mask|Dropout)$")

_inspecting: ContextVar[Inspection | None] = ContextVar("inspecting", default=None)


@dataclass
class Reader:
    """A module that reads the context vectors and nothing else of that kind: W_O, or something that contains it.

    Attributes:
        name: path of the module inside the model.
        module: it.
        args: arguments that it was called with, by position.
        kwargs: arguments that it was called with, by name.
        output: what it made of the context vectors.
        ended: how many tensors had been seen behind the attention when it ended.
    """

    name: str
    module: nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    output: Any = None
    ended: int = 0


class Step(NamedTuple):
    """A module without parts that ran inside a layer before it attended: what it was given, and what it made."""

    name: str
    module: nn.Module
    given: Tensor
    output: Tensor


class _Later(NamedTuple):
    """A tensor behind the attention: what a module was given, or what the block around it all gave."""

    tensor: Tensor
    of_block: bool


@dataclass
class Seen:
    """One attention call with its surroundings.

    Attributes:
        call: the call.
        context: what the layer's attention gave (B, Tq, H, d_value).
        module: path of the layer inside the model.
        turn: how many times the layer attended before, in this pass.
        within: how many times it did so since it began to run: some attend twice each time.
        x: what the queries are made of (B, Tq, d_model); None when it cannot be told.
        memory: what keys and values are made of (B, Tk, d_model), likewise.
        cross: the layer was given something else to read.
        positions: rotations of positions that it was given; None without any.
        steps: modules without parts that ran inside of it before it attended.
        readers: modules that read the context vectors, each inside the one before it.
    """

    call: InterfaceCall
    context: Tensor
    module: str
    turn: int
    within: int
    x: Tensor | None
    memory: Tensor | None
    cross: bool
    positions: Any = field(default=None, repr=False)
    steps: list[Step] = field(default_factory=list, repr=False)
    readers: list[Reader] = field(default_factory=list)
    around: tuple[_Frame, ...] = field(default=(), repr=False)  # modules that were running
    block: _Frame | None = field(default=None, repr=False)  # the innermost around attention and readers
    beside: list[Tensor] = field(default_factory=list, repr=False)  # what block and readers were given
    later: list[_Later] = field(default_factory=list, repr=False)
    ended: bool = field(default=False, repr=False)  # the block has

    @property
    def rotary(self) -> bool:
        """Whether q and k are rotated by their positions."""
        return self.positions is not None

    def arrives(self, reader: Reader, limit: float) -> bool:
        """Whether what a reader made is what the block gives, or is added to what the block was given.

        Args:
            reader: one of those that read the context vectors.
            limit: largest relative difference that rounding explains.
        """
        made = reader.output
        sums = [made, *(made + given for given in self.beside if given.shape == made.shape)]
        for tensor, of_block in self.later[reader.ended :]:
            wanted = sums if of_block else sums[1:]
            if tensor.numel() == made.numel() and any(
                difference(one.reshape(-1), tensor.reshape(-1)) <= limit for one in wanted
            ):
                return True
        return False


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
    attended: int = 0  # calls of its own
    hidden: bool = False


class Inspection:
    """One watched forward pass.

    Args:
        model: model to watch, in this thread only.
        lengths: lengths of the sequences that it reads: a softmax over that many is attention.
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
        self._steps: list[Step] = []  # since a layer attended

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
        frame = _Frame(module, self.names[module], _arguments(module, args, kwargs))
        if self._pending is not None:
            self._follow(self._pending, frame, args, kwargs)
        self._frames.append(frame)

    def _leave(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if _inspecting.get() is not self:
            return
        frame = self._frames.pop()
        given = next((value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)), None)
        if not module._modules and given is not None and isinstance(output, Tensor):
            self._steps.append(Step(frame.name, module, given, output))
        if self._pending is not None:
            self._end(self._pending, frame, output)
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

    def _follow(self, seen: Seen, frame: _Frame, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A module begins behind an attention call: it reads the context vectors, or something made of them."""
        given = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]
        if not given or seen.ended:
            return
        running = not seen.readers or seen.readers[-1].output is None
        if running and _same_numbers(given[0], seen.context):
            if not seen.readers:
                seen.block = next((f for f in reversed(self._frames) if any(f is other for other in seen.around)), None)
            seen.readers.append(Reader(frame.name, frame.module, args, kwargs))
        elif seen.readers:
            seen.later.append(_Later(given[0], of_block=False))

    def _end(self, seen: Seen, frame: _Frame, output: Any) -> None:
        """A module ends behind an attention call: one that read the context vectors, or the block around it all."""
        made = output[0] if isinstance(output, tuple | list) and output else output
        reader = next((r for r in seen.readers if r.module is frame.module and r.output is None), None)
        if reader is not None and isinstance(made, Tensor):
            if reader is seen.readers[0] and _same_numbers(made, seen.context):  # such as dropout, which does nothing
                seen.readers.clear()
                return
            reader.output, reader.ended = made, len(seen.later)
        if seen.readers and frame is seen.block:
            seen.ended = True
            if isinstance(made, Tensor):
                seen.later.append(_Later(made, of_block=True))
        if reader is not None or frame is seen.block:
            seen.beside += [value for value in frame.arguments.values() if isinstance(value, Tensor)]

    def _attended(self, call: InterfaceCall, context: Tensor) -> None:
        self._flush()
        name = self.names.get(call.module, type(call.module).__name__)
        frame = next((frame for frame in reversed(self._frames) if frame.module is call.module), None)
        arguments = frame.arguments if frame else {}
        tensors = [value for value in arguments.values() if isinstance(value, Tensor) and value.ndim == 3]
        x = tensors[0] if tensors else None
        memory = next((arguments[key] for key in MEMORY if isinstance(arguments.get(key), Tensor)), None)
        turns = bool(getattr(call.module, "use_rope", True))
        steps, self._steps = [step for step in self._steps if step.name.startswith(f"{name}.")], []
        self._pending = Seen(
            call,
            context,
            name,
            self._turns[name],
            frame.attended if frame else 0,
            x,
            x if memory is None else memory,
            memory is not None,
            arguments.get("position_embeddings") if turns else None,
            steps,
        )
        if frame:
            frame.attended += 1
        self._pending.around = tuple(self._frames)
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
    """Return the arguments of a call by name, in the order of the module's signature."""
    try:
        named = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):  # its signature cannot be told: nothing is known of it
        return {}
    return {**named, **kwargs}


def _same_numbers(x: Any, context: Tensor) -> bool:
    """Whether a tensor is the context vectors and nothing else: (..., H * d_value) of (B, Tq, H, d_value)."""
    return (
        isinstance(x, Tensor)
        and x.shape[-1] == context.shape[-2] * context.shape[-1]
        and x.numel() == context.numel()
        and torch.equal(x.reshape(-1), context.reshape(-1))
    )
