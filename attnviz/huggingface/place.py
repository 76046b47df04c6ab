"""Where a Hugging Face model attends: found once by watching it, then known."""

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
        projection: the module that is its W_O; None where it cannot be told.
        no_output: why not; "" where it can.
    """

    module: str
    turn: int
    layer: int
    stack: str
    kind: str
    rotary: bool
    projection: OutputProjection | None = None
    no_output: str = ""

    @property
    def name(self) -> str:
        """For example "decoder.0.cross"."""
        return f"{self.stack}.{self.layer}.{self.kind}"

    @property
    def queries(self) -> str:
        """Name of the sequence whose tokens ask."""
        return self.stack

    @property
    def keys(self) -> str:
        """Name of the sequence whose tokens are read."""
        return "encoder" if self.kind == "cross" else self.stack
