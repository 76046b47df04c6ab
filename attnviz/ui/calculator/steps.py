"""One query and one key through the formulas, with their numbers; and the results as tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch

from attnviz.calculator.solve import by_scoring, pooled, stages, weighted_values, worked
from attnviz.trace import Trace
from attnviz.ui.calculator.state import PLACES, CalculatorState
from attnviz.ui.calculator.tables import result_table, show_tables
from attnviz.ui.frame.language import current, say
from attnviz.ui.frame.loader import loader
from attnviz.ui.frame.widgets import segments, select
from attnviz.view.payload import pack
from attnviz.view.texts import address

__all__ = ["show_results", "show_steps"]

ALL = "all"

_formulas = st.components.v2.component("attnviz.formulas", js=loader("formulas"))


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
    found = worked(trace).problem.steps
    titles = {name: say(f"calculator.step.{name}") for name in (*found, ALL)}
    CalculatorState.step.hold(titles, found[0])
    with st.container(key="steps", gap="xsmall"):
        with st.container(horizontal=True, key="step-choice", gap="small", vertical_alignment="bottom"):
            chosen = segments(say("calculator.step"), CalculatorState.step, titles, label_visibility="collapsed")
            _choose("i", trace.sequences[site.queries].labels)
            _choose("j", trace.sequences[site.keys].labels)
            if site.n_heads > 1:
                _choose("h", [str(h + 1) for h in range(site.n_heads)])
        head, query, key = (CalculatorState.head.value, CalculatorState.query.value, CalculatorState.key.value)
        with st.container(key="formulas"):
            _formulas(key="steps-told", data=told(trace, head, query, key, found if chosen == ALL else [chosen]))
    looked_at = {name: str(widget.value + 1) for name, widget in PLACES.items() if widget.value}
    return looked_at | ({"step": chosen} if chosen != found[0] else {})


def _choose(name: str, labels: Sequence[str]) -> None:
    select(say(f"calculator.place.{name}"), PLACES[name], dict(enumerate(labels)), width=96)


def told(trace: Trace, head: int, query: int, key: int, steps: Sequence[str]) -> bytes:
    """Pack what the formulas of some steps are made of: the tables as typed, the stages of one head, the choices."""
    by_hand = worked(trace)
    problem = by_hand.problem
    found = stages(trace) | {"joined": by_hand.context}
    arrays = {
        name: (tensor[head] if tensor.dim() == 3 else tensor.reshape(-1, tensor.shape[-1])).numpy()
        for name, tensor in found.items()
    }
    arrays |= {f"table/{name}": np.array(rows, np.float32) for name, rows in problem.tables.items()}
    through = "o" if "output" in problem.steps else "c"
    choices = ("heads", "d_k", "d_v", "positions", "scoring", "temperature", "project", "pooling")
    header = {name: getattr(problem, name) for name in choices} | {
        "texts": address(current()),
        "steps": {name: say(f"calculator.step.{name}.about") for name in steps},
        "head": head,
        "query": query,
        "key": key,
        "scale": problem.multiplier * problem.temperature,
        "moved": problem.positions in ("sinusoidal", "learned"),
        "through": through,
        "last": "y" if problem.residual else through,
    }
    return pack(header, arrays)


def show_results(trace: Trace) -> None:
    """Show the query's weights under every scoring, its weighted values and their sum, the result, and one vector."""
    (site,) = trace.sites
    head, query = CalculatorState.head.value, CalculatorState.query.value
    by_hand = worked(trace)
    queries, keys = trace.sequences[site.queries].labels, trace.sequences[site.keys].labels
    scorings = by_scoring(by_hand.problem, head, query)
    beside = result_table(
        "scorings",
        say("calculator.result.scorings", query=query + 1),
        torch.stack([*scorings.values()]),
        [say(f"calculator.scoring.{name}") for name in scorings],
    )
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
        st.header(say("calculator.results"), anchor=False)
        st.caption(say("calculator.results.about", query=query + 1))
        show_tables([beside, weighted, of_terms, result, whole], "results")
