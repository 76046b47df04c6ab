"""Extractive summary: which sentences are kept, and which sentences the decision was read from."""

from __future__ import annotations

import streamlit as st

from attnviz.tasks import IGNORE
from attnviz.ui.applications.case import Case, choose_head
from attnviz.ui.applications.state import ApplicationsState
from attnviz.ui.applications.strip import Chip, shaded, strip
from attnviz.ui.frame.language import say
from attnviz.ui.frame.widgets import select

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
    titles = {place: say("applications.extract.sentence", n=place + 1) for place in range(len(spans))}
    ApplicationsState.sentence.hold(titles, 0)
    chosen = select(say("applications.extract.asks"), ApplicationsState.sentence, titles, width=320)
    query = spans[chosen][1] - 1
    weights = site.weights(head)[query]
    shares = [float(weights[: spans[0][0]].sum()), *(float(weights[a:b].sum()) for a, b in spans)]
    names = [say("applications.extract.question"), *titles.values()]
    st.caption(say("applications.extract.shares"))
    strip(
        [
            Chip(say("applications.extract.share", name=name, share=f"{share:.0%}"), share)
            for name, share in zip(names, shares, strict=True)
        ],
        label=titles[chosen],
    )
    st.caption(say("applications.reads_marked"))
    marked = shaded(case.tokens, weights.tolist(), case.expected(query))
    strip(marked, label=say("applications.attention"))
