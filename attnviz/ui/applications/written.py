"""The text that a model has written, beside the right one."""

from __future__ import annotations

import streamlit as st

from attnviz.tasks import IGNORE
from attnviz.ui.applications.case import Case
from attnviz.ui.applications.strip import Chip, strip
from attnviz.ui.frame.language import say

__all__ = ["written"]


def written(case: Case) -> None:
    """Show the most probable token at each position that writes, wrong ones marked where the right ones are known.

    What is known are the targets for what the decoder read: where it read something else, nothing is.
    """
    ids = case.trace.logits.argmax(-1).tolist()
    targets = None
    if case.row is not None and case.row.tokens[0].tolist() == list(case.trace.token_ids):
        targets = case.row.targets[0].tolist()
    chips = []
    for place, index in enumerate(ids):
        target = None if targets is None else targets[place]
        if target == IGNORE:
            continue
        wrong = target is not None and target != index
        below = case.model.output_label(target) if target is not None and wrong else ""
        chips.append(Chip(case.model.output_label(index), wrong=wrong, below=below))
    st.caption(say("applications.written" if targets is None else "applications.written_right"))
    strip(chips, label=say("applications.written"))
