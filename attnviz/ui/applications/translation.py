"""Sequence to sequence: which words of the source became which words of the target."""

from __future__ import annotations

import streamlit as st
import torch

from attnviz.figures.alignment import alignment
from attnviz.ui.applications.answer import written
from attnviz.ui.applications.case import Case, choose_head
from attnviz.ui.frame.charts import CHART, theme
from attnviz.ui.frame.language import current, say

__all__ = ["view"]


def view(case: Case) -> None:
    """Show the written text, and the alignment of one head with the expected cells outlined."""
    written(case)
    sites = [site for site in case.trace.sites if site.kind == "cross"]
    if not sites:
        st.info(say("applications.no_attention"))
        return
    site, head = choose_head(case, kind="cross")
    source = case.trace.source
    assert source is not None  # of an encoder-decoder
    expected = [p.reads for p in case.task.expected(case.trace.token_ids, source.ids) if p.kind == "cross"]
    marks = torch.stack(expected).any(0) if expected else None
    figure = alignment(site.weights(head), _writes(case), source.labels, marks, theme(), current())
    st.plotly_chart(figure, key="app-alignment", **CHART)
    st.caption(say("applications.alignment.marks"))


def _writes(case: Case) -> list[str]:
    """Return the token that each position of the decoder writes: the next one."""
    ids = case.trace.logits.argmax(-1).tolist()
    return [case.model.output_label(index) for index in ids]
