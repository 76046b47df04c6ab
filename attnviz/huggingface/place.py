"""Attention sites of a Hugging Face model, found by watching it once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attnviz.huggingface.projection import OutputProjection

__all__ = ["Place"]


@dataclass(frozen=True)
class Place:
    """One attention layer, or one turn of a layer that is used several times.

    Attributes:
        module: path of the layer inside the model.
        turn: how many times the layer ran before, within one forward pass.
        layer: index among the layers of its stack and kind.
        stack: "encoder", "decoder", "text" or "vision".
        kind: "self" or "cross".
        rotary: whether q and k are rotated by their positions.
        part: which of its attentions, in a layer that attends more than once each time it runs; else None.
        projection: the module that is its W_O; None where it cannot be told.
        no_output: why not; "" where it can.
    """

    module: str
    turn: int
    layer: int
    stack: str
    kind: str
    rotary: bool
    part: int | None = None
    projection: OutputProjection | None = None
    no_output: str = ""

    @property
    def name(self) -> str:
        """Name such as "decoder.0.cross", or "decoder.0.self.1" for the second attention of a layer."""
        return f"{self.stack}.{self.layer}.{self.kind}" + ("" if self.part is None else f".{self.part}")

    @property
    def queries(self) -> str:
        """Name of the sequence whose tokens ask."""
        return self.stack

    @property
    def keys(self) -> str:
        """Name of the sequence whose tokens are read."""
        return "encoder" if self.kind == "cross" else self.stack
