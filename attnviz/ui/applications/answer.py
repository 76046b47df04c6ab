"""The answer of a model: a label for the whole of its input, or a text beside what would have been right."""

from __future__ import annotations

import streamlit as st

from attnviz.tasks import IGNORE
from attnviz.tasks.language.sentiment import Sentiment
from attnviz.ui.applications.case import Case
from attnviz.ui.applications.strip import Chip, strip
from attnviz.ui.frame.language import code, say

__all__ = ["answer", "probabilities", "written"]


def probabilities(case: Case) -> list[float]:
    """Return the probability of every label: softmax of the output, or of the first where each token has one."""
    shares: list[float] = case.trace.logits[0].softmax(-1).tolist()
    return shares


def answer(case: Case) -> None:
    """Show the most probable label with its probability, and the right one where it is known."""
    shares = probabilities(case)
    best = max(range(len(shares)), key=shares.__getitem__)
    text = say("applications.answer", answer=_label(case, best), share=f"{shares[best]:.1%}")
    if case.row is not None:
        right = int(case.row.targets[0, 0])
        sign = ":green[✓]" if right == best else ":red[✗]"
        text += f" · {say('applications.truth', answer=_label(case, right))} {sign}"
    st.markdown(text)


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


def _label(case: Case, index: int) -> str:
    """Return a label, in the session's language if it is the task's own word."""
    label = case.model.output_label(index)
    return code(say(f"applications.label.{label}") if isinstance(case.task, Sentiment) else label)
