"""Attention of one token: the text shaded by one row of a head's weights."""

from __future__ import annotations

import streamlit as st

from attnviz.locale import visible
from attnviz.trace import AttentionSite
from attnviz.ui.applications.case import Case, choose_query
from attnviz.ui.applications.strip import shaded, strip
from attnviz.ui.frame.language import say

__all__ = ["reading"]


def reading(case: Case, site: AttentionSite, head: int, *, at: int | None = None) -> None:
    """Show a control for the token that asks, and the tokens it reads, with those it should read marked.

    Args:
        at: the token to begin with; None: the first one for which an expectation is known, else the last.
    """
    queries, keys = case.trace.sequences[site.queries], case.trace.sequences[site.keys]
    source = None if case.trace.source is None else case.trace.source.ids
    known = case.task.expected(case.trace.token_ids, source) if site.queries == case.trace.main else ()
    expected = [p.reads for p in known if p.kind == site.kind and p.reads.shape == (len(queries), len(keys))]
    rows = [row for row in range(len(queries)) if any(bool(reads[row].any()) for reads in expected)]
    titles = {place: f"{place} · {visible(label, 24)}" for place, label in enumerate(queries.labels)}
    first = at if at is not None else next(iter(rows), len(queries) - 1)
    row = choose_query(say("applications.asks"), titles, first)
    weights = site.weights(head)[row].tolist()
    read = {key for reads in expected for key in reads[row].nonzero().flatten().tolist()}
    st.caption(say("applications.reads_marked" if expected else "applications.reads"))
    strip(shaded(keys.labels, weights, read), label=say("applications.attention"))
