"""Sequence to sequence: which words of the source became which words of the target."""

from __future__ import annotations

import streamlit as st
import torch

from attnviz.analysis.copying import copied
from attnviz.figures.alignment import alignment
from attnviz.tokenizers import SPECIALS, Tokenizer
from attnviz.ui.applications.answer import written
from attnviz.ui.applications.case import Case, choose_head
from attnviz.ui.frame.charts import CHART, theme
from attnviz.ui.frame.language import code, current, say

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
    st.caption(say(f"applications.alignment.{'plain' if marks is None else 'marks'}"))
    _copies(case)


def _copies(case: Case) -> None:
    """Say what is copied from the source in place of unknown tokens."""
    trace, reader, writes = case.trace, case.model.source_tokenizer, _writes(case)
    tokenizer = case.model.tokenizer
    assert reader is not None  # of an encoder-decoder
    assert isinstance(tokenizer, Tokenizer)
    if not tokenizer.unknown or tokenizer.unknown not in writes:
        return
    last = [site for site in trace.sites if site.kind == "cross"][-1]
    weights = torch.stack([last.weights(head) for head in range(last.n_heads)]).mean(0)  # (Tq, Tk)
    text = copied(writes, reader.split(trace.text), weights, tokenizer.unknown)
    ordinary = [symbol for symbol in text if symbol not in SPECIALS]
    st.caption(
        say("applications.alignment.copied", unknown=code(tokenizer.unknown), text=code(tokenizer.join(ordinary)))
    )


def _writes(case: Case) -> list[str]:
    """Return the token that each position of the decoder writes: the next one."""
    ids = case.trace.logits.argmax(-1).tolist()
    return [case.model.output_label(index) for index in ids]
