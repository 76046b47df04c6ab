"""Numbers beside the attention weights: values, outputs without attention, gates and states."""

from __future__ import annotations

from typing import Any

import streamlit as st

from attnviz.figures.look import short
from attnviz.figures.states import states
from attnviz.locale import visible
from attnviz.trace import Outputs, Trace
from attnviz.ui.explorer.state import ExplorerState
from attnviz.ui.frame.charts import CHART, theme
from attnviz.ui.frame.language import current, say
from attnviz.ui.frame.widgets import segments, select

__all__ = ["no_attention", "output_table", "show_numbers"]


def show_numbers(trace: Trace) -> None:
    """Show outputs that the picture has no place for, and the states of a recurrent model."""
    if not trace.sites:
        with st.container(key="no-attention"):
            st.info(no_attention(trace))
    if trace.outputs is not None and (not trace.sites or trace.outputs.kind == "values"):
        _show_outputs(trace, trace.outputs)
    _show_states(trace)


def no_attention(trace: Trace) -> str:
    """Say where a model without attention has what it knows of other tokens."""
    reach = trace.model.facts.reach
    if reach is None:
        return say("states.no_attention")
    return say("states.no_attention.convolutional", before=f"{reach[0]:,}", after=f"{reach[1]:,}")


def output_table(trace: Trace, outputs: Outputs) -> dict[str, list[Any]]:
    """Return a row for each position: the token, and the most probable output and its probability, or the value."""
    tokens = trace.sequences[outputs.sequence].labels
    if outputs.kind == "values":
        found: dict[str, list[Any]] = {say("states.value"): trace.logits[:, 0].tolist()}
    else:
        ids, probabilities = trace.top_outputs(1)
        labels = [outputs.label(index) for index in ids[:, 0].tolist()]
        names = ["␣" if label == " " else visible(label) for label in labels]
        found = {say("states.output"): names, say("states.probability"): probabilities[:, 0].tolist()}
    tokens = tuple("␣" if token == " " else visible(token) for token in tokens)
    read = tokens if all(len(column) == len(tokens) for column in found.values()) else [" ".join(tokens)]
    return {say("states.token"): list(read), **found}


def _show_outputs(trace: Trace, outputs: Outputs) -> None:
    """Show what comes out at each position."""
    table = output_table(trace, outputs)
    is_short = len(table[say("states.token")]) < 12
    with st.container(key="plain-outputs", gap="small"):
        st.header(say("states.values" if outputs.kind == "values" else "states.outputs"), anchor=False)
        st.dataframe(table, width="stretch", height="content" if is_short else 420)


def _show_states(trace: Trace) -> None:
    """Show a heat map of one gate or state of one layer; nothing for a model without recurrent layers."""
    layers = {layer.name: layer for layer in trace.states()}
    if not layers:
        return
    chosen_layer, chosen_part = ExplorerState.layer, ExplorerState.part
    with st.container(key="states", gap="small"):
        st.header(say("states.title"), anchor=False)
        st.caption(say("states.about"))
        with st.container(horizontal=True, gap="medium", key="states-choice"):
            names = {
                name: say(
                    "states.layer",
                    stack=say(f"states.{layer.stack}"),
                    layer=layer.layer,
                    direction=say(f"states.{layer.direction}"),
                )
                for name, layer in layers.items()
            }
            if chosen_layer.value not in names:
                chosen_layer.value = next(reversed(names))
            layer = layers[select(say("states.layer_label"), chosen_layer, names, width=280)]
            parts = {part: say(f"states.part.{part}") for part in layer.parts}
            if chosen_part.value not in parts:
                chosen_part.value = "hidden"
            part = segments(say("states.part"), chosen_part, parts)
        st.latex(FORMULAS[layer.cell][part])
        figure = states(layer, part, trace.sequences[layer.stack].labels, theme(), current())
        st.plotly_chart(figure, key="states-figure", **CHART)
        st.caption(say("states.proof", error=short(layer.error)))


FORMULAS: dict[str, dict[str, str]] = {
    "rnn": {"hidden": r"h_t=\tanh(W_{ih}x_t+b_{ih}+W_{hh}h_{t-1}+b_{hh})"},
    "lstm": {
        "input": r"i_t=\sigma(W_i x_t+U_i h_{t-1}+b_i)",
        "forget": r"f_t=\sigma(W_f x_t+U_f h_{t-1}+b_f)",
        "output": r"o_t=\sigma(W_o x_t+U_o h_{t-1}+b_o)",
        "candidate": r"g_t=\tanh(W_g x_t+U_g h_{t-1}+b_g)",
        "cell": r"c_t=f_t\odot c_{t-1}+i_t\odot g_t",
        "hidden": r"h_t=o_t\odot\tanh(c_t)",
    },
    "gru": {
        "reset": r"r_t=\sigma(W_r x_t+b_r+U_r h_{t-1}+b'_r)",
        "update": r"z_t=\sigma(W_z x_t+b_z+U_z h_{t-1}+b'_z)",
        "candidate": r"n_t=\tanh(W_n x_t+b_n+r_t\odot(U_n h_{t-1}+b'_n))",
        "hidden": r"h_t=(1-z_t)\odot n_t+z_t\odot h_{t-1}",
    },
}
