"""W_Q, W_K and W_V of an attention layer: columns of linear layers that read what the layer reads.

Which columns, and of which layer, is proved by numbers: x W_Q + b_Q is the q that the layer attends with, after the
norm and the rotation by position that many models put in between; likewise k and v. The norm is a module of the layer,
the rotation the model's own function, run on x W_Q + b_Q.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from attnviz.attention import Projection
from attnviz.errors.base import Why
from attnviz.huggingface.inspection import Seen, Step
from attnviz.huggingface.numerics import tolerance
from attnviz.huggingface.projection import is_plain, matrix_of
from attnviz.trace import AttentionSite
from attnviz.trace.compare import difference
from attnviz.trace.site import Held
from attnviz.trace.weights import HeldMatrix

__all__ = ["InputProjection", "find_inputs", "held_inputs", "still_holds"]

LETTERS = ("q", "k", "v")


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of a linear layer that make q, k or v of all heads, one head after the other.

    Attributes:
        module: path of the layer inside the model.
        columns: their indices.
        normed: what they make is normed before it is attended with.
    """

    module: str
    columns: Tensor
    normed: bool


@dataclass(frozen=True, eq=False)
class InputProjection:
    """The columns that make q, k and v of a layer."""

    q: Columns
    k: Columns
    v: Columns

    @property
    def normed(self) -> bool:
        """Whether q and k are normed."""
        return self.q.normed or self.k.normed

    def __iter__(self) -> Iterator[Columns]:
        return iter((self.q, self.k, self.v))


def find_inputs(seen: Seen) -> InputProjection | str:
    """Find W_Q, W_K and W_V of a layer that was watched, or say why they cannot be found."""
    found = [next(_candidates(seen, letter), None) for letter in LETTERS]
    missing = [letter.upper() for letter, one in zip(LETTERS, found, strict=True) if one is None]
    if missing:
        return Why("not-projected", letters=", ".join(missing))
    assert seen.x is not None  # it was found by them
    assert seen.memory is not None
    if seen.x.shape[-1] != seen.memory.shape[-1]:
        return Why("input-widths")
    return InputProjection(*found)  # type: ignore[arg-type]


def still_holds(seen: Seen, inputs: InputProjection) -> bool:
    """Whether the same columns make q, k and v of the same layer in another pass."""
    return all(
        any(step.name == one.module and _makes(seen, step, letter, one.columns) == one.normed for step in seen.steps)
        for letter, one in zip(LETTERS, inputs, strict=True)
    )


def _candidates(seen: Seen, letter: str) -> Iterator[Columns]:
    source = seen.x if letter == "q" else seen.memory
    for step in seen.steps:
        if source is None or not is_plain(step.module) or not _same(step.given, source):
            continue
        for columns in _layouts(seen, letter, step.output.shape[-1]):
            normed = _makes(seen, step, letter, columns)
            if normed is not None:
                yield Columns(step.name, columns, normed)


def _layouts(seen: Seen, letter: str, width: int) -> Iterator[Tensor]:
    """Yield the columns that may make q, k or v of a layer of that width: it is its own, or makes others beside it."""
    call = seen.call
    sizes = {name: (made.shape[1], made.shape[3]) for name, made in zip(LETTERS, (call.q, call.k, call.v), strict=True)}
    heads, own = sizes[letter]
    for beside in (letter, "qkv", "kv"):
        if letter not in beside or sum(n * size for n, size in map(sizes.__getitem__, beside)) != width:
            continue
        before = sum(n * size for n, size in map(sizes.__getitem__, beside[: beside.index(letter)]))
        yield torch.arange(before, before + heads * own)  # all heads of q, then all of k ...
        if len(beside) > 1 and len({sizes[name] for name in beside}) == 1:  # or q, k and v of each head
            first = beside.index(letter) * own
            yield (torch.arange(heads)[:, None] * len(beside) * own + first + torch.arange(own)).flatten()


def _makes(seen: Seen, step: Step, letter: str, columns: Tensor) -> bool | None:
    """Whether what columns of a linear layer make is normed before it is q, k or v; None where it is none of them."""
    wanted = {"q": seen.call.q, "k": seen.call.k, "v": seen.call.v}[letter]
    limit = tolerance(wanted.dtype)
    weight, bias = matrix_of(step.module)
    made = step.given.float() @ weight[:, columns].float() + (0.0 if bias is None else bias[columns].float())
    made = made.reshape(*made.shape[:2], wanted.shape[1], wanted.shape[3]).transpose(1, 2)  # (B, H, T, width)
    for given, normed in _normed(seen, made, limit) if letter != "v" else [(made, False)]:
        for turned in _turned(seen, given) if letter != "v" else [given]:
            if difference(turned, wanted.float()) <= limit:
                return normed
    return None


def _normed(seen: Seen, made: Tensor, limit: float) -> Iterator[tuple[Tensor, bool]]:
    """Yield the numbers themselves, and what the norms of the layer make of them."""
    yield made, False
    for step in seen.steps:
        is_norm = "norm" in type(step.module).__name__.lower()
        if not is_norm or {step.given.numel(), step.output.numel()} != {made.numel()}:
            continue
        for is_by_token in (True, False):  # (B, T, H, width) or (B, H, T, width)
            given, output = (_by_head(tensor, made, is_by_token) for tensor in (step.given, step.output))
            if difference(given, made) <= limit:
                yield output, True


def _by_head(tensor: Tensor, like: Tensor, is_by_token: bool) -> Tensor:
    if not is_by_token:
        return tensor.float().reshape(like.shape)
    batch, heads, length, width = like.shape
    return tensor.float().reshape(batch, length, heads, width).transpose(1, 2)


def _turned(seen: Seen, made: Tensor) -> Iterator[Tensor]:
    """Yield the numbers themselves, and rotated by their positions as the model's own code does it."""
    yield made
    rotate: Any = getattr(sys.modules.get(type(seen.call.module).__module__), "apply_rotary_pos_emb", None)
    for cos, sin in _rotations(seen.positions) if rotate is not None else ():
        for width in {cos.shape[-1], made.shape[-1]}:  # what is beyond it is not rotated
            try:
                turned = rotate(made[..., :width], made[..., :width], cos, sin)[0]
            except Exception:  # a model's own code may want it in any other way: it cannot be told then
                continue
            yield torch.cat([turned.float(), made[..., width:]], dim=-1)


def _rotations(positions: Any) -> list[tuple[Tensor, Tensor]]:
    """Return the cosines and sines that a layer is given: a pair, or as in DeepSeek V4 one for each kind."""
    pairs = positions.values() if isinstance(positions, Mapping) else [positions]
    return [tuple(pair) for pair in pairs if isinstance(pair, tuple | list) and list(map(type, pair)) == [Tensor] * 2]


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.ndim == 3 and torch.equal(one, other)


class HeldColumns(Held):
    """Columns of several matrices or biases of a model, side by side; zeros for a bias that is not there."""

    def __init__(self, parts: list[tuple[Held | None, Tensor]]) -> None:
        width = sum(len(columns) for _, columns in parts)
        rows = next(held.shape[:-1] for held, _ in parts if held is not None)
        self.shape, self._parts = torch.Size((*rows, width)), parts

    def take(self, site: AttentionSite) -> Tensor:
        zeros = site.q.new_zeros
        return torch.cat(
            [zeros(len(columns)) if held is None else held.take(site)[..., columns] for held, columns in self._parts],
            -1,
        )


def held_inputs(
    network: nn.Module, model: str, inputs: InputProjection
) -> tuple[HeldColumns, HeldColumns | None, Projection]:
    """Return W_Q, W_K and W_V of a layer side by side as they are now, their biases likewise, and what they are called.

    Args:
        model: name for messages.
    """
    weights: list[tuple[Held | None, Tensor]] = []
    biases: list[tuple[Held | None, Tensor]] = []
    for one in inputs:
        weight, bias = matrix_of(network.get_submodule(one.module))
        weights.append((HeldMatrix(network, model, one.module, weight), one.columns))
        held = None if bias is None else HeldMatrix(network, model, f"{one.module}.bias", bias)
        biases.append((held, one.columns))
    has_bias = any(held is not None for held, _ in biases)
    projection = Projection(normed=False, bias=has_bias, qk_norm=inputs.normed)
    return HeldColumns(weights), HeldColumns(biases) if has_bias else None, projection
