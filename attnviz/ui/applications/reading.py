"""Attention of one token: the text shaded by one row of a head's weights."""

from __future__ import annotations

import streamlit as st

from attnviz.locale import visible
from attnviz.trace import AttentionSite
from attnviz.ui.applications.case import Case
from attnviz.ui.applications.strip import Chip, strip
from attnviz.ui.frame.language import say
from attnviz.ui.frame.settings import KEEP

__all__ = ["reading"]


def reading(case: Case, site: AttentionSite, head: int, *, at: int | None = None) -> None:
    """Show a control for the token that asks, and the tokens it reads, with those it should read marked.

    Args:
        head: index of the head.
        at: the token to begin with; None: the first one for which an expectation is known, else the last.
    """
    queries, keys = case.trace.sequences[site.queries], case.trace.sequences[site.keys]
    source = None if case.trace.source is None else case.trace.source.ids
    known = case.task.expected(case.trace.token_ids, source) if site.queries == case.trace.main else ()
    expected = [p.reads for p in known if p.kind == site.kind and p.reads.shape == (len(queries), len(keys))]
    rows = [row for row in range(len(queries)) if any(bool(reads[row].any()) for reads in expected)]
    state, key = st.session_state, "app-query"
    if not isinstance(state.get(key), int) or state[key] >= len(queries):
        state[key] = at if at is not None else next(iter(rows), len(queries) - 1)
    titles = [f"{place} · {visible(label, 24)}" for place, label in enumerate(queries.labels)]
    st.selectbox(
        say("applications.asks"), range(len(queries)), format_func=titles.__getitem__, key=key, width=320, **KEEP
    )
    row: int = state[key]
    weights = site.weights(head)[row].tolist()
    chips = [
        Chip(label, weight, ring=any(bool(reads[row, place]) for reads in expected))
        for place, (label, weight) in enumerate(zip(keys.labels, weights, strict=True))
    ]
    st.caption(say("applications.reads_marked" if expected else "applications.reads"))
    strip(chips, label=say("applications.attention"))
