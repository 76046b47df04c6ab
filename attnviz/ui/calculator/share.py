"""Ways to take a calculation along: its address, a program, a file."""

from __future__ import annotations

import streamlit as st

from attnviz.calculator import Problem, program
from attnviz.calculator.link import from_json, to_json
from attnviz.calculator.parse import decode
from attnviz.ui.calculator.state import CalculatorState
from attnviz.ui.frame.files import choose_file
from attnviz.ui.frame.language import say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.widgets import button

__all__ = ["share"]

FILE, KIND = "attention.json", "application/json"


def share(problem: Problem, is_changed: bool) -> None:
    """Back to the example as it was, the program, and the file."""
    load_preset = page_state(CalculatorState).load_preset
    button(say("calculator.reset"), "reset", load_preset, icon="undo", disabled=not is_changed)
    with st.popover(say("calculator.code"), icon=":material/code:", key="as-code"):
        st.caption(say("calculator.code.about"))
        st.code(program(problem), language="python")
    with st.popover(say("calculator.file"), icon=":material/save:", key="as-file"):
        st.caption(say("calculator.file.about"))
        st.download_button(
            say("calculator.file.save"),
            to_json(problem),
            file_name=FILE,
            mime=KIND,
            icon=":material/download:",
            key="save-file",
        )
        choose_file(say("calculator.file.open"), ["json"], "calc-file", 1, _open)


def _open(content: bytes, name: str) -> None:
    state = page_state(CalculatorState)
    state.load(from_json(decode(name, content), name), state.preset.value)
