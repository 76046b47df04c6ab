"""The visual language of all figures: colours, scales, tokens, the frame around a figure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

__all__ = [
    "ACCENT",
    "DIVERGING",
    "EMPTY",
    "INK",
    "KEY",
    "LINES",
    "MUTED",
    "PAGE",
    "QUERY",
    "SEQUENTIAL",
    "VALUE",
    "coloured",
    "frame",
    "letters",
    "note",
    "percent",
    "plain",
    "scales",
    "short",
    "shortened",
    "token_text",
]

QUERY, KEY, VALUE = "#0072b2", "#d55e00", "#009e73"  # one meaning each, in every figure
PAGE, INK, MUTED = "#ffffff", "#2f2d2b", "#6b6f78"
EMPTY = "#e7e9ed"  # where there is no number
LINES = ("#6b3fb0", "#b8860b", "#c0398b", "#3d3d3d", "#7a9a01", "#8a5a44")  # of runs and layers
ACCENT = LINES[0]
MONOSPACED = "Source Code Pro, ui-monospace, DejaVu Sans Mono, Noto Sans Mono CJK SC, monospace"
SANS = "Source Sans, system-ui, DejaVu Sans, Noto Sans CJK SC, sans-serif"

Colour = tuple[float, float, float]
Scale = list[tuple[float, str]]

PURPLE: tuple[Colour, ...] = ((255, 255, 255), (129, 90, 190), (38, 6, 84))  # from the page towards more
OCHRE: tuple[Colour, ...] = ((255, 255, 255), (184, 130, 24), (92, 52, 0))  # the same below 0
NARROWEST = 420  # pixels of a figure: its title fits
CURVE = 0.7  # small numbers must be seen: a scale rises faster near 0
STOPS = 32

# sRGB (linear) -> cone responses -> OKLab. Source: Ottosson, "A perceptual color space for image processing", 2020.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.793617785, -0.0040720468],
        [1.9779984951, -2.428592205, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.808675766],
    ]
)


def _ramp(colours: Sequence[Colour], at: NDArray[np.float64]) -> list[str]:
    """Colours between these, even steps to the eye: straight lines in OKLab. `at` runs from 0 to 1."""
    channels = np.array(colours) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    lab = np.cbrt(linear @ TO_CONES.T) @ TO_LAB.T
    places = np.linspace(0, 1, len(colours))
    mixed = np.stack([np.interp(at, places, lab[:, axis]) for axis in range(3)], axis=1)
    linear = (mixed @ np.linalg.inv(TO_LAB).T) ** 3 @ np.linalg.inv(TO_CONES).T
    linear = linear.clip(0, 1)
    channels = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return [f"rgb({r}, {g}, {b})" for r, g, b in (channels * 255).round().astype(int).tolist()]


def scales(above: Sequence[Colour], below: Sequence[Colour]) -> tuple[Scale, Scale]:
    """Make two colour scales: from the page colour (0) to full colour (1), and from -1 through the page colour to 1."""
    at = np.linspace(0, 1, STOPS + 1) ** 2  # closer together where the curve is steep
    up, down = (_ramp(colours, at**CURVE) for colours in (above, below))
    sequential = list(zip(at.tolist(), up, strict=True))
    lower = list(zip((0.5 - at / 2).tolist(), down, strict=True))[:0:-1]
    upper = list(zip((0.5 + at / 2).tolist(), up, strict=True))
    return sequential, [*lower, *upper]


SEQUENTIAL, DIVERGING = scales(PURPLE, OCHRE)

INVISIBLE = (*range(0x80, 0xA0), 0xAD, *range(0x200B, 0x2010), 0x2028, 0x2029, *range(0x202A, 0x202F))
INVISIBLE += (*range(0x2060, 0x206A), 0xFEFF)
VISIBLE = str.maketrans(
    {chr(code): chr(0x2400 + code) for code in range(0x20)}
    | {chr(code): f"U+{code:04X}" for code in INVISIBLE}
    | {" ": "␣", "\n": "↵", "\t": "⇥", "\x7f": "␡"}
)
MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"})  # of plotly: a little HTML, and TeX


def plain(text: str) -> str:
    """Return a text as plotly shows it letter by letter, never as markup.

    Example:
        >>> plain("<b> $x$")
        '&lt;b&gt; &#36;x&#36;'
    """
    return text.translate(MARKUP)


def token_text(label: str) -> str:
    """Return a token with its white space and control characters made visible, safe to be shown.

    Example:
        >>> token_text(" the"), token_text("<bos>")
        ('␣the', '&lt;bos&gt;')
    """
    return plain(label.translate(VISIBLE))


def letters(label: str) -> int:
    """Return the width of a token in letters of a monospaced face; Chinese ones are two wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in label.translate(VISIBLE))


def short(number: float) -> str:
    """Return a number with three significant digits.

    Example:
        >>> short(-0.12345), short(2.5e-7)
        ('−0.123', '2.5e−7')
    """
    return re.sub(r"e([+-])0+", r"e\1", f"{number:.3g}").replace("e+", "e").replace("-", "−")


def percent(share: float) -> str:
    """Return a share of 1 in percent.

    Example:
        >>> percent(0.1234), percent(2e-7), percent(0)
        ('12.3%', '<0.01%', '0%')
    """
    return "<0.01%" if 0 < share < 1e-4 else f"{short(100 * share)}%"


def shortened(label: str, longest: int) -> str:
    """Return the beginning of a token that has too many letters.

    Example:
        >>> shortened("internationalization", 10)
        'internati…'
    """
    return label if len(label) <= longest else f"{label[: longest - 1]}…"


def coloured(text: str, colour: str) -> str:
    """Return a part of a text in another colour, as plotly's titles and labels take it."""
    return f'<span style="color:{colour}">{text}</span>'


def note(text: str, xanchor: str, **place: Any) -> dict[str, Any]:
    """Make an annotation of a text beside the plot; where nothing else is said, at its upper left corner."""
    corner = {"x": 0, "y": 1, "xref": "paper", "yref": "paper", "yanchor": "bottom"}
    return {"text": text, "showarrow": False, "xanchor": xanchor, **corner, **place}


def frame(
    traces: Iterable[Any], title: str, subtitle: str, width: int, height: int, margin: tuple[int, int, int, int]
) -> go.Figure:
    """Return a figure of a given size in pixels, or wider; margin: left, right, top, bottom."""
    left, right, top, bottom = margin
    right += max(0, NARROWEST - width)
    width = max(width, NARROWEST)
    hover = {"bgcolor": PAGE, "bordercolor": MUTED, "align": "left", "font": {"family": MONOSPACED, "color": INK}}
    below = f'<span style="font-size:12px;font-weight:400;color:{MUTED}">{subtitle}</span>'
    heading = {
        "text": f"{title}<br>{below}" if subtitle else title,
        "font": {"size": 16, "color": INK, "weight": 600},
        "x": 16 / width,
        "xanchor": "left",
        "y": 1 - 18 / height,
        "yanchor": "top",
    }
    layout = go.Layout(
        template="none",
        title=heading,
        width=width,
        height=height,
        margin={"l": left, "r": right, "t": top, "b": bottom, "pad": 0},
        paper_bgcolor=PAGE,
        plot_bgcolor=PAGE,
        font={"family": SANS, "size": 12, "color": INK},
        hoverlabel=hover,
        modebar={"bgcolor": "rgba(255, 255, 255, 0.9)"},
        showlegend=False,
    )
    return go.Figure(list(traces), layout)
