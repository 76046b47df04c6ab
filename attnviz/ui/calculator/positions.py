"""Positional encodings, as a part of the calculator page: what each kind looks like, and what is lost without any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from attnviz.analysis.positions import (
    KINDS,
    Kind,
    Permuted,
    bias_alone,
    learned_tables,
    permuted,
    rotated,
    similarity,
    untrained,
)
from attnviz.figures import positions as figures
from attnviz.figures.look import short
from attnviz.loading import load_model
from attnviz.models import SequenceModel
from attnviz.positions import alibi_bias, alibi_slopes, relative_buckets, sinusoidal
from attnviz.ui.frame.charts import CHART, theme
from attnviz.ui.frame.language import say
from attnviz.ui.frame.settings import KEEP, Settings
from attnviz.zoo import zoo

__all__ = ["SETTINGS", "apply", "section"]

WIDTHS = range(4, 129, 2)
LENGTHS = range(4, 129)
HEADS = (1, 2, 4, 8, 16)
UNTRAINED = "untrained"

DEFAULTS: Mapping[str, Any] = {
    "pe": "sinusoidal",
    "pe_d": 64,
    "pe_t": 64,
    "pe_table": UNTRAINED,
    "pe_heads": 8,
    "pe_head": 0,
}


def apply(link: Mapping[str, str]) -> list[str]:
    """Set the controls from an address; what it does not name falls back.

    Returns:
        The names of those whose value does not exist.
    """
    wrong = SETTINGS.apply(link)
    if st.session_state["pe_head"] >= st.session_state["pe_heads"]:
        st.session_state["pe_head"] = DEFAULTS["pe_head"]
        wrong.append("pe_head")
    return wrong


def _options(name: str) -> tuple[Any, ...]:
    lists: dict[str, Callable[[], tuple[Any, ...]]] = {
        "pe": lambda: KINDS,
        "pe_d": lambda: tuple(WIDTHS),
        "pe_t": lambda: tuple(LENGTHS),
        "pe_table": lambda: (UNTRAINED, *_tables()),
        "pe_heads": lambda: HEADS,
        "pe_head": lambda: tuple(range(max(HEADS))),
    }
    return lists[name]()


SETTINGS = Settings(DEFAULTS, _options)


@cache
def _tables() -> Mapping[str, Tensor]:
    """Return the learned encodings of the zoo: "reverse", or "dates.encoder" where a model has two."""
    found = {}
    for entry in zoo():
        model = load_model(f"zoo/{entry.name}")
        assert isinstance(model, SequenceModel)
        tables = learned_tables(model)
        for stack, table in tables.items():
            found[entry.name if len(tables) == 1 else f"{entry.name}.{stack}"] = table
    return found


SHARES: Mapping[Kind, tuple[int, int]] = {
    "sinusoidal": (3, 2),
    "learned": (3, 2),
    "rotary": (3, 2),
    "alibi": (1, 1),
    "t5": (2, 3),
}  # of the width; what is square takes less


def section() -> None:
    """Show the whole of it: controls, two figures, what is to be seen in them, and the layer that does not notice."""
    SETTINGS.begin()
    names = {kind: say(f"positions.kind.{kind}") for kind in KINDS}
    st.segmented_control(say("positions.kind"), KINDS, format_func=names.__getitem__, key="pe", required=True, **KEEP)
    kind = cast(Kind, st.session_state["pe"])
    with st.container(horizontal=True, gap="medium", key="pe-sizes"):
        _choose_sizes(kind)
    st.latex(FORMULAS[kind])
    st.markdown(say(f"positions.about.{kind}"))
    if kind != "none":
        for number, (column, figure) in enumerate(zip(st.columns(SHARES[kind]), _figures(kind), strict=True)):
            column.plotly_chart(figure, key=f"pe-{kind}-{number}", **CHART)
        st.caption(say(f"positions.seen.{kind}"))
    _what_is_lost()


FORMULAS: Mapping[Kind, str] = {
    "sinusoidal": r"PE_{t,2i}=\sin\frac{t}{10000^{2i/d}}\qquad PE_{t,2i+1}=\cos\frac{t}{10000^{2i/d}}",
    "learned": r"x_t = E[\mathrm{token}_t] + P[t],\qquad P\in\mathbb{R}^{T\times d}",
    "rotary": r"q_i\cdot k_j=(R_i\,q)^{\top}(R_j\,k)=q^{\top}R_{j-i}\,k",
    "alibi": r"\tilde s_{ij}=\frac{q_i\cdot k_j}{\sqrt{d_{head}}}-m_h\,|i-j|,\qquad m_h=2^{-8h/H}",
    "t5": r"\tilde s_{ij}=q_i\cdot k_j+b[\mathrm{bucket}(j-i)]",
    "none": r"f(Px)=P\,f(x)",
}


def _choose_sizes(kind: Kind) -> None:
    learned = kind == "learned" and st.session_state["pe_table"] != UNTRAINED
    if kind == "learned":
        titles = {UNTRAINED: say("positions.untrained")} | {name: name for name in _tables()}
        st.selectbox(say("positions.table"), list(titles), format_func=titles.__getitem__, key="pe_table", **KEEP)
    if not learned:
        st.slider(say("positions.length"), LENGTHS[0], LENGTHS[-1], key="pe_t", **KEEP)
    if not learned and kind not in ("alibi", "t5"):
        label = "positions.d_head" if kind == "rotary" else "positions.d_model"
        st.slider(say(label), WIDTHS[0], WIDTHS[-1], step=WIDTHS.step, key="pe_d", **KEEP)
    if kind == "alibi":
        st.select_slider(say("positions.heads"), HEADS, key="pe_heads", on_change=_fit_head, **KEEP)
        heads = range(st.session_state["pe_heads"])
        st.selectbox(say("positions.head"), heads, key="pe_head", **KEEP)


def _fit_head() -> None:
    state = st.session_state
    state["pe_head"] = min(state["pe_head"], state["pe_heads"] - 1)


def _figures(kind: Kind) -> tuple[go.Figure, go.Figure]:
    """Return the figures of the left and the right side."""
    state = st.session_state
    length = state["pe_t"]
    if kind == "alibi":
        slope = float(alibi_slopes(state["pe_heads"])[state["pe_head"]])
        bias = alibi_bias(length, slope)
        limit = slope * (length - 1)
        left = _pairs(bias, say("positions.bias", slope=short(slope)), (-limit, limit))
        return left, _pairs(bias_alone(bias), say("positions.bias_weights"), (0.0, 1.0))
    if kind == "t5":
        buckets = relative_buckets(length)
        top = float(relative_buckets(2 * LENGTHS[-1]).max())
        names = (say("positions.bucket"), say("positions.distance"))
        right = figures.steps(buckets[:, 0], say("positions.buckets_by_distance"), names, theme())
        return _pairs(buckets, say("positions.buckets"), (0.0, top), whole=True), right
    vectors = _vectors(kind, length, state["pe_d"])
    names = (say("positions.position"), say("positions.dimension"))
    left = figures.encoding(vectors, say(f"positions.matrix.{kind}"), names, theme())
    position = say("positions.position")
    alike = figures.pairs(similarity(vectors), say("positions.similarity"), (position, position), (-1, 1), theme())
    return left, alike


def _vectors(kind: Kind, length: int, d: int) -> Tensor:
    """One vector for each position."""
    table = st.session_state["pe_table"]
    if kind == "learned" and table != UNTRAINED:
        return _tables()[table]
    return {"sinusoidal": sinusoidal, "learned": untrained, "rotary": rotated}[kind](length, d)


def _pairs(matrix: Tensor, title: str, limits: tuple[float, float], whole: bool = False) -> go.Figure:
    """Return a number for each pair of a query and a key."""
    return figures.pairs(matrix, title, (say("positions.query"), say("positions.key")), limits, theme(), whole)


def _what_is_lost() -> None:
    """Show the permutation, computed for every kind."""
    st.subheader(say("positions.lost.title"), anchor=False)
    st.markdown(say("positions.lost.text"))
    length, d = st.session_state["pe_t"], st.session_state["pe_d"]
    entries = _permuted(length, d)
    rows = [f"| {say('positions.kind')} | {say('positions.lost.difference')} | |", "|---|---:|---|"]
    for entry in entries:
        same = entry.difference < 1e-5 * entry.largest
        verdict = say("positions.lost.same" if same else "positions.lost.differs")
        rows.append(f"| {say(f'positions.kind.{entry.kind}')} | {short(entry.difference)} | {verdict} |")
    st.markdown("\n".join(rows))
    st.caption(say("positions.lost.note", n=length, d=d, largest=short(entries[-1].largest)))


@cache
def _permuted(n_tokens: int, d: int) -> list[Permuted]:
    return permuted(n_tokens, d)
