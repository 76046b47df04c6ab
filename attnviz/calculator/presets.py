"""Worked examples to begin with. Each is a problem like any other; a test holds the numbers that each must give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attnviz.calculator.problem import Matrix, Problem

__all__ = ["FIRST", "FIVE", "PRESETS", "PRODUCTS", "TEN", "column", "identity"]


def identity(n: int) -> Matrix:
    """Ones on the diagonal: (n, n)."""
    return tuple(tuple(float(i == j) for j in range(n)) for i in range(n))


def column(values: Sequence[float]) -> Matrix:
    """One number a row: (n, 1)."""
    return tuple((value,) for value in values)


FIVE = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Five numbers: the queries; the keys are the same, backwards."""

PRODUCTS = tuple(round(a * b, 12) for a, b in zip(FIVE, FIVE[::-1], strict=True))
"""Each query times the key at its own position."""

TEN: Matrix = (
    (0.5, 0.3, 0.2),
    (0.2, 0.7, 0.1),
    (0.1, 0.5, 0.4),
    (0.3, 0.2, 0.5),
    (0.4, 0.1, 0.5),
    (0.1, 0.3, 0.6),
    (0.2, 0.5, 0.3),
    (0.6, 0.1, 0.3),
    (0.7, 0.4, 0.9),
    (0.3, 0.6, 0.1),
)
"""Ten tokens of width three."""


def _alike(x: Matrix) -> dict[str, Matrix]:
    """X as queries, keys and values alike."""
    return {"x": x, **dict.fromkeys(("w_q", "w_k", "w_v"), identity(len(x[0])))}


_FOUR: Matrix = ((1.0, 0.0, 1.0, 0.0), (0.0, 2.0, 0.0, 2.0), (1.0, 1.0, 1.0, 1.0), (0.5, -1.0, 0.0, 1.0))

_HEADS: dict[str, Matrix] = {
    "x": _FOUR,
    "w_q": ((1.0, 0.0, 0.5, 0.0), (0.0, 1.0, 0.0, -0.5), (1.0, 0.0, 0.0, 0.5), (0.0, 1.0, 0.5, 0.0)),
    "w_k": ((1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 1.0, 0.0), (0.5, 0.0, 0.0, -1.0), (0.0, 0.5, -1.0, 0.0)),
    "w_v": ((1.0, 0.0, 0.0, 0.5), (0.0, 1.0, 0.5, 0.0), (0.0, 0.5, 1.0, 0.0), (0.5, 0.0, 0.0, 1.0)),
    "w_o": ((1.0, 0.0, 0.0, 0.5), (0.0, 1.0, 0.5, 0.0), (0.5, 0.0, 1.0, 0.0), (0.0, 0.5, 0.0, 1.0)),
}

PRESETS: Mapping[str, Problem] = {
    # one-hot tokens: the scores are X Xᵀ = I
    "one-hot": Problem(_alike(identity(3)), scoring="dot"),
    "one-hot-scaled": Problem(_alike(identity(3))),
    # five numbers as true self-attention: scores are the outer product of q and k
    "five": Problem({"q": column(FIVE), "k": column(FIVE[::-1]), "v": column(FIVE)}, given="qkv"),
    # the same products position by position: all that a single query could make of them
    "five-positions": Problem(
        {"q": ((1.0,),), "k": column(PRODUCTS), "v": column((1.0, 2.0, 3.0, 4.0, 5.0))}, given="qkv", scoring="dot"
    ),
    # ten rows of three as scores: what ten queries make of three one-hot keys
    "ten-rows": Problem({"q": TEN, "k": identity(3), "v": identity(3)}, given="qkv"),
    "ten": Problem(_alike(TEN)),
    "self": Problem(
        {
            "x": ((1.0, 0.5, 0.0, -0.5), (0.0, 1.0, 1.5, 0.5), (-1.0, 0.0, 0.5, 1.0)),
            "w_q": ((1.0, 0.0, 0.5), (0.0, 1.0, 0.0), (0.5, 0.0, -1.0), (0.0, 0.5, 1.0)),
            "w_k": ((0.5, 0.0, 1.0), (1.0, -0.5, 0.0), (0.0, 1.0, 0.5), (0.5, 0.0, -1.0)),
            "w_v": ((2.0, 0.0), (0.0, 1.0), (1.0, -1.0), (0.0, 3.0)),
        }
    ),
    "multi-head": Problem(_HEADS, heads=2, project=True, residual=True),
    "additive": Problem(
        {
            **_alike(identity(3)),
            "a_q": ((1.0, 0.0, -1.0), (0.0, 1.0, 0.5)),
            "a_k": ((0.5, -0.5, 0.0), (1.0, 0.0, -1.0)),
            "a_v": ((1.0, -2.0),),
        },
        scoring="additive",
    ),
    "decoder": Problem(_HEADS, heads=2, causal=True, positions="sinusoidal", project=True, residual=True),
}
"""The examples by name; the first one is what the page opens with."""

FIRST = next(iter(PRESETS))
