"""Sentiment: what the answer was read from, word by word."""

from __future__ import annotations

import streamlit as st

from attnviz.ui.applications.answer import answer
from attnviz.ui.applications.case import Case, choose_head
from attnviz.ui.applications.strip import shaded, strip
from attnviz.ui.frame.language import say

__all__ = ["view"]


def view(case: Case) -> None:
    """Show the label, and the text shaded by what its one output reads: the pooled states, or `<bos>`."""
    answer(case)
    if not case.trace.sites:
        st.info(say("applications.no_attention"))
        return
    site, head = choose_head(case, stack="readout" if case.model.config.pooling != "none" else None)
    weights = site.weights(head)[0].tolist()  # of the only query, or of <bos>
    expected = case.task.expected(case.trace.token_ids)
    st.caption(say("applications.sentiment.reads" if expected else "applications.sentiment.reads.own"))
    strip(shaded(case.tokens, weights, case.expected(0)), label=say("applications.attention"))
