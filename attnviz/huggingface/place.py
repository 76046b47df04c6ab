"""Places of attention of a Hugging Face model, found by watching it once, and the sites that are recorded there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor

from attnviz.attention import Projection
from attnviz.huggingface.interface import InterfaceCall
from attnviz.huggingface.rules import Rules, RulesReader
from attnviz.trace import AttentionSite, Edit
from attnviz.trace.edit import NoPositions, edits_at
from attnviz.trace.site import Held, hold_only_these

if TYPE_CHECKING:
    from attnviz.huggingface.in_projection import InputProjection
    from attnviz.huggingface.projection import OutputProjection

__all__ = ["Place", "SiteWeights", "make_site", "site_of"]


class SiteWeights(NamedTuple):
    """Matrices of a layer as an `AttentionSite` has them; None for those that cannot be told."""

    w_o: Held | None = None
    w_in: Held | None = None
    b_in: Held | None = None
    projection: Projection | None = None


@dataclass(frozen=True, eq=False)  # each is one of its kind, and looked up at every call
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
        inputs: the columns that are its W_Q, W_K and W_V; None where they cannot be told.
        no_inputs: why not; "" where they can.
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
    inputs: InputProjection | None = None
    no_inputs: str = ""

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


def make_site(
    place: Place,
    call: InterfaceCall,
    reader: RulesReader,
    row: int,
    part: int | None = None,
    weights: SiteWeights | None = None,
    edits: Sequence[Edit] = (),
) -> AttentionSite:
    """One row of a call's batch, as a site that holds references.

    Args:
        place: where it was made.
        reader: reader of the masks of this pass.
        part: which window of an image that row is; None: it is a whole sequence.
        weights: its matrices; None: of no interest.
        edits: changes of the pass, of which it takes its own.

    Raises:
        TypeError: the mask is of a kind that is not understood.
    """
    q, k, v = hold_only_these(call.q[row].detach(), call.k[row].detach(), call.v[row].detach())
    return site_of(place, (q, k, v), reader.read(call, row), part, weights, edits)


def site_of(
    place: Place,
    qkv: tuple[Tensor, Tensor, Tensor],
    rules: Rules,
    part: int | None = None,
    weights: SiteWeights | None = None,
    edits: Sequence[Edit] = (),
) -> AttentionSite:
    """Return a site of q (H, Tq, d_head), k (H_kv, Tk, d_head) and v (H_kv, Tk, d_value); see `make_site`."""
    matrices = weights or SiteWeights()
    q, k, v = qkv
    window = "" if part is None else f".w{part}"
    return AttentionSite(
        name=place.name + window,
        layer=place.layer,
        stack=place.stack,
        kind=place.kind,
        queries=place.queries if part is None else f"{place.stack}.{place.layer}{window}",
        keys=place.keys if part is None else f"{place.stack}.{place.layer}{window}",
        scoring="scaled_dot",
        q=q,
        k=k,
        v=v,
        w_o=matrices.w_o,
        w_in=matrices.w_in,
        b_in=matrices.b_in,
        projection=matrices.projection,
        scale=rules.scale,
        mask=rules.mask,
        bias=rules.bias,
        softcap=rules.softcap,
        sinks=rules.sinks,
        rotary=place.rotary and not any(isinstance(edit, NoPositions) for edit in edits),
        part=place.part if part is None else part,
        no_output=place.no_output,
        no_inputs=place.no_inputs,
        edits=edits_at(edits, place.name + window),
    )
