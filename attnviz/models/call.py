"""Records of a network's attention while it runs: one call of one layer after the other."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from torch import Tensor

from attnviz.attention import Additive, Mask, Projection
from attnviz.recurrence import CellWeights

__all__ = ["AttentionCall", "AttentionLayer", "CellCall", "Kind", "Recorder", "RecurrentLayers", "StateRecorder"]

Kind = Literal["self", "cross"]


class AttentionLayer(Protocol):
    """Facts of an attention layer that hold for every call."""

    @property
    def name(self) -> str:
        """Name such as "decoder.0.cross"."""

    @property
    def index(self) -> int:
        """Index of the block."""

    @property
    def stack(self) -> str:
        """Stack of the queries: "encoder", "decoder", or "readout" for the one query of a whole sequence."""

    @property
    def kind(self) -> Kind:
        """Reads its own stack, or another."""

    @property
    def keys(self) -> str:
        """The stack that is read."""

    @property
    def scoring(self) -> str:
        """Name of the scoring function."""

    @property
    def scale(self) -> float:
        """Factor of raw scores."""

    @property
    def n_heads(self) -> int:
        """Heads of queries."""

    @property
    def n_kv_heads(self) -> int:
        """Heads of keys and values."""

    @property
    def additive(self) -> Additive | None:
        """Parameters of the additive scoring function, where that is used."""

    @property
    def projection(self) -> Projection | None:
        """Projections to queries, keys and values; None where the states are used as they are."""

    @property
    def w_o(self) -> Tensor | None:
        """Output projection (H * d_head, d_model); None: contexts go on as they are."""

    @property
    def b_o(self) -> Tensor | None:
        """Its bias (d_model,); None without one."""


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


class Recorder(Protocol):
    """Is shown every attention call of a forward pass."""

    def __call__(self, call: AttentionCall, /) -> None:
        """Keep what is wanted of the call."""


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


class StateRecorder(Protocol):
    """Is shown the recurrent layers of a forward pass."""

    def __call__(self, call: CellCall, /) -> None:
        """Keep what is wanted of the call."""
