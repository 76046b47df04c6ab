"""The page Cost: attention against recurrence and convolution, computed and measured live."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from attnviz.analysis.cost import Measurements, measure
from attnviz.errors import MeasuringBusy
from attnviz.figures import cost as figures
from attnviz.models.cost import LAYERS, crossing, flops, memory, path_length, sequential_steps
from attnviz.ui.frame.address import Address, notice_wrong
from attnviz.ui.frame.charts import CHART, theme
from attnviz.ui.frame.head import head_row, message_box
from attnviz.ui.frame.language import current, explain, say
from attnviz.ui.frame.markdown import table
from attnviz.ui.frame.numbers import short
from attnviz.ui.frame.settings import Setting, Settings
from attnviz.ui.frame.state import page_state

__all__ = ["SETTINGS", "show"]

WIDTH = Setting("cost_d", 64, lambda: (16, 32, 64, 128, 256))
HEADS = Setting("cost_heads", 4, lambda: (1, 2, 4, 8))
LENGTH = Setting("cost_t", 128, lambda: figures.LENGTHS)
SETTINGS = Settings((WIDTH, HEADS, LENGTH))
ADDRESS = Address("cost", lambda link: notice_wrong(SETTINGS.apply(link)), names=SETTINGS.names, steps=frozenset())


@dataclass
class CostState:
    """State of this page.

    Attributes:
        measured: what was measured last.
    """

    measured: Measurements | None = None


def show() -> None:
    """Show sizes, computed curves, the numbers at one length, and what this machine takes."""
    ADDRESS.arrive()
    with st.container(key="controls"), head_row():
        st.space("stretch")
    message_box()
    SETTINGS.begin()
    with st.container(horizontal=True, gap="medium", key="cost-sizes"):
        for each in SETTINGS.settings:
            st.select_slider(say(f"cost.set.{each.key}"), each.options(), format_func=lambda n: f"{n:,}", **each.kept)
    d, n_heads, length = WIDTH.value, HEADS.value, LENGTH.value
    st.markdown(say("cost.about"))
    left, right = st.columns(2)
    left.plotly_chart(figures.operations(d, theme(), current()), key="cost-operations", **CHART)
    right.plotly_chart(figures.memory_curves(d, n_heads, theme(), current()), key="cost-memory", **CHART)
    with st.container(key="cost-table"):
        st.markdown(_table(d, n_heads, length))
    lengths = {layer: crossing(layer, d) for layer in ("gru", "lstm")}
    st.caption(say("cost.seen", d=d, gru=f"{lengths['gru']:,}", lstm=f"{lengths['lstm']:,}"))
    st.caption(say("cost.memory.note"))
    _measured(d, n_heads)
    ADDRESS.publish(SETTINGS.to_link())


def _table(d: int, n_heads: int, length: int) -> str:
    """Return the layers at one length, a row each."""
    heads = [say(f"cost.column.{name}", length=f"{length:,}") for name in ("layer", "flops", "bytes", "steps", "path")]
    rows = []
    for layer in LAYERS:
        sizes = (flops(layer, length, d), memory(layer, length, d, n_heads))
        steps = (sequential_steps(layer, length), path_length(layer, length))
        rows.append([say(f"cost.layer.{layer}"), *map(_together, (*sizes, *steps))])
    return table(heads, rows)


def _together(number: int) -> str:
    """Return a number and its prefix, which stay on one line."""
    return short(number).replace(" ", "\u00a0")


def _measured(d: int, n_heads: int) -> None:
    """Show the button, and what was measured last at these sizes."""
    st.header(say("cost.measure.title"), anchor=False)
    st.markdown(say("cost.measure.text"))
    state = page_state(CostState)
    if st.button(say("cost.measure.button"), key="cost-measure", icon=":material/timer:"):
        try:
            with st.spinner(say("cost.measure.running")):
                state.measured = measure(d, n_heads)
        except MeasuringBusy as error:
            st.warning(explain(error))
    found = state.measured
    if found is None or (found.d, found.n_heads) != (d, n_heads):
        return
    st.plotly_chart(figures.measured(found, theme(), current()), key="cost-times", **CHART)
    st.caption(say("cost.measure.seen", rounds=found.rounds, rate=short(found.rate)))
