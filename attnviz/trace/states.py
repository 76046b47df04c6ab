"""Gates and states of recurrent layers over time, computed again from their weights and held to the network's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from attnviz.models.call import CellCall
from attnviz.recurrence import STEPS

__all__ = ["LayerStates", "layer_states"]


@dataclass(frozen=True, eq=False)
class LayerStates:
    """One recurrent layer in one direction, over the tokens of one sequence.

    Attributes:
        stack: "encoder" or "decoder", also the name of the sequence that it reads.
        layer: counted from 0.
        direction: "forward" or "backward"; a state "backward" at a token has read it and all that come after.
        cell: "rnn", "lstm" or "gru".
        parts: gates, candidates and states by name, (T, d) each, in the order of the tokens; see `attnviz.recurrence`.
        error: the largest difference between the hidden states here and the network's own, after the last layer.
    """

    stack: str
    layer: int
    direction: str
    cell: str
    parts: Mapping[str, Tensor] = field(repr=False)
    error: float

    @property
    def name(self) -> str:
        """Name such as "encoder.0.backward"."""
        return f"{self.stack}.{self.layer}.{self.direction}"


def layer_states(call: CellCall) -> list[LayerStates]:
    """Return all layers and directions behind one call of a network's recurrent layers, of its first sequence."""
    x, found = call.x[0], []
    directions = 2 if call.stack.bidirectional else 1
    for number, (direction, weights) in enumerate(call.stack.layers()):
        begin = torch.zeros(weights.w_hh.shape[1]) if call.initial is None else call.initial[number, 0]
        backward = direction == "backward"
        states = STEPS[call.cell](x.flip(0) if backward else x, begin, weights)
        found.append((number // directions, direction, {n: s.flip(0) if backward else s for n, s in states.items()}))
        if number % directions == directions - 1:
            x = torch.cat([parts["hidden"] for _, _, parts in found[-directions:]], -1)  # what the next layer reads
    error = float((x - call.states[0]).abs().max())
    return [LayerStates(call.name, layer, way, call.cell, parts, error) for layer, way, parts in found]
