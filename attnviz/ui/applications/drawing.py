"""Draw a digit, by finger, mouse or keys, in place of typing its pixels."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from attnviz import locale
from attnviz.tasks import Digits, Task
from attnviz.tasks.signals.digits import drawn
from attnviz.ui.applications.state import ApplicationsState
from attnviz.ui.frame.language import current
from attnviz.ui.frame.state import page_state

__all__ = ["enter", "points"]

MOST = 20_000  # points of a drawing

_draw = st.components.v2.component("attnviz.draw", js=(Path(__file__).parent / "draw.js").read_text("utf-8"))

Lines = list[list[tuple[float, float]]]


def enter(task: Task) -> bool:
    """Place the field to draw in; what was drawn becomes the model's input."""
    assert isinstance(task, Digits)
    state = page_state(ApplicationsState)
    lines = points(state.drawn.value.get("drawn"))
    if lines:
        ids, features = task.tokens(drawn(lines)[None])
        state.text.value = state.drawing = task.tokenizer.decode(ids[0].tolist(), features[0])
    is_other = state.text.value != state.drawing
    with st.container(key="app-drawing", width="content"):
        _draw(
            key=state.drawn.key,
            data={"strings": locale.strings(current(), "applications.draw."), "isOther": is_other},
            on_drawn_change=lambda: None,
        )
    return True


def points(sent: object) -> Lines:
    """Return the lines of a drawing from the browser, which may send anything; [] where it is none.

    Example:
        >>> points({"lines": [[[0, 0.5], [1, 0.5]], []]})
        [[(0.0, 0.5), (1.0, 0.5)]]
        >>> points({"lines": [[["a", 2]]]})
        []
    """
    found: Lines = []
    lines = sent.get("lines") if isinstance(sent, dict) else None
    for line in lines if isinstance(lines, list) else []:
        for point in line if isinstance(line, list) else [None]:
            if not (isinstance(point, list) and len(point) == 2 and all(_is_share(value) for value in point)):
                return []
        found += [[(float(x), float(y)) for x, y in line]] * bool(line)
    return found if sum(map(len, found)) <= MOST else []


def _is_share(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1  # type: ignore[operator]
