"""The settings of the calculator: an example to begin with, and three groups that open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import streamlit as st

from attnviz import locale
from attnviz.calculator.parse import SIDE
from attnviz.calculator.presets import PRESETS
from attnviz.calculator.problem import CHOICES, LIMITS
from attnviz.ui.calculator.state import MASKS, MOST_NAMES, SIZES, CalculatorState
from attnviz.ui.frame.language import current, plain, say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.widgets import Widget, button, segments, select

__all__ = ["begin", "choose"]

MULTIPLE: Mapping[str, Any] = {"selection_mode": "multi"}
FORMAT = "%.6g"
SYMBOLS = {"queries": "T", "keys": "Tk", "d_model": "d_model", "d_k": "d_k", "d_v": "d_v"}
NARROW, WIDE = 95, 210  # pixels


def begin() -> None:
    """Choose a worked example, or random numbers."""
    state = page_state(CalculatorState)
    _select("preset", state.preset, PRESETS, state.load_preset, WIDE + 30)
    button(say("calculator.random"), "random", state.randomise, icon="casino", help=say("calculator.random.help"))


def choose() -> None:
    """Show every choice of the layer in three groups, in the order in which they act."""
    state = page_state(CalculatorState)
    sizes, scoring = state.sizes(), say(f"calculator.scoring.{state.scoring.value}")
    with _group("tokens", f"{sizes.queries} × {sizes.keys}"):
        _segments("given", state.given, state.given_changed)
        _names(state)
        _sizes(state)
    with _group(
        "scores", locale.listed(current(), [scoring, *(say(f"calculator.mask.{name}") for name in state.mask.value)])
    ):
        positions = CHOICES["positions"] if state.given.value == "x" else ("none", "rotary")
        _select("positions", state.positions, positions, state.fit_to_choices, WIDE)
        _segments("scoring", state.scoring, state.fit_to_choices)
        _scale(state)
        _mask(state)
    with _group("output", say(f"calculator.pooling.{state.pooling.value}")):
        _after(state)


@contextmanager
def _group(name: str, summary: str) -> Iterator[None]:
    """Settings that open: their name, and what they are now."""
    label = f"{say(f'calculator.group.{name}')} :small[:gray[{plain(summary)}]]"
    with (
        st.expander(label, key=f"group-{name}"),
        st.container(horizontal=True, key=f"settings-{name}", gap="small", vertical_alignment="bottom"),
    ):
        yield


def _names(state: CalculatorState) -> None:
    """Name the tokens, where queries and keys are the same ones."""
    sizes = state.sizes()
    st.text_input(
        say("calculator.tokens"),
        placeholder=" ".join(f"x{i}" for i in range(1, min(sizes.queries, 4) + 1)),
        max_chars=MOST_NAMES,
        disabled=sizes.queries != sizes.keys,
        width=WIDE,
        **state.tokens.kept,
    )


def _select(name: str, widget: Widget[str], options: Iterable[str], on_change: Callable[[], None], width: int) -> None:
    titles = {option: say(f"calculator.{name}.{option}") for option in options}
    select(say(f"calculator.{name}"), widget, titles, on_change=on_change, width=width)


def _segments(name: str, widget: Widget[str], on_change: Callable[[], None] | None = None) -> None:
    titles = {option: say(f"calculator.{name}.{option}") for option in CHOICES[name]}
    segments(say(f"calculator.{name}"), widget, titles, on_change=on_change)


def _sizes(state: CalculatorState) -> None:
    """T, d_model, d_k, d_v and H; the tables follow."""
    sizes, given = state.sizes(), state.given.value
    with st.container(horizontal=True, key="sizes", gap="xxsmall", width="content"):
        for name in SIZES[given]:
            size = state.size(name)
            size.value = getattr(sizes, name)
            symbol = "Tq" if name == "queries" and given == "qkv" else SYMBOLS[name]
            st.number_input(symbol, 1, SIDE, key=size.key, on_change=state.resize, step=1)
        heads, label = state.heads, say("calculator.heads")
        st.number_input(label, 1, SIDE, on_change=state.heads_changed, step=1, **heads.kept)


def _scale(state: CalculatorState) -> None:
    low, high = LIMITS["scale"]
    st.number_input(
        say("calculator.scale"),
        low,
        high,
        None,
        placeholder=say(f"calculator.scale.{state.scoring.value}"),
        help=say("calculator.scale.help"),
        format=FORMAT,
        step=0.1,
        width=NARROW,
        **state.scale.kept,
    )
    low, high = LIMITS["temperature"]
    temperature, label = state.temperature, say("calculator.temperature")
    st.number_input(label, low, high, step=0.1, format=FORMAT, width=NARROW, **temperature.kept)


def _mask(state: CalculatorState) -> None:
    st.segmented_control(
        say("calculator.mask"),
        MASKS,
        format_func=lambda name: say(f"calculator.mask.{name}"),
        **MULTIPLE,
        **state.mask.kept,
    )
    masks = state.mask.value
    if "window" in masks:
        st.number_input(
            say("calculator.window"),
            1,
            SIDE,
            help=say("calculator.window.help"),
            step=1,
            width=NARROW,
            **state.window.kept,
        )
    if "padding" in masks:
        n_keys, padding = state.sizes().keys, state.padding
        padding.value = [key for key in padding.value if key <= n_keys]
        st.multiselect(
            say("calculator.padding"),
            list(range(1, n_keys + 1)),
            placeholder=say("calculator.padding.placeholder"),
            width=WIDE,
            **padding.kept,
        )


def _after(state: CalculatorState) -> None:
    """Choose output projection, residual connection and pooling."""
    with st.container(horizontal=True, key="after", gap="small", width="content", vertical_alignment="center"):
        project, residual = state.project, state.residual
        st.toggle(say("calculator.project"), on_change=state.fit_to_choices, **project.kept)
        no_x = state.given.value != "x"
        st.toggle(say("calculator.residual"), on_change=state.fit_to_choices, disabled=no_x, **residual.kept)
    _segments("pooling", state.pooling)
