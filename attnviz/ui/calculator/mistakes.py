"""Find the mistake: cards with what is printed in many places; the numbers that prove it wrong come when asked for."""

from __future__ import annotations

import streamlit as st

from attnviz.calculator.mistakes import MISTAKES, Finding
from attnviz.ui.calculator.state import SHOWN, load_preset
from attnviz.ui.frame.language import say

__all__ = ["show_mistakes"]


def show_mistakes() -> dict[str, str]:
    """One card; returns what the address says of it."""
    st.caption(say("calculator.mistakes.about"))
    st.pills(
        say("calculator.section.mistakes"),
        list(MISTAKES),
        format_func=lambda name: say(f"calculator.mistake.{name}"),
        key="calc-mistake",
        required=True,
        on_change=_hide,
        label_visibility="collapsed",
        persist_state="session",
    )
    name: str = st.session_state["calc-mistake"]
    _card(name)
    return {"card": name + (SHOWN if st.session_state["calc-shown"] else "")}


def _hide() -> None:
    st.session_state["calc-shown"] = False


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
        st.toggle(say("calculator.mistakes.show"), key="calc-shown", persist_state="session")
        if not st.session_state["calc-shown"]:
            return
        with st.container(key="findings", gap="small"):
            for finding in mistake.find():
                _finding(finding)
        if mistake.preset:
            st.button(
                say("calculator.mistakes.open"),
                key="open-preset",
                icon=":material/calculate:",
                on_click=_open,
                args=(mistake.preset,),
            )


def _finding(finding: Finding) -> None:
    st.markdown(say(f"calculator.found.{finding.key}", **finding.values))
    if finding.code:
        st.code(finding.code, language="python")
    if finding.latex:
        st.latex(finding.latex)
    if finding.error:
        st.code(finding.error, language=None)


def _open(preset: str) -> None:
    st.session_state.update({"calc-preset": preset, "calc-section": "hand"})
    load_preset()
