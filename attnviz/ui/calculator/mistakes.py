"""Find the mistake: cards with what is printed in many places; the numbers that prove it wrong come when asked for."""

from __future__ import annotations

import streamlit as st

from attnviz.calculator.mistakes import MISTAKES, Finding
from attnviz.ui.calculator.state import SHOWN, CalculatorState
from attnviz.ui.frame.language import say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.widgets import button

__all__ = ["show_mistakes"]


def show_mistakes() -> dict[str, str]:
    """Show one card; return its parameters of the address."""
    st.caption(say("calculator.mistakes.about"))
    st.pills(
        say("calculator.section.mistakes"),
        list(MISTAKES),
        format_func=lambda name: say(f"calculator.mistake.{name}"),
        required=True,
        on_change=_hide,
        label_visibility="collapsed",
        **CalculatorState.mistake.kept,
    )
    name = CalculatorState.mistake.value
    _card(name)
    return {"card": name + (SHOWN if CalculatorState.proof.value else "")}


def _hide() -> None:
    CalculatorState.proof.value = False


def _card(name: str) -> None:
    mistake = MISTAKES[name]
    with st.container(border=True, key="card"):
        st.subheader(say(f"calculator.mistake.{name}.title"), anchor=False)
        st.markdown(say(f"calculator.mistake.{name}.printed"))
        if mistake.is_code:
            st.code(mistake.printed, language="python")
        else:
            st.latex(mistake.printed)
        st.markdown(say(f"calculator.mistake.{name}.ask"))
        st.toggle(say("calculator.mistakes.show"), **CalculatorState.proof.kept)
        if not CalculatorState.proof.value:
            return
        with st.container(key="findings", gap="small"):
            for finding in mistake.find():
                _finding(finding)
        if mistake.preset:
            button(say("calculator.mistakes.open"), "open-preset", _open, mistake.preset, icon="calculate")


def _finding(finding: Finding) -> None:
    st.markdown(say(f"calculator.found.{finding.key}", **finding.values))
    if finding.code:
        st.code(finding.code, language="python")
    if finding.latex:
        st.latex(finding.latex)
    if finding.error:
        st.code(finding.error, language=None)


def _open(preset: str) -> None:
    state = page_state(CalculatorState)
    state.preset.value, state.section.value = preset, "hand"
    state.load_preset()
