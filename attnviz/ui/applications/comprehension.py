"""Reading comprehension: the answer marked in its text, and what a word of it was decided from."""

from __future__ import annotations

import streamlit as st

from attnviz.tasks import IGNORE
from attnviz.ui.applications.case import Case, choose_head
from attnviz.ui.applications.reading import reading
from attnviz.ui.applications.strip import Chip, strip
from attnviz.ui.frame.language import code, say

__all__ = ["chips", "view"]

COLOURS = {"answer": "#009e73", "fact": "#56b4e9"}


def view(case: Case) -> None:
    """Show the answer, the text with the answer and its sentence marked, and the attention of a word."""
    right = _right(case)
    _answer(case, right)
    st.caption(say("applications.comprehension.marks" if right is None else "applications.comprehension.marks_right"))
    strip(chips(case, right), label=say("applications.comprehension.title"))
    if not case.trace.sites:
        st.info(say("applications.no_attention"))
        return
    site, head = choose_head(case, kind="self")
    reading(case, site, head)


def chips(case: Case, right: list[str] | None = None) -> list[Chip]:
    """Colour the words of the text by their tags; those that are wrong are marked, where the right ones are known."""
    said, begin = _tags(case), _begin(case)
    found = [Chip(token) for token in case.tokens[:begin]]
    for place in range(begin, len(case.tokens)):
        wrong = right is not None and right[place] != said[place]
        below = say(f"applications.label.{right[place]}") if wrong and right is not None else ""
        found.append(Chip(case.tokens[place], colour=COLOURS.get(said[place], ""), below=below, wrong=wrong))
    return found


def _answer(case: Case, right: list[str] | None) -> None:
    """Say the words that are marked as the answer, how sure the least sure of them is, and what is right."""
    marked = [place for place, tag in enumerate(_tags(case)) if tag == "answer" and place >= _begin(case)]
    if not marked:
        st.info(say("applications.comprehension.none"))
    else:
        shares = case.trace.logits.softmax(-1)[marked, case.task.labels.index("answer")]
        text = say("applications.answer", answer=code(_words(case, marked)), share=f"{float(shares.min()):.1%}")
        if right is not None:
            due = [place for place, tag in enumerate(right) if tag == "answer"]
            sign = ":green[✓]" if due == marked else ":red[✗]"
            text += f" · {say('applications.truth', answer=code(_words(case, due)))} {sign}"
        st.markdown(text)
    if right is None:
        st.caption(say("applications.comprehension.unlike"))


def _words(case: Case, places: list[int]) -> str:
    return " ".join(case.tokens[place] for place in places)


def _tags(case: Case) -> list[str]:
    """Return the most probable tag of every word."""
    return [case.task.labels[index] for index in case.trace.logits.argmax(-1).tolist()]


def _begin(case: Case) -> int:
    """Return where the text begins, behind the question."""
    return case.tokens.index("?") + 1 if "?" in case.tokens else 0


def _right(case: Case) -> list[str] | None:
    """Return the right tags, "" where none is due; None: the question has not one answer, as far as the task knows."""
    due = case.task.answers(case.trace.token_ids)
    known = any(tag != IGNORE for tag in due)
    return ["" if tag == IGNORE else case.task.labels[tag] for tag in due] if known else None
