"""The page Find the mistake: cards with what is printed in many places, and the numbers that prove it wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from attnviz.calculator.mistakes import MISTAKES, Finding, Mistake
from attnviz.ui.frame.address import Address, notice_wrong
from attnviz.ui.frame.head import head_row, link_to, message_box
from attnviz.ui.frame.language import say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.widgets import Widget, button

__all__ = ["show"]

SHOWN = ".shown"
"""Ends the name of a card whose evidence is open."""


@dataclass
class MistakesState:
    """State of this page.

    Attributes:
        is_shown: whether the proof is shown.
    """

    card = Widget("mistake", next(iter(MISTAKES)))

    is_shown: bool = False

    @staticmethod
    def answer(card: str) -> Widget[str | int | None]:
        """Return the answer to a card's question; None before there is one."""
        return Widget(f"mistake-{card}", None)


def _apply(link: Mapping[str, str]) -> None:
    """Choose the card that an address names."""
    card = link.get("card", MistakesState.card.default)
    name = card.removesuffix(SHOWN)
    notice_wrong(["card"] * (name not in MISTAKES))
    MistakesState.card.value = name if name in MISTAKES else MistakesState.card.default
    page_state(MistakesState).is_shown = card != name


ADDRESS = Address("mistakes", _apply, names=frozenset({"card"}), steps=frozenset({"card"}))


def show() -> None:
    """Show the choice of cards, and one of them."""
    ADDRESS.arrive()
    with st.container(key="controls"), head_row():
        st.space("stretch")
    message_box()
    st.caption(say("calculator.mistakes.about"))
    st.pills(
        say("page.mistakes"),
        list(MISTAKES),
        format_func=lambda name: say(f"calculator.mistake.{name}"),
        required=True,
        on_change=_hide,
        label_visibility="collapsed",
        **MistakesState.card.kept,
    )
    name = MistakesState.card.value
    _card(name)
    ADDRESS.publish({"card": name + (SHOWN if page_state(MistakesState).is_shown else "")})


def _hide() -> None:
    page_state(MistakesState).is_shown = False


def _show() -> None:
    page_state(MistakesState).is_shown = True


def _card(name: str) -> None:
    mistake = MISTAKES[name]
    with st.container(border=True, key="card"):
        st.header(say(f"calculator.mistake.{name}.title"), anchor=False)
        st.markdown(say(f"calculator.mistake.{name}.printed"))
        if mistake.is_code:
            st.code(mistake.printed, language="python")
        else:
            st.latex(mistake.printed)
        _ask(name, mistake)
        if not page_state(MistakesState).is_shown:
            button(say("calculator.mistakes.show"), "mistake-show", _show, type="tertiary")
            return
        with st.container(key="findings", gap="small"):
            for finding in mistake.find():
                _finding(finding)
        if mistake.preset:
            link_to("calculator", say("calculator.mistakes.open"), "calculate", preset=mistake.preset)


def _ask(name: str, mistake: Mistake) -> None:
    """Ask the question of a card; an answer is judged, and brings the proof."""
    answer, question = MistakesState.answer(name), say(f"calculator.mistake.{name}.ask")
    if mistake.options:
        titles = {option: say(f"calculator.mistake.{name}.option.{option}") for option in mistake.options}
        st.radio(question, list(titles), None, format_func=titles.__getitem__, on_change=_show, **answer.kept)
    else:
        st.number_input(question, 0, value=None, step=1, on_change=_show, width=320, **answer.kept)
    if answer.value is not None:
        is_right = answer.value == mistake.right
        st.markdown(
            f":green[✓] {say('calculator.mistakes.right')}"
            if is_right
            else f":red[✗] {say('calculator.mistakes.wrong')}"
        )


def _finding(finding: Finding) -> None:
    st.markdown(say(f"calculator.found.{finding.key}", **finding.values))
    if finding.code:
        st.code(finding.code, language="python")
    if finding.latex:
        st.latex(finding.latex)
    if finding.error:
        st.code(finding.error, language=None)
