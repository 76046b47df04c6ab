"""Edits as chips above the picture: each says what it does, is turned off and on, and is taken away."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz import locale
from attnviz.edits.text import EVERY, PART, pairs_of, pairs_text, parts_of
from attnviz.trace import Trace
from attnviz.ui.explorer.state import ExplorerState
from attnviz.ui.explorer.whatif import OF_ALL_LAYERS, UNDO, change, remove, turn
from attnviz.ui.frame.language import code, say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.widgets import button

__all__ = ["show_chips"]


def show_chips(place: DeltaGenerator, trace: Trace) -> None:
    """Show each edit with what turns it off, and what takes it away; without any, nothing."""
    state = page_state(ExplorerState)
    if not state.chips:
        return
    with place, st.container(horizontal=True, key="chips", gap="xxsmall", vertical_alignment="center"):
        st.markdown(say("whatif.chips"), width="content")
        for at, chip in enumerate(state.chips):
            name = _name(chip.edit, trace)
            icon = "check_box" if chip.on else "check_box_outline_blank"
            help_ = f"{say('whatif.chip.on' if chip.on else 'whatif.chip.off')}\n\n{_told(chip.edit)}"
            button(name, f"chip-{at}", turn, at, icon=icon, help=help_, disabled=state.frozen)
            if not state.frozen:
                button("×", f"chip-remove-{at}", remove, at, help=say("whatif.remove", edit=name))
        if not state.frozen:
            button(say("whatif.undo"), "chips-undo", change, UNDO, icon="undo", help=say("whatif.undo.help"))
        if in_force := [chip.edit for chip in state.chips if chip.on]:
            st.caption(_told(in_force[-1]))


def _told(edit: str) -> str:
    """Say what to look at under an edit, where that is known, and what it does not mean."""
    kind = _kind(edit)
    look = f"view.whatif.look.{kind}"
    return " ".join(map(say, [*([look] if locale.has(locale.DEFAULT, look) else []), f"view.whatif.means.{kind}"]))


def _kind(edit: str) -> str:
    """Return what an edit is called in the catalogue."""
    word, fields = parts_of(edit.split(PART)[0])
    return f"{word}-mean" if word == "off" and len(fields) > 2 else word


def _name(edit: str, trace: Trace) -> str:
    """Return an edit in words, as Markdown."""
    first, *others = edit.split(PART)
    word, fields = parts_of(first)
    if word == "no-positions":
        return say("whatif.name.no-positions")
    if word in OF_ALL_LAYERS and others:
        return say(f"whatif.name.{word}.all", n=len(others) + 1)
    place = _place(fields[0], fields[1] if word != "stream" else EVERY)
    match word, fields[2:]:
        case "cut", [query, key]:
            return say(f"whatif.name.cut.{_cut(query, key)}", place=place, **_tokens(trace, fields[0], query, key))
        case "temperature" | "scale", [value]:
            return say(f"whatif.name.{word}", place=place, value=value)
        case ("patch", [pairs, text, *_]):
            return say("whatif.name.patch", place=place, pairs=_pairs(pairs), text=code(text, 24))
        case ("stream", [text, *_]):
            return say("whatif.name.stream", place=place, pairs=_pairs(fields[1]), text=code(text, 24))
        case _:
            return say(f"whatif.name.{_kind(first)}", place=place)


def _cut(query: str, key: str) -> str:
    return "key" if query == EVERY else "query" if key == EVERY else "edge"


def _place(site: str, head: str) -> str:
    """Return a head, or all of a layer, as the view calls it."""
    stack, layer, *kind = site.split(".")
    name = f"view.frame.stack.{stack}.{kind[0] if kind else 'self'}"
    named = say(name) if locale.has(locale.DEFAULT, name) else site
    key = "whatif.layer" if head == EVERY else "view.frame.title"
    return say(key, stack=named, layer=layer, head=head)


def _tokens(trace: Trace, site: str, query: str, key: str) -> dict[str, str]:
    """Return the tokens of a cut, as Markdown."""
    found = next((each for each in trace.sites if each.name == site), None)

    def token(position: str, sequence: str) -> str:
        labels = trace.sequences[sequence].labels if sequence else ()
        known = position != EVERY and int(position) < len(labels)
        return f"{code(labels[int(position)], 16)} #{position}" if known else f"#{position}"

    return {"row": token(query, found.queries if found else ""), "column": token(key, found.keys if found else "")}


def _pairs(text: str) -> str:
    """Return pairs of positions as people read them: 0–4 ← 2–6."""
    here, there = pairs_of(text)
    return pairs_text(here, there).replace("=", "←").replace(",", " ").replace("-", "–")
