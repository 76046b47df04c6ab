"""Make an `AttentionSite` from a recorded call."""

from __future__ import annotations

from attnviz.huggingface.interface import InterfaceCall
from attnviz.huggingface.place import Place
from attnviz.huggingface.rules import RulesReader
from attnviz.trace import AttentionSite
from attnviz.trace.site import Held, hold_only_these

__all__ = ["make_site"]


def make_site(
    place: Place,
    call: InterfaceCall,
    reader: RulesReader,
    row: int,
    part: int | None = None,
    w_o: Held | None = None,
) -> AttentionSite:
    """One row of a call's batch, as a site that holds references.

    Args:
        place: where it was made.
        reader: reader of the masks of this pass.
        part: which window of an image that row is; None: it is a whole sequence.
        w_o: output projection; None where it cannot be told.

    Raises:
        TypeError: the mask is of a kind that is not understood.
    """
    rules = reader.read(call, row)
    q, k, v = hold_only_these(call.q[row].detach(), call.k[row].detach(), call.v[row].detach())
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
        w_o=w_o,
        scale=rules.scale,
        mask=rules.mask,
        bias=rules.bias,
        softcap=rules.softcap,
        sinks=rules.sinks,
        rotary=place.rotary,
        part=place.part if part is None else part,
        no_output=place.no_output,
    )
