"""One query and one key through the formulas, with their numbers; and the results as tables."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
import torch

from attnviz.calculator.latex import Step, steps
from attnviz.calculator.solve import pooled, weighted_values, worked
from attnviz.trace import Trace
from attnviz.ui.calculator.state import PLACES, CalculatorState
from attnviz.ui.calculator.tables import result_table, show_tables
from attnviz.ui.frame.language import say
from attnviz.ui.frame.widgets import segments, select

__all__ = ["show_results", "show_steps"]

ALL = "all"


def _hold_within(trace: Trace) -> None:
    """Keep head, query, key and step within the trace, which may have become smaller."""
    (site,) = trace.sites
    sizes = {"i": site.q.shape[1], "j": site.k.shape[1], "h": site.n_heads}
    for name, size in sizes.items():
        PLACES[name].value = min(PLACES[name].value, size - 1)


def show_steps(trace: Trace) -> dict[str, str]:
    """Show the formulas, one step or all; return what is looked at as parameters of the address."""
    (site,) = trace.sites
    _hold_within(trace)
    head, query, key = (CalculatorState.head.value, CalculatorState.query.value, CalculatorState.key.value)
    found = {step.name: step for step in steps(trace, head, query, key)}
    first, titles = next(iter(found)), {name: say(f"calculator.step.{name}") for name in (*found, ALL)}
    CalculatorState.step.hold(titles, first)
    with st.container(key="steps", gap="xsmall"):
        with st.container(horizontal=True, key="step-choice", gap="small", vertical_alignment="bottom"):
            chosen = segments(say("calculator.step"), CalculatorState.step, titles, label_visibility="collapsed")
            _choose("i", trace.sequences[site.queries].labels)
            _choose("j", trace.sequences[site.keys].labels)
            if site.n_heads > 1:
                _choose("h", [str(h + 1) for h in range(site.n_heads)])
        shown = list(found.values()) if chosen == ALL else [found[chosen]]
        with st.container(key="formulas", gap="small"):
            for step in shown:
                _formula(step)
    looked_at = {name: str(widget.value + 1) for name, widget in PLACES.items() if widget.value}
    return looked_at | ({"step": chosen} if chosen != first else {})


def _choose(name: str, labels: Sequence[str]) -> None:
    select(say(f"calculator.place.{name}"), PLACES[name], dict(enumerate(labels)), width=96)


def _formula(step: Step) -> None:
    st.caption(say(f"calculator.step.{step.name}.about"))
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        for line in step.lines:
            st.latex(line, width="content")


def show_results(trace: Trace) -> None:
    """Show the weighted values of the query, what they sum to, the result, and the sequence as one vector."""
    (site,) = trace.sites
    head, query = CalculatorState.head.value, CalculatorState.query.value
    by_hand = worked(trace)
    queries, keys = trace.sequences[site.queries].labels, trace.sequences[site.keys].labels
    terms = weighted_values(trace, head, query)
    one = pooled(by_hand.result)
    weighted = result_table("terms", say("calculator.result.terms", query=query + 1), terms, keys, "value")
    of_terms = result_table(
        "of-terms",
        say("calculator.result.of_terms"),
        torch.stack([terms.sum(0), terms.mean(0), terms.amax(0)]),
        [say(f"calculator.result.{name}") for name in ("sum", "mean", "max")],
    )
    result = result_table("result", say("calculator.result.result"), by_hand.result, queries)
    ways = ("mean", "max", "last")
    whole = result_table(
        "whole",
        say("calculator.result.whole"),
        torch.stack([by_hand.result[query], *one]),
        [say("calculator.result.attention", query=query + 1), *(say(f"calculator.result.{name}") for name in ways)],
    )
    with st.container(key="results-box", gap="xsmall"):
        st.subheader(say("calculator.results"), anchor=False)
        st.caption(say("calculator.results.about", query=query + 1))
        show_tables([weighted, of_terms, result, whole], "results")
