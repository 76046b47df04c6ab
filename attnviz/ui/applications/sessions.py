"""Recommendation: what comes next in a session, and which earlier items say so."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import streamlit as st

from attnviz.analysis.ranking import Ranking, judge_rankings
from attnviz.server.listing import Listed
from attnviz.tasks.base import HITS
from attnviz.tasks.decisions.sessions import CATEGORY, Sessions
from attnviz.ui.applications.case import Case, choose_head, choose_query, judged_on, opened, task_of
from attnviz.ui.applications.strip import Chip, strip
from attnviz.ui.frame.language import plain, say
from attnviz.ui.frame.markdown import table

__all__ = ["view"]


def view(case: Case) -> None:
    """The session, shaded by what one position reads; the ten best items for what follows; and how good they are."""
    with st.container(horizontal=True, key="app-reading", gap="small"):
        chosen = choose_head(case, kind="self") if case.trace.sites else None
        titles = {place: f"{place} · {item}" for place, item in enumerate(case.tokens)}
        place = choose_query(say("applications.sessions.after"), titles, len(titles) - 1)
    if chosen is None:
        st.info(say("applications.no_attention"))
    else:
        st.caption(say("applications.sessions.reads"))
    weights = None if chosen is None else chosen[0].weights(chosen[1])[place].tolist()
    strip(_chips(case, place, weights), label=say("applications.attention"))
    left, right = st.columns(2, gap="medium")
    with left:
        _best(case, place)
    with right:
        _rankings(rankings(case.listed), judged_on(case.listed)[0])


def _chips(case: Case, place: int, weights: list[float] | None) -> list[Chip]:
    """Return the items so far and, without a shade, those that come later; the category stands above each."""
    expected = set() if weights is None else case.expected(place)
    return [
        Chip(item, None if weights is None or key > place else weights[key], above=CATEGORY[item], ring=key in expected)
        for key, item in enumerate(case.tokens)
    ]


def _best(case: Case, place: int) -> None:
    """Show the most probable next items; the true one is marked, and told where it is not among them."""
    ids, shares = (each[place].tolist() for each in case.trace.top_outputs(HITS))
    true = _true(case, place)
    columns = [say(f"applications.sessions.{name}") for name in ("next", "category", "probability")]
    rows = []
    for rank, (index, share) in enumerate(zip(ids, shares, strict=True), start=1):
        item = case.model.output_label(index)
        name = f"**{plain(item)}** :green[✓]" if item == true else plain(item)
        rows.append([str(rank), name, CATEGORY.get(item, ""), f"{share:.1%}"])
    st.markdown(table(["#", *columns], rows, "rllr"))
    if true and true not in [case.model.output_label(index) for index in ids]:
        st.caption(say("applications.sessions.missed", item=true, n=HITS))


def _true(case: Case, place: int) -> str:
    """Return the next item: the one after it, or that of the test data after the last one; "" if unknown."""
    if place + 1 < len(case.tokens):
        return case.tokens[place + 1]
    return "" if case.row is None else case.model.output_label(int(case.row.targets[0, place]))


def _rankings(found: tuple[Ranking, ...], n: int) -> None:
    """Hit rate and NDCG of the model and of what needs none."""
    rows = []
    for ranking in found:
        name = say(f"applications.sessions.by.{ranking.name.replace(' ', '-')}")
        rows.append([name, f"{ranking.hit_rate:.1%}", f"{ranking.ndcg:.3f}"])
    st.markdown(table([say("applications.on_test"), f"HR@{HITS}", f"NDCG@{HITS}"], rows))
    st.caption(say("applications.sessions.measures", k=HITS, n=f"{n:,}"))


@lru_cache(16)
def rankings(listed: Listed) -> tuple[Ranking, ...]:
    """Score the model and the baselines on test sessions."""
    return judge_rankings(opened(listed).network, cast(Sessions, task_of(listed)), *judged_on(listed))
