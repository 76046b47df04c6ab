"""Edits as chips above the picture: each says what it does, is turned off and on, and is taken away."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.trace import Trace
from attnviz.ui.explorer.state import ExplorerState
from attnviz.ui.explorer.whatif import UNDO, change, remove, turn
from attnviz.ui.frame.language import code, say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.widgets import button
from attnviz.view.edit_names import about_edit, name_of_edit

__all__ = ["show_chips"]


def show_chips(place: DeltaGenerator, trace: Trace) -> None:
    """Show each edit with what turns it off, and what takes it away; without any, nothing."""
    state = page_state(ExplorerState)
    if not state.chips:
        return
    with place, st.container(horizontal=True, key="chips", gap="xxsmall", vertical_alignment="center"):
        st.markdown(say("whatif.chips"), width="content")
        for at, chip in enumerate(state.chips):
            name = name_of_edit(chip.edit, trace, say, code)
            icon = "check_box" if chip.on else "check_box_outline_blank"
            help_ = f"{say('whatif.chip.on' if chip.on else 'whatif.chip.off')}\n\n{about_edit(chip.edit, say)}"
            button(name, f"chip-{at}", turn, at, icon=icon, help=help_, disabled=state.frozen)
            if not state.frozen:
                button("×", f"chip-remove-{at}", remove, at, help=say("whatif.remove", edit=name))
        if not state.frozen:
            button(say("whatif.undo"), "chips-undo", change, UNDO, icon="undo", help=say("whatif.undo.help"))
        if in_force := [chip.edit for chip in state.chips if chip.on]:
            st.caption(about_edit(in_force[-1], say))
