"""Extractive summary: which sentences are kept, and which sentences the decision was read from."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from attnviz.tasks import IGNORE
from attnviz.ui.applications.case import Case, choose_head
from attnviz.ui.applications.strip import Chip, strip
from attnviz.ui.frame.language import say
from attnviz.ui.frame.settings import KEEP

__all__ = ["view"]

END = "."
KEPT = "#009e73"


def view(case: Case) -> None:
    """Show a line for each sentence with the chance that it is kept; then what one of the decisions reads."""
    spans = _sentences(case.tokens)
    if not spans:
        st.info(say("applications.extract.no_sentence", end=END))
        return
    keep = case.task.labels.index("keep")
    chances: list[float] = case.trace.logits.softmax(-1)[:, keep].tolist()
    targets = None if case.row is None else case.row.targets[0].tolist()
    st.caption(say("applications.extract.kept" if targets is None else "applications.extract.kept_right"))
    for number, (start, end) in enumerate(spans, start=1):
        right = None if targets is None or targets[end - 1] == IGNORE else targets[end - 1] == keep
        _sentence(case.tokens[start:end], number, chances[end - 1], right)
    if not case.trace.sites:
        st.info(say("applications.no_attention"))
        return
    _attention(case, spans)


def _sentences(tokens: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return the span (begin, end) of each sentence with its full stop; the question in front is left out."""
    begin, found = tokens.index("?") + 1 if "?" in tokens else 0, []
    for place, token in enumerate(tokens):
        if token == END and place >= begin:
            found.append((begin, place + 1))
            begin = place + 1
    return found


def _sentence(tokens: tuple[str, ...], number: int, chance: float, right: bool | None) -> None:
    kept = chance >= 0.5
    mark = Chip(f"{chance:.0%}", colour=KEPT if kept else "", wrong=right is not None and right != kept)
    strip([mark, *map(Chip, tokens)], label=say("applications.extract.sentence", n=number))


def _attention(case: Case, spans: list[tuple[int, int]]) -> None:
    site, head = choose_head(case, kind="self")
    state, key = st.session_state, "app-sentence"
    if state.get(key) not in range(len(spans)):
        state[key] = 0
    titles = [say("applications.extract.sentence", n=n) for n in range(1, len(spans) + 1)]
    st.selectbox(
        say("applications.extract.asks"), range(len(spans)), format_func=titles.__getitem__, key=key, width=320, **KEEP
    )
    query = spans[state[key]][1] - 1
    weights = site.weights(head)[query]
    expected = [p.reads[query] for p in case.task.expected(case.trace.token_ids)]
    shares = [float(weights[: spans[0][0]].sum()), *(float(weights[a:b].sum()) for a, b in spans)]
    names = [say("applications.extract.question"), *titles]
    st.caption(say("applications.extract.shares"))
    strip(
        [
            Chip(say("applications.extract.share", name=name, share=f"{share:.0%}"), share)
            for name, share in zip(names, shares, strict=True)
        ],
        label=titles[state[key]],
    )
    st.caption(say("applications.reads_marked"))
    strip(_shaded(case.tokens, weights, expected), label=say("applications.attention"))


def _shaded(tokens: tuple[str, ...], weights: Tensor, expected: list[Tensor]) -> list[Chip]:
    return [
        Chip(token, weight, ring=any(bool(reads[place]) for reads in expected))
        for place, (token, weight) in enumerate(zip(tokens, weights.tolist(), strict=True))
    ]
