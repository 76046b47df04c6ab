"""Tokens in a row: shaded by how much attention they get, or coloured by what they are."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from attnviz.figures.look import short
from attnviz.locale import VISIBLE

__all__ = ["Chip", "as_html", "shaded", "strip"]

MIXED = 82  # per cent of the colour in a token that gets all attention
STRONG = 0.7  # from where on white letters are read better
CURVE = 0.7  # small weights must be seen: the shade rises faster near 0


@dataclass(frozen=True)
class Chip:
    """One token.

    Attributes:
        text: shown literally.
        weight: attention on it, 0 to 1; None: not shaded.
        colour: colour of its shade, or of what it is, a CSS colour; "" for the colour of weights.
        above: a small word above it.
        below: a small word below it.
        wrong: it is marked as wrong.
        ring: it is marked as expected.
        title: what is told when somebody points at it.
    """

    text: str
    weight: float | None = None
    colour: str = ""
    above: str = ""
    below: str = ""
    wrong: bool = False
    ring: bool = False
    title: str = ""


def strip(chips: Sequence[Chip], *, label: str) -> None:
    """Place a row of tokens, which wraps; `label` says to a screen reader what it is."""
    st.html(as_html(chips, label))


def as_html(chips: Sequence[Chip], label: str) -> str:
    """Return a row of tokens as HTML."""
    lines = any(chip.above for chip in chips), any(chip.below for chip in chips)
    items = "".join(_item(chip, *lines) for chip in chips)
    return f'<ol class="av-strip" aria-label="{escape(label)}">{items}</ol>'


def shaded(labels: Sequence[str], weights: Sequence[float], expected: Container[int]) -> list[Chip]:
    """Shade tokens by the weights on them, and mark those at the expected places."""
    pairs = zip(labels, weights, strict=True)
    return [Chip(label, weight, ring=place in expected) for place, (label, weight) in enumerate(pairs)]


def _item(chip: Chip, above: bool, below: bool) -> str:
    """Write one token; above and below: whether every token of its row has a line there, if an empty one."""
    style, classes = "", ["av-chip"]
    if chip.weight is not None:
        share = max(0.0, min(1.0, chip.weight))
        style = f"--shade: {share**CURVE * MIXED:.1f}%;"
        classes += ["is-strong"] * (share > STRONG)
    if chip.colour:
        style += f"--tint: {chip.colour};"
        classes.append("is-tinted")
    classes += ["is-wrong"] * chip.wrong + ["is-ringed"] * chip.ring
    title = chip.title or ("" if chip.weight is None else short(chip.weight))
    shown = "␣" if chip.text == " " else "".join(VISIBLE.get(letter, letter) for letter in chip.text)
    text = escape(shown) or "&nbsp;"
    words = ((chip.above, above), (chip.below, below))
    over, under = (f"<small>{escape(word) or '&nbsp;'}</small>" if has_line else "" for word, has_line in words)
    attributes = f'class="{" ".join(classes)}" style="{escape(style)}" title="{escape(title)}"'
    return f"<li {attributes}>{over}<span>{text}</span>{under}</li>"
