"""Gates and states of a recurrent layer as heat maps over time."""

from __future__ import annotations

import plotly.graph_objects as go

from attnviz.figures.look import shortened, token_text
from attnviz.figures.theme import LIGHT, Theme, axis, bar, layout
from attnviz.locale import t
from attnviz.trace.states import LayerStates

__all__ = ["states"]

ROW, ROWS_LEAST, FRAME = 7, 12, 100  # pixels of a unit, units that a figure is high at least, pixels around them
MOST_TICKS = 100  # tokens that are named at the axis; of more, every other one is
LONGEST = 12  # letters of a token at the axis


def states(layer: LayerStates, part: str, tokens: tuple[str, ...], theme: Theme = LIGHT, lang: str = "en") -> go.Figure:
    """One gate or state of a layer: time to the right, a row for each unit.

    Args:
        layer: layer of `Trace.states()`.
        part: name of the gate or state, such as "forget" or "hidden".

    Raises:
        KeyError: the layer has no such part.
    """
    numbers = layer.parts[part].T  # (d, T)
    largest = float(numbers.abs().max())
    is_gate = part in ("input", "forget", "output", "reset", "update")
    limits = (0.0, 1.0) if is_gate else (-1.0, 1.0) if part != "cell" else (-max(1.0, largest), max(1.0, largest))
    names = [token_text(token) for token in tokens]
    unit, step = t(lang, "states.unit"), t(lang, "states.time")
    heat = {
        "type": "heatmap",
        "z": numbers.numpy(),
        "zmin": limits[0],
        "zmax": limits[1],
        "colorscale": theme.sequential if is_gate else theme.diverging,
        "colorbar": bar(0.6, limits),
        "customdata": [names] * len(numbers),
        "hovertemplate": f"{step} %{{x}} · %{{customdata}}<br>{unit} %{{y}}<br><b>%{{z:.9~g}}</b><extra></extra>",
    }
    height = FRAME + ROW * max(ROWS_LEAST, len(numbers))
    quiet = {"showgrid": False, "zeroline": False}
    labels = [token_text(shortened(token, LONGEST)) for token in tokens]
    every = -(-len(labels) // MOST_TICKS)
    ticks = {"tickvals": list(range(0, len(labels), every)), "ticktext": labels[::every], "tickangle": -60}
    axes = {
        "xaxis": axis(theme, f"{step} →") | quiet | ticks,
        "yaxis": axis(theme, f"{unit} ↓") | quiet | {"autorange": "reversed"},
    }
    return go.Figure([heat], layout(theme, t(lang, f"states.part.{part}"), height) | axes)
