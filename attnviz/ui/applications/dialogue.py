"""Dialogue: turns of two speakers, and which earlier turns a word of the system was read from."""

from __future__ import annotations

import streamlit as st

from attnviz.locale import visible
from attnviz.tasks import IGNORE
from attnviz.tasks.language.dialogue import SYSTEM, turns
from attnviz.ui.applications.case import Case, choose_head, choose_query
from attnviz.ui.applications.strip import Chip, strip
from attnviz.ui.frame.language import say

__all__ = ["view"]

SPOKEN = "#0072b2"


def view(case: Case) -> None:
    """Show a line for each turn, shaded by what one word of the system reads; wrong words are marked."""
    tokens = case.tokens
    said = [case.model.output_label(index) for index in case.trace.logits.argmax(-1).tolist()]
    spans = list(turns(tokens))
    places = [place for start, end in spans if tokens[start] == SYSTEM for place in range(start, end)]
    if not places:
        st.info(say("applications.dialogue.no_turn", speaker=SYSTEM))
        return
    weights, expected = _read(case, places, said)
    targets = None if case.row is None else case.row.targets[0].tolist()
    st.caption(say("applications.dialogue.turns" if targets is None else "applications.dialogue.turns_right"))
    for start, end in spans:
        chips = []
        for place in range(start, end):
            wrong = place > start and _is_wrong(place - 1, targets, said, case)
            weight = None if weights is None else weights[place]
            chips.append(
                Chip(
                    tokens[place],
                    weight,
                    ring=place in expected,
                    wrong=wrong,
                    below=said[place - 1] if wrong else "",
                    colour=SPOKEN if place == start and weight is None else "",
                )
            )
        strip(chips, label=tokens[start])
    last = spans[-1]
    if tokens[last[0]] == SYSTEM:
        st.caption(say("applications.dialogue.next", word=visible(said[last[1] - 1])))


def _is_wrong(place: int, targets: list[int] | None, said: list[str], case: Case) -> bool:
    """Whether the model would have said something else than what follows a place."""
    if targets is None or targets[place] == IGNORE:
        return False
    return said[place] != case.model.output_label(targets[place])


def _read(case: Case, places: list[int], said: list[str]) -> tuple[list[float] | None, set[int]]:
    """Return the weights of the chosen word of the system, and the places it is expected to attend to."""
    if not case.trace.sites:
        st.info(say("applications.no_attention"))
        return None, set()
    site, head = choose_head(case, kind="self")
    patterns = case.task.expected(case.trace.token_ids)
    known = [place for place in places if any(bool(p.reads[place].any()) for p in patterns)]
    titles = {place: f"{place} · {visible(case.tokens[place], 20)} → {visible(said[place], 20)}" for place in places}
    row = choose_query(say("applications.dialogue.asks"), titles, known[-1] if known else places[0])
    weights: list[float] = site.weights(head)[row].tolist()
    return weights, case.expected(row)
