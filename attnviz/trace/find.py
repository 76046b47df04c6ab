"""Places of attention by what they are: layer, stack, kind and part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.trace.site import AttentionSite

if TYPE_CHECKING:
    from attnviz.trace.model_trace import Trace

__all__ = ["find_site", "find_sites"]


def find_site(
    trace: Trace, layer: int, stack: str | None = None, kind: str | None = None, part: int | None = None
) -> AttentionSite:
    """The site of a layer. Where there are several, in this order: self-attention before cross-attention, the sequence
    that the model reads last (the decoder's in an encoder-decoder) before others, the first part of an image.

    Args:
        trace: to look into.
        layer: index of the block, from 0.
        stack: "encoder" or "decoder"; "text" or "vision" in a model that has an encoder for each.
        kind: "self" or "cross".
        part: which window of an image.

    Raises:
        KeyError: there is no such site; the message lists what there is.

    Example:
        >>> import attnviz
        >>> trace = attnviz.trace(attnviz.load_model("zoo/dates"), "3rd of March 2021", "2021")
        >>> [find_site(trace, 0, *choice).name for choice in ((), (None, "cross"), ("encoder",))]
        ['decoder.0.self', 'decoder.0.cross', 'encoder.0.self']
    """
    found = find_sites(trace, layer, stack, kind, part)
    found = [site for site in found if site.kind == "self"] or found
    found = [site for site in found if site.queries == trace.main] or found
    return found[0]


def find_sites(
    trace: Trace,
    layer: int | None = None,
    stack: str | None = None,
    kind: str | None = None,
    part: int | None = None,
) -> list[AttentionSite]:
    """All sites that are what is asked for, in the order in which they ran. Arguments as in `find_site`; None: any.

    Raises:
        KeyError: there is no such site; the message lists what there is.
    """
    asked = {"layer": layer, "stack": stack, "kind": kind, "part": part}
    asked = {name: value for name, value in asked.items() if value is not None}
    found = [site for site in trace.sites if all(getattr(site, name) == value for name, value in asked.items())]
    if not trace.sites:
        raise KeyError(f"{trace.model.facts.name} has no attention")
    if not found:
        wanted = ", ".join(f"{name} {value!r}" for name, value in asked.items())
        raise KeyError(f"no attention at {wanted}; there is {_what_there_is(trace)}")
    return found


def _what_there_is(trace: Trace) -> str:
    """Such as "decoder self-attention in layers 0 to 5"; a name for each site would be too much for large models."""
    layers: dict[str, set[int]] = {}
    for site in trace.sites:
        layers.setdefault(f"{site.stack} {site.kind}-attention", set()).add(site.layer)
    return "; ".join(f"{what} in layer {', '.join(map(str, sorted(at)))}" for what, at in layers.items())
