"""The page Positional encodings: what each kind looks like, and what is lost without any."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

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
from attnviz.ui.frame.address import Address, notice_wrong
from attnviz.ui.frame.charts import CHART, theme
from attnviz.ui.frame.head import head_row, message_box
from attnviz.ui.frame.language import say
from attnviz.ui.frame.markdown import table
from attnviz.ui.frame.settings import Setting, Settings
from attnviz.ui.frame.widgets import segments, select
from attnviz.zoo import zoo

__all__ = ["SETTINGS", "show"]

WIDTHS = range(4, 129, 2)
LENGTHS = range(4, 129)
HEADS = (1, 2, 4, 8, 16)
UNTRAINED = "untrained"


@cache
def _tables() -> Mapping[str, Tensor]:
    """Return the learned encodings of the zoo: "reverse", or "dates.encoder" where a model has two."""
    found = {}
    for entry in zoo():
        model = load_model(f"zoo/{entry.name}")
        assert isinstance(model, SequenceModel)
        tables = learned_tables(model)
        for stack, encoding in tables.items():
            found[entry.name if len(tables) == 1 else f"{entry.name}.{stack}"] = encoding
    return found


KIND: Setting[Kind] = Setting("pe", "sinusoidal", lambda: KINDS)
WIDTH = Setting("pe_d", 64, lambda: WIDTHS)
LENGTH = Setting("pe_t", 64, lambda: LENGTHS)
TABLE = Setting("pe_table", UNTRAINED, lambda: (UNTRAINED, *_tables()))
N_HEADS = Setting("pe_heads", 8, lambda: HEADS)
HEAD = Setting("pe_head", 0, lambda: range(max(HEADS)))
SETTINGS = Settings((KIND, WIDTH, LENGTH, TABLE, N_HEADS, HEAD))


def _apply(link: Mapping[str, str]) -> None:
    """Set the controls from an address; what it names and does not exist is noticed and falls back."""
    wrong = SETTINGS.apply(link)
    if HEAD.value >= N_HEADS.value:
        HEAD.value = HEAD.default
        wrong.append(HEAD.key)
    notice_wrong(wrong)


ADDRESS = Address("positions", _apply, names=SETTINGS.names, steps=frozenset())


SHARES: Mapping[Kind, tuple[int, int]] = {
    "sinusoidal": (3, 2),
    "learned": (3, 2),
    "rotary": (3, 2),
    "alibi": (1, 1),
    "t5": (2, 3),
}  # of the width; what is square takes less


def show() -> None:
    """Show controls, two figures, what to see in them, and the layer that does not notice."""
    ADDRESS.arrive()
    with st.container(key="controls"), head_row():
        st.space("stretch")
    message_box()
    SETTINGS.begin()
    kind = segments(say("positions.kind"), KIND, {kind: say(f"positions.kind.{kind}") for kind in KINDS})
    with st.container(horizontal=True, gap="medium", key="pe-sizes"):
        _choose_sizes(kind)
    st.latex(FORMULAS[kind])
    st.markdown(say(f"positions.about.{kind}"))
    if kind != "none":
        for number, (column, figure) in enumerate(zip(st.columns(SHARES[kind]), _figures(kind), strict=True)):
            column.plotly_chart(figure, key=f"pe-{kind}-{number}", **CHART)
        st.caption(say(f"positions.seen.{kind}"))
    _what_is_lost()
    ADDRESS.publish(SETTINGS.to_link())


FORMULAS: Mapping[Kind, str] = {
    "sinusoidal": r"PE_{t,2i}=\sin\frac{t}{10000^{2i/d}}\qquad PE_{t,2i+1}=\cos\frac{t}{10000^{2i/d}}",
    "learned": r"x_t = E[\mathrm{token}_t] + P[t],\qquad P\in\mathbb{R}^{T\times d}",
    "rotary": r"q_i\cdot k_j=(R_i\,q)^{\top}(R_j\,k)=q^{\top}R_{j-i}\,k",
    "alibi": r"\tilde s_{ij}=\frac{q_i\cdot k_j}{\sqrt{d_{head}}}-m_h\,|i-j|,\qquad m_h=2^{-8h/H}",
    "t5": r"\tilde s_{ij}=q_i\cdot k_j+b[\mathrm{bucket}(j-i)]",
    "none": r"f(Px)=P\,f(x)",
}


def _choose_sizes(kind: Kind) -> None:
    learned = kind == "learned" and TABLE.value != UNTRAINED
    if kind == "learned":
        select(say("positions.table"), TABLE, {UNTRAINED: say("positions.untrained")} | {t: t for t in _tables()})
    if not learned:
        st.slider(say("positions.length"), LENGTHS[0], LENGTHS[-1], **LENGTH.kept)
    if not learned and kind not in ("alibi", "t5"):
        label = "positions.d_head" if kind == "rotary" else "positions.d_model"
        st.slider(say(label), WIDTHS[0], WIDTHS[-1], step=WIDTHS.step, **WIDTH.kept)
    if kind == "alibi":
        st.select_slider(say("positions.heads"), HEADS, on_change=_fit_head, **N_HEADS.kept)
        st.selectbox(say("positions.head"), range(N_HEADS.value), **HEAD.kept)


def _fit_head() -> None:
    HEAD.value = min(HEAD.value, N_HEADS.value - 1)


def _figures(kind: Kind) -> tuple[go.Figure, go.Figure]:
    """Return the figures of the left and the right side."""
    length = LENGTH.value
    if kind == "alibi":
        slope = float(alibi_slopes(N_HEADS.value)[HEAD.value])
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
    vectors = _vectors(kind, length, WIDTH.value)
    names = (say("positions.position"), say("positions.dimension"))
    left = figures.encoding(vectors, say(f"positions.matrix.{kind}"), names, theme())
    position = say("positions.position")
    alike = figures.pairs(similarity(vectors), say("positions.similarity"), (position, position), (-1, 1), theme())
    return left, alike


def _vectors(kind: Kind, length: int, d: int) -> Tensor:
    """One vector for each position."""
    if kind == "learned" and TABLE.value != UNTRAINED:
        return _tables()[TABLE.value]
    return {"sinusoidal": sinusoidal, "learned": untrained, "rotary": rotated}[kind](length, d)


def _pairs(matrix: Tensor, title: str, limits: tuple[float, float], whole: bool = False) -> go.Figure:
    """Return a number for each pair of a query and a key."""
    return figures.pairs(matrix, title, (say("positions.query"), say("positions.key")), limits, theme(), whole)


def _what_is_lost() -> None:
    """Show the permutation, computed for every kind."""
    st.header(say("positions.lost.title"), anchor=False)
    st.markdown(say("positions.lost.text"))
    length, d = LENGTH.value, WIDTH.value
    entries = _permuted(length, d)
    rows = []
    for entry in entries:
        same = entry.difference < 1e-5 * entry.largest
        verdict = say("positions.lost.same" if same else "positions.lost.differs")
        rows.append([say(f"positions.kind.{entry.kind}"), short(entry.difference), verdict])
    heads = [say("positions.kind"), *(say(f"positions.lost.{name}") for name in ("difference", "verdict"))]
    st.markdown(table(heads, rows, "lrl"))
    st.caption(say("positions.lost.note", n=length, d=d, largest=short(entries[-1].largest)))


@cache
def _permuted(n_tokens: int, d: int) -> list[Permuted]:
    return permuted(n_tokens, d)
