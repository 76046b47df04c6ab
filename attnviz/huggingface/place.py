"""Where a Hugging Face model attends: found once by watching it, then known."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

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
        w_o: the output projection (H * d_value, d_model); None where it cannot be told.
        b_o: what it adds (d_model,); None when it adds nothing.
    """

    module: str
    turn: int
    layer: int
    stack: str
    kind: str
    rotary: bool
    w_o: Tensor | None
    b_o: Tensor | None

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
