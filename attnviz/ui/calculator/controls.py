"""The settings of the calculator, in rows above the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from attnviz.calculator.parse import SIDE
from attnviz.calculator.presets import PRESETS
from attnviz.calculator.problem import CHOICES, LIMITS
from attnviz.ui.calculator import state as state_of
from attnviz.ui.calculator.state import MASKS, SIZES, chosen
from attnviz.ui.frame.language import say
from attnviz.ui.frame.settings import KEEP

__all__ = ["choose"]

MULTIPLE: Mapping[str, Any] = {"selection_mode": "multi"}
FORMAT = "%.6g"
SYMBOLS = {"queries": "T", "keys": "Tk", "d_model": "d_model", "d_k": "d_k", "d_v": "d_v"}
NARROW, WIDE = 95, 210  # pixels


def choose() -> None:
    """Show a worked example to begin with, then every choice of the layer, in the order in which they act."""
    st.selectbox(
        say("calculator.preset"),
        list(PRESETS),
        format_func=lambda name: say(f"calculator.preset.{name}"),
        key="calc-preset",
        on_change=state_of.load_preset,
        width=WIDE + 30,
        **KEEP,
    )
    _segments("given", state_of.given_changed)
    _sizes()
    _positions()
    _segments("scoring", state_of.fit_to_choices)
    _scale()
    _mask()
    _after()


def _segments(name: str, on_change: Any = None) -> None:
    st.segmented_control(
        say(f"calculator.{name}"),
        CHOICES[name],
        format_func=lambda value: say(f"calculator.{name}.{value}"),
        key=f"calc-{name}",
        required=True,
        on_change=on_change,
        **KEEP,
    )


def _sizes() -> None:
    """T, d_model, d_k, d_v and H; the tables follow."""
    sizes = state_of.sizes()
    with st.container(horizontal=True, key="sizes", gap="xxsmall", width="content"):
        for name in SIZES[chosen("given")]:
            st.session_state[f"calc-{name}"] = getattr(sizes, name)
            symbol = "Tq" if name == "queries" and chosen("given") == "qkv" else SYMBOLS[name]
            st.number_input(symbol, 1, SIDE, key=f"calc-{name}", on_change=state_of.resize, step=1)
        st.number_input(
            say("calculator.heads"), 1, SIDE, key="calc-heads", on_change=state_of.heads_changed, step=1, **KEEP
        )


def _positions() -> None:
    of_x = chosen("given") == "x"
    st.selectbox(
        say("calculator.positions"),
        CHOICES["positions"] if of_x else ("none", "rotary"),
        format_func=lambda name: say(f"calculator.positions.{name}"),
        key="calc-positions",
        on_change=state_of.fit_to_choices,
        width=WIDE,
        **KEEP,
    )


def _scale() -> None:
    low, high = LIMITS["scale"]
    st.number_input(
        say("calculator.scale"),
        low,
        high,
        None,
        key="calc-scale",
        placeholder=say(f"calculator.scale.{chosen('scoring')}"),
        help=say("calculator.scale.help"),
        format=FORMAT,
        step=0.1,
        width=NARROW,
        **KEEP,
    )
    low, high = LIMITS["temperature"]
    st.number_input(
        say("calculator.temperature"),
        low,
        high,
        key="calc-temperature",
        step=0.1,
        format=FORMAT,
        width=NARROW,
        **KEEP,
    )


def _mask() -> None:
    st.segmented_control(
        say("calculator.mask"),
        MASKS,
        format_func=lambda name: say(f"calculator.mask.{name}"),
        key="calc-mask",
        **MULTIPLE,
        **KEEP,
    )
    masks = chosen("mask") or []
    if "window" in masks:
        st.number_input(
            say("calculator.window"),
            1,
            SIDE,
            key="calc-window",
            help=say("calculator.window.help"),
            step=1,
            width=NARROW,
            **KEEP,
        )
    if "padding" in masks:
        n_keys = state_of.sizes().keys
        st.session_state["calc-padding"] = [key for key in chosen("padding") or [] if key <= n_keys]
        st.multiselect(
            say("calculator.padding"),
            list(range(1, n_keys + 1)),
            key="calc-padding",
            placeholder=say("calculator.padding.placeholder"),
            width=WIDE,
            **KEEP,
        )


def _after() -> None:
    """Choose output projection, residual connection and pooling, and draw random numbers."""
    with st.container(horizontal=True, key="after", gap="small", width="content", vertical_alignment="center"):
        st.toggle(say("calculator.project"), key="calc-project", on_change=state_of.fit_to_choices, **KEEP)
        st.toggle(
            say("calculator.residual"),
            key="calc-residual",
            on_change=state_of.fit_to_choices,
            disabled=chosen("given") != "x",
            **KEEP,
        )
    _segments("pooling")
    st.button(
        say("calculator.random"),
        key="random",
        icon=":material/casino:",
        help=say("calculator.random.help"),
        on_click=state_of.randomise,
    )
