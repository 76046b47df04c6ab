"""Records of a network's attention while it runs: one call of one layer after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, NamedTuple, Protocol

from torch import Tensor, nn

from attnviz.attention import Additive, Mask, Projection
from attnviz.recurrence import CellWeights

__all__ = [
    "AttentionCall", "AttentionLayer", "CellCall", "Editor", "Kind", "Recorder", "RecurrentLayers", "StateRecorder",
    "edited", "editing", "editor",
]  # fmt: skip

Kind = Literal["self", "cross"]


class AttentionLayer(nn.Module):
    """Attention layer, with what holds for every call.

    Attributes:
        index: index of the block.
        stack: stack of the queries: "encoder", "decoder", or "readout" for the one query of a whole sequence.
        kind: reads its own stack ("self"), or another ("cross").
        keys: the stack that is read.
        scoring: name of the scoring function.
        scale: factor of raw scores.
        n_heads: heads of queries.
        n_kv_heads: heads of keys and values.
        projection: projections to queries, keys and values; None where the states are used as they are.
    """

    index: int
    stack: str
    kind: Kind
    keys: str
    scoring: str
    scale: float
    n_heads: int
    n_kv_heads: int
    projection: Projection | None = None

    @property
    def name(self) -> str:
        """Name such as "decoder.0.cross"."""
        return f"{self.stack}.{self.index}.{self.kind}"

    @property
    def additive(self) -> Additive | None:
        """Parameters of the additive scoring function, where that is used."""
        return None

    @property
    def w_in(self) -> Tensor | None:
        """W_Q, W_K and W_V of all heads side by side (d_model, widths); None where nothing projects."""
        return None

    @property
    def b_in(self) -> Tensor | None:
        """Their biases side by side; None without any."""
        return None

    @property
    def w_o(self) -> Tensor | None:
        """Output projection (H * d_head, d_model); None: contexts go on as they are."""
        return None

    @property
    def b_o(self) -> Tensor | None:
        """Its bias (d_model,); None without one."""
        return None


class AttentionCall(NamedTuple):
    """All that one attention layer used and made in one forward pass: references, nothing is computed for it.

    Attributes:
        layer: layer that attended.
        x: what the queries are made of (B, Tq, d_model).
        memory: what keys and values are made of (B, Tk, d_model); x itself in self-attention.
        q: queries (B, H, Tq, d_head), after rotation.
        k: keys (B, H_kv, Tk, d_head), after rotation.
        v: values (B, H_kv, Tk, d_head).
        mask: mask of the first sequence of the batch.
        rotary: whether q and k were rotated.
        context: the layer's own context vectors, before W_O (B, H, Tq, d_head).
        output: the layer's own output, after W_O (B, Tq, d_model); None without W_O.
    """

    layer: AttentionLayer
    x: Tensor
    memory: Tensor
    q: Tensor
    k: Tensor
    v: Tensor
    mask: Mask
    rotary: bool
    context: Tensor
    output: Tensor | None


Recorder = Callable[[AttentionCall], None]
"""Is shown every attention call of a forward pass, and keeps what is wanted of it."""


class Editor(Protocol):
    """Changes what a forward pass computes."""

    @property
    def positions(self) -> bool:
        """Whether embeddings, or queries and keys, are told their positions, as ever."""

    def context(self, call: AttentionCall) -> Tensor:
        """Return the context vectors that go on (B, H, Tq, d_head), of a call whose output is yet to be made."""


_editor: ContextVar[Editor | None] = ContextVar("editor", default=None)


@contextmanager
def editing(changes: Editor) -> Iterator[None]:
    """Let an editor change every forward pass of this thread; other threads run as ever."""
    token = _editor.set(changes)
    try:
        yield
    finally:
        _editor.reset(token)


def editor() -> Editor | None:
    """Return the editor of this thread, if there is one."""
    return _editor.get()


def edited(call: AttentionCall) -> Tensor:
    """Return the context vectors that go on: the call's own, where nobody changes them."""
    changes = _editor.get()
    return call.context if changes is None else changes.context(call)


class RecurrentLayers(Protocol):
    """Recurrent layers on top of each other."""

    bidirectional: bool

    def layers(self) -> list[tuple[str, CellWeights]]:
        """Return the weights of every layer and direction, "forward" or "backward", in the order in which they run."""


class CellCall(NamedTuple):
    """Inputs and states of the recurrent layers of a stack in one forward pass, without padding.

    Attributes:
        name: name of the stack, "encoder" or "decoder".
        cell: "rnn", "lstm" or "gru".
        stack: the layers.
        x: what the first layer reads (B, T, d_in).
        initial: hidden states to begin with (L, B, d); None: zeros.
        states: states of the last layer, both directions side by side (B, T, d).
    """

    name: str
    cell: str
    stack: RecurrentLayers
    x: Tensor
    initial: Tensor | None
    states: Tensor


StateRecorder = Callable[[CellCall], None]
"""Is shown the recurrent layers of a forward pass, and keeps what is wanted of them."""
