"""The answer of a model that has one for the whole of its input."""

from __future__ import annotations

import streamlit as st

from attnviz.ui.applications.case import Case
from attnviz.ui.frame.language import code, say

__all__ = ["answer", "probabilities"]


def probabilities(case: Case) -> list[float]:
    """Return the probability of every label: softmax of the output, or of the first where each token has one."""
    shares: list[float] = case.trace.logits[0].softmax(-1).tolist()
    return shares


def answer(case: Case) -> None:
    """Show the most probable label with its probability, and the right one where it is known."""
    shares = probabilities(case)
    best = max(range(len(shares)), key=shares.__getitem__)
    text = say("applications.answer", answer=code(case.model.output_label(best)), share=f"{shares[best]:.1%}")
    if case.row is not None:
        right = int(case.row.targets[0, 0])
        sign = ":green[✓]" if right == best else ":red[✗]"
        text += f" · {say('applications.truth', answer=code(case.model.output_label(right)))} {sign}"
    st.markdown(text)
