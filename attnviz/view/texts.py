"""Texts that a language's views read beside numbers: their messages, and the code behind each stage.

The browser fetches it once and keeps it: the address has a hash of the content, so another content has another address.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import textwrap
from collections.abc import Callable
from functools import cache
from typing import Any

from attnviz import attention, locale
from attnviz.models.layers import Attention
from attnviz.positions import rotate

__all__ = ["TERMS", "TEXTS_PATH", "address", "texts", "texts_of_trace", "written"]

TEXTS_PATH = "attnviz/view/texts"

TERMS = tuple(
    f"glossary.{term}."
    for term in (
        *("query", "key", "value", "score", "softmax", "mask", "causal-mask", "window", "padding", "context-vector"),
        *("head", "layer", "d_head", "d_model", "self-attention", "cross-attention", "residual-stream", "projection"),
        *("dot-product", "additive-attention", "rotary-positions", "bias-on-scores", "soft-cap", "attention-sink"),
    )
)
"""Messages of the terms that the views explain: the beginnings of their keys."""


@cache
def texts(lang: str) -> dict[str, Any]:
    """Return the messages as "strings", and as "code" the name and the source of the functions that compute each stage.

    "additive" stands in place of "scores" at sites that score additively, "rotated" in place of "q" and "k" at those
    that turn them by their positions.

    Raises:
        KeyError: there is no such language.
    """
    return {"strings": locale.strings(lang, "view.", "watch.", *TERMS), "code": CODE}


@cache
def texts_of_trace(lang: str) -> dict[str, Any]:
    """Return the same without the messages of training, for a page that shows a trace alone."""
    return {**texts(lang), "strings": locale.strings(lang, "view.", *TERMS)}


@cache
def written(lang: str) -> bytes:
    """Return the same as JSON."""
    return json.dumps(texts(lang), ensure_ascii=False).encode()


@cache
def address(lang: str) -> str:
    """Return the address of the messages on a server, relative to the app."""
    return f"{TEXTS_PATH}/{lang}?v={hashlib.sha256(written(lang)).hexdigest()[:16]}"


def _exhibit(*functions: Callable[..., object]) -> dict[str, str]:
    """Name and source of the functions that compute a stage: the code itself is on show."""
    names = (f"{f.__module__.removeprefix('attnviz.')}.{f.__qualname__}" for f in functions)
    return {"name": ", ".join(names), "source": "\n\n".join(textwrap.dedent(inspect.getsource(f)) for f in functions)}


CODE: dict[str, dict[str, str]] = {
    **dict.fromkeys(("q", "k", "v"), _exhibit(Attention._project)),
    "rotated": _exhibit(Attention._project, rotate),
    "scores": _exhibit(attention.dot_product_scores),
    "additive": _exhibit(attention.additive_scores),
    "masked": _exhibit(attention.scaled_scores, attention.masked_scores),
    "weights": _exhibit(attention.softmax_weights),
    "context": _exhibit(attention.context),
    "output": _exhibit(attention.head_output),
}
