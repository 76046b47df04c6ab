"""The Calculator page: attention by hand, every step from numbers that people type."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.calculator import Problem
from attnviz.calculator.link import to_link
from attnviz.calculator.presets import FIRST
from attnviz.calculator.problem import TITLES
from attnviz.errors import AttnvizError, CalculatorError, ShapesDoNotFit
from attnviz.locale import sentences
from attnviz.server.forward import numbers_key, run
from attnviz.ui.calculator.controls import begin, choose
from attnviz.ui.calculator.share import share
from attnviz.ui.calculator.state import ADDRESS, CalculatorState
from attnviz.ui.calculator.steps import show_results, show_steps
from attnviz.ui.calculator.tables import edit_tables, take_edits
from attnviz.ui.frame.address import LONGEST, length
from attnviz.ui.frame.head import head_row, message_box
from attnviz.ui.frame.language import current, explain, say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.view import show_view
from attnviz.ui.frame.widgets import button

__all__ = ["show"]

CSS = Path(__file__).parent / "style.css"


def show() -> None:
    """Show settings, tables, formulas, the view and results below each other; the address says all that was typed."""
    ADDRESS.arrive()
    st.html(CSS)
    with st.container(key="controls"), head_row():
        st.space("stretch")
    take_edits()
    with st.container(horizontal=True, key="hand-begin", gap="small", vertical_alignment="bottom"):
        begin()
        sharing = st.container(horizontal=True, key="share", gap="xsmall", width="content")
    about = st.container(key="about-preset")
    messages = message_box()
    numbers = st.container(key="numbers")
    with st.container(horizontal=True, key="hand-settings", gap="small"):
        choose()
    problem, wrong = _problem()
    with numbers:
        edit_tables(wrong)
    if wrong is not None:
        _say_wrong(messages, wrong)
    if problem.n_keys == 1:
        st.caption(say("calculator.one_key"))
    names = page_state(CalculatorState).names
    key = numbers_key(problem, names)
    held = run(key)
    place = show_steps(held.trace)
    show_view(key, held, current(), messages)
    show_results(held.trace)
    preset = CalculatorState.preset.value
    link = to_link(problem, preset)
    fits, is_changed = length(link) <= LONGEST, len(link) > 1
    about.caption(say("calculator.changed" if is_changed else f"calculator.about.{preset}"))
    if not fits:
        messages.warning(say("calculator.too_long"))
    with sharing:
        share(problem, is_changed)
    place["tokens"] = " ".join(names)
    ADDRESS.publish(place | (link if fits and link != {"preset": FIRST} else {}))


def _problem() -> tuple[Problem, CalculatorError | None]:
    """Return the problem to compute and the error of the controls, then with the last problem that had none."""
    state = page_state(CalculatorState)
    try:
        state.last = state.problem()
    except CalculatorError as error:
        return state.last, error
    return state.last, None


def _say_wrong(messages: DeltaGenerator, wrong: AttnvizError) -> None:
    with messages:
        st.warning(sentences([explain(wrong), say("calculator.last_shown")]))
        state = page_state(CalculatorState)
        if isinstance(wrong, ShapesDoNotFit) and state.pasted in state.used():
            label = say("calculator.fit", table=TITLES[state.pasted])
            button(label, "fit", state.fit_to, state.pasted)
