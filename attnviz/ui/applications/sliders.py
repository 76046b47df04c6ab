"""Change a series by sliders, one for each point of its period, in place of typing its numbers."""

from __future__ import annotations

import streamlit as st
import torch
from torch import Tensor

from attnviz.errors import AttnvizError
from attnviz.tasks import Seasonal, Task
from attnviz.ui.applications.state import ApplicationsState
from attnviz.ui.frame.language import say
from attnviz.ui.frame.state import page_state
from attnviz.vectors import NUMBER_ID

__all__ = ["enter"]

MOST, STEP = 4.0, 0.05


def enter(task: Task) -> bool:
    """Place a slider for each point of the period, at the mean of the points of this phase; only of a known period."""
    if not isinstance(task, Seasonal) or task.min_period != task.max_period:
        return False
    values, period = _values(task), task.max_period
    with st.container(horizontal=True, key="app-values", gap="small"):
        for phase in range(period):
            slider, mean = (
                ApplicationsState.value(phase),
                float(values[phase::period].mean()) if len(values) > phase else 0.0,
            )
            slider.value = round(min(max(mean, -MOST), MOST) / STEP) * STEP
            label = say("applications.series.phase", n=phase + 1)
            st.slider(label, -MOST, MOST, key=slider.key, step=STEP, on_change=_shift, args=(task, phase), width=130)
    return True


def _values(task: Seasonal) -> Tensor:
    """Return the numbers that were typed; none, while they cannot be read."""
    try:
        return task.tokenizer.features(page_state(ApplicationsState).text.value)[:, 0]
    except AttnvizError:
        return torch.zeros(0)


def _shift(task: Seasonal, phase: int) -> None:
    """Move all points of a phase so far that their mean is at the slider; the noise stays."""
    state, values = page_state(ApplicationsState), _values(task)
    if len(values) <= phase:
        return
    part = values[phase :: task.max_period]
    part += state.value(phase).value - part.mean()  # in the values themselves
    values.clamp_(task.tokenizer.low, task.tokenizer.high)
    state.text.value = task.tokenizer.decode([NUMBER_ID] * len(values), values[:, None])
