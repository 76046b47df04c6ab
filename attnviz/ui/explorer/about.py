"""A model in one line: of Hugging Face, read from the open model and what it did; of a run, with the way back to it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from attnviz.errors import RunError
from attnviz.loading import is_checkpoint, open_checkpoint
from attnviz.server.traces import TraceKey
from attnviz.trace import AttentionSite, Trace
from attnviz.ui.frame.head import link_to
from attnviz.ui.frame.language import code, say
from attnviz.view.run_header import run_header

__all__ = ["about_model", "way_back"]


def way_back(key: TraceKey) -> None:
    """Place a link to the training of a checkpoint: to its step, and to the sequence if it is one that was watched."""
    if not is_checkpoint(key.model):
        return
    try:
        run, step = open_checkpoint(key.model)
    except RunError:  # the picture says why
        return
    watched = [sequence["typed"] for sequence in run_header(run)["sequences"]]
    typed = [key.text, key.target]
    place = {"seq": str(watched.index(typed))} if typed in watched else {}
    label = say("page.back_to_run", name=code(run.name), step=f"{step:,}")
    with st.container(key="way-back"):  # the view adds the head that it shows
        link_to("runs", label, "arrow_back", run=run.name, step=str(step), **place)


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
