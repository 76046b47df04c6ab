"""A Hugging Face model in one line, all of it read from the open model and from what it did."""

from __future__ import annotations

from collections.abc import Sequence

from attnviz.trace import AttentionSite, Trace
from attnviz.ui.frame.language import say

__all__ = ["about_model"]


def about_model(trace: Trace) -> str:
    """Class, layers, heads, parameters, kind of numbers, and how long a text may be."""
    facts = trace.model.facts
    parts = [
        facts.kind,
        _layers(trace.sites),
        say("models.about.parameters", n=f"{facts.n_parameters:,}"),
        str(trace.sites[0].q.dtype).removeprefix("torch."),
    ]
    if facts.max_len is not None:
        parts.append(say("models.about.context", n=f"{facts.max_len:,}"))
    return " · ".join(parts)


def _layers(sites: Sequence[AttentionSite]) -> str:
    """Say how many layers each stack has, and how many heads each layer."""
    layers: dict[str, set[int]] = {}
    for site in sites:
        layers.setdefault(site.stack, set()).add(site.layer)
    heads, groups = _range([site.n_heads for site in sites]), _range([site.k.shape[0] for site in sites])
    return say(
        "models.about.layers" if groups == heads else "models.about.layers_grouped",
        layers=" + ".join(str(len(each)) for each in layers.values()),
        heads=heads,
        groups=groups,
    )


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low}–{high}"
