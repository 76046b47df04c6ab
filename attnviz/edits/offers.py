"""List the edits that a trace takes, and why it takes no others, without another run of the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from attnviz.edits.edit import no_mask, no_positions, no_scale
from attnviz.edits.text import write_edits
from attnviz.errors import AttnvizError, EditMeansNothing
from attnviz.errors.base import Why
from attnviz.trace import Trace
from attnviz.trace.rows import row_of
from attnviz.trace.site import SiteEdit

__all__ = ["Offer", "offers"]


class Offer(NamedTuple):
    """Something that can be done to a trace, or why it cannot.

    Attributes:
        edits: the edits that do it, as text; "" where it is more than one edit can say, or refused.
    """

    edits: str = ""
    refused: AttnvizError | None = None


def offers(trace: Trace) -> dict[str, Offer]:
    """Return what can be done to a trace as a whole.

    Returns:
        "no-positions", "no-scale" and "no-mask": of all layers that have what is left out; "patch": other texts can be
        patched from; "effect": the effect on an answer can be measured.

    Example:
        >>> import attnviz
        >>> found = offers(attnviz.trace(attnviz.load_model("zoo/reverse"), "c b a"))
        >>> found["no-scale"].edits
        'no-scale:encoder.0.self:*;no-scale:encoder.1.self:*'
        >>> found["no-mask"].refused.reason
        'no key is masked here, except padding'
    """
    return {
        "no-positions": _positions(trace),
        "no-scale": _everywhere(trace, no_scale),
        "no-mask": _everywhere(trace, no_mask),
        "patch": Offer(refused=_no_attention(trace) or _unless(trace.image is None, trace, "patch-image")),
        "effect": _effect(trace),
    }


def _everywhere(trace: Trace, make: Callable[[str], SiteEdit]) -> Offer:
    found: dict[str, SiteEdit] = {}
    refused = _no_attention(trace)
    for site in trace.sites:
        edit = make(site.name.partition(".w")[0])
        try:
            edit.check(site)
        except EditMeansNothing as error:
            refused = refused or error
        else:
            found.setdefault(edit.site, edit)
    return Offer(write_edits([*found.values()])) if found else Offer(refused=refused)


def _positions(trace: Trace) -> Offer:
    facts = trace.model.facts
    if facts.kind:  # a model of transformers is asked only when somebody wants it: that takes several runs
        reads_text = bool(next(iter(trace.sequences.values())).ids)
        refused = _unless(reads_text, trace, "positions-texts")
    else:
        refused = _unless(not facts.cell and facts.positions not in ("", "none"), trace, "no-positions")
    return Offer("" if refused else write_edits([no_positions()]), refused)


def _effect(trace: Trace) -> Offer:
    try:
        row_of(trace, -1)
    except AttnvizError as error:
        return Offer(refused=error)
    return Offer()


def _no_attention(trace: Trace) -> AttnvizError | None:
    return _unless(bool(trace.sites), trace, "no-attention")


def _unless(possible: bool, trace: Trace, why: str) -> AttnvizError | None:
    return None if possible else EditMeansNothing(trace.model.facts.name, Why(why))
