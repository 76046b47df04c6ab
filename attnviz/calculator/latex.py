r"""The formulas of one query and one key, in letters and with the numbers substituted, as LaTeX.

Queries are blue, keys vermilion, values green, as everywhere. Long sums and wide vectors are cut in the middle.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch import Tensor

from attnviz.calculator.problem import Problem
from attnviz.calculator.solve import pooled, stages, worked
from attnviz.trace import Trace

__all__ = ["Step", "number", "steps", "vector"]

WIDE = 5  # numbers of a vector, rows of a matrix, terms of a sum that are written out
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"


class Step(NamedTuple):
    """One step of the calculation.

    Attributes:
        name: "input", "project", "rotate", "scores", "scale", "mask", "softmax", "context", "output", "residual" or
            "pool".
        lines: lines of LaTeX.
    """

    name: str
    lines: tuple[str, ...]


def number(value: float) -> str:
    """Three significant digits.

    Example:
        >>> number(0.57612), number(-0.0), number(float("-inf")), number(1.5e-7)
        ('0.576', '0', '-\\\\infty', '1.5 \\\\cdot 10^{-7}')
    """
    if math.isinf(value):
        return "\\infty" if value > 0 else "-\\infty"
    text = f"{value:.3g}"
    if "e" in text:
        digits, power = text.split("e")
        return f"{digits} \\cdot 10^{{{int(power)}}}"
    return "0" if text == "-0" else text


def _factor(value: float) -> str:
    text = number(value)
    return f"({text})" if value < 0 or "cdot" in text else text


def _cut(items: Sequence[str], dots: str = "\\cdots") -> list[str]:
    """Return the first ones, dots, and the last one."""
    return list(items) if len(items) <= WIDE else [*items[: WIDE - 2], dots, items[-1]]


def vector(values: Sequence[float]) -> str:
    """Return a row of numbers."""
    return "\\begin{pmatrix}" + " & ".join(_cut([number(value) for value in values])) + "\\end{pmatrix}"


def _matrix(rows: Sequence[Sequence[float]]) -> str:
    lines = [" & ".join(_cut([number(value) for value in row])) for row in rows]
    width = min(len(rows[0]), WIDE)
    return "\\begin{pmatrix}" + " \\\\ ".join(_cut(lines, " & ".join(["\\vdots"] * width))) + "\\end{pmatrix}"


def _sum(terms: Sequence[str]) -> str:
    return " + ".join(_cut(terms))


def _colour(colour: str, letter: str) -> str:
    return f"\\textcolor{{{colour}}}{{{letter}}}"


def _q(i: int) -> str:
    return _colour(BLUE, f"q_{{{i}}}")


def _k(j: int) -> str:
    return _colour(VERMILION, f"k_{{{j}}}")


def _v(j: int) -> str:
    return _colour(GREEN, f"v_{{{j}}}")


def steps(trace: Trace, head: int, query: int, key: int) -> list[Step]:
    """Return all steps of a trace from `solve` for one head, one query and one key, each with its numbers.

    Example:
        >>> from attnviz.calculator import PRESETS, solve
        >>> [step.name for step in steps(solve(PRESETS["one-hot"]), 0, 0, 0)]
        ['input', 'project', 'scores', 'scale', 'softmax', 'context']
    """
    return list(_Formulas(trace, head, query, key).steps())


class _Formulas:
    """The numbers of one head, and the two positions, counted from 1 in the formulas."""

    def __init__(self, trace: Trace, head: int, query: int, key: int) -> None:
        self.problem: Problem = worked(trace).problem
        self.by_hand = worked(trace)
        self.head, self.query, self.key = head, query, key
        self.i, self.j = query + 1, key + 1
        found = stages(trace)
        self.moved = self.problem.positions in ("sinusoidal", "learned")  # positions are added to X
        self.turned = self.problem.positions == "rotary"
        self.of_head = {name: t[head] for name, t in found.items() if t.dim() == 3}
        self.whole = found

    def x(self, i: int) -> str:
        """Return what the layer reads of token i, from 1: its row of X, plus its position where one is added."""
        return f"(x_{{{i}}} + p_{{{i}}})" if self.moved else f"x_{{{i}}}"

    def q(self) -> str:
        """Return the query as it is scored, turned by its position where positions are rotary."""
        return f"R_{{{self.query}}} {_q(self.i)}" if self.turned else _q(self.i)

    def k(self) -> str:
        """Return the key as it is scored."""
        return f"R_{{{self.key}}} {_k(self.j)}" if self.turned else _k(self.j)

    def row(self, name: str, index: int) -> list[float]:
        """One row of a stage of this head."""
        values: list[float] = self.of_head[name][index].tolist()
        return values

    def steps(self) -> Iterator[Step]:
        problem = self.problem
        if problem.given == "x":
            yield Step("input", tuple(self.input()))
            yield Step("project", tuple(self.project()))
        if self.turned:
            yield Step("rotate", tuple(self.rotate()))
        yield Step("scores", tuple(self.scores()))
        yield Step("scale", tuple(self.scale()))
        if problem.causal or problem.window is not None or problem.padding:
            yield Step("mask", tuple(self.mask()))
        yield Step("softmax", tuple(self.softmax()))
        yield Step("context", tuple(self.context()))
        if problem.project or problem.heads > 1:
            yield Step("output", tuple(self.output()))
        if problem.residual:
            yield Step("residual", tuple(self.residual()))
        if problem.pooling != "attention":
            yield Step("pool", tuple(self.pool()))

    def input(self) -> Iterator[str]:
        given, read = self.problem.tables["x"][self.query], self.whole["x"][self.query].tolist()
        if self.moved:
            added = [b - a for a, b in zip(given, read, strict=True)]
            yield f"x_{{{self.i}}} + p_{{{self.i}}} = {vector(given)} + {vector(added)} = {vector(read)}"
        else:
            yield f"x_{{{self.i}}} = {vector(read)}"
        if self.problem.positions == "sinusoidal":
            yield (
                f"p_{{t,2m}} = \\sin\\frac{{t}}{{10000^{{2m/{len(given)}}}}}, \\quad "
                f"p_{{t,2m+1}} = \\cos\\frac{{t}}{{10000^{{2m/{len(given)}}}}}, \\quad t = {self.query}"
            )

    def project(self) -> Iterator[str]:
        """q of the query, k and v of the key, each through the head's own columns."""
        x = self.whole["x"]
        for letter, name, at, width in (
            (_q(self.i), "q", self.query, self.problem.d_k),
            (_k(self.j), "k", self.key, self.problem.d_k),
            (_v(self.j), "v", self.key, self.problem.d_v),
        ):
            columns = slice(self.head * width, (self.head + 1) * width)
            matrix = [row[columns] for row in self.problem.tables[f"w_{name}"]]
            share = f"^{{({self.head + 1})}}" if self.problem.heads > 1 else ""
            row = x[at].tolist()
            projected = [
                math.fsum(a * b for a, b in zip(row, column, strict=True)) for column in zip(*matrix, strict=True)
            ]
            letters = f"{letter} = {self.x(at + 1)} W_{name.upper()}{share}"
            yield f"{letters} = {vector(row)} {_matrix(matrix)} = {vector(projected)}"

    def rotate(self) -> Iterator[str]:
        width = self.problem.d_k
        yield f"\\theta_{{t,m}} = t \\cdot 10000^{{-2m/{width}}}, \\quad t = 0, 1, 2, \\dots"
        yield f"{self.q()} = {vector(self.row('q', self.query))}"
        yield f"{self.k()} = {vector(self.row('k', self.key))}"

    def scores(self) -> Iterator[str]:
        q, k = self.row("q", self.query), self.row("k", self.key)
        score = number(self.row("scores", self.query)[self.key])
        s = f"s_{{{self.i},{self.j}}}"
        if self.problem.scoring != "additive":
            terms = [f"{_factor(a)} \\cdot {_factor(b)}" for a, b in zip(q, k, strict=True)]
            pair = f"({self.q()}) \\cdot ({self.k()})" if self.turned else f"{self.q()} \\cdot {self.k()}"
            yield f"{s} = {pair} = {_sum(terms)} = {score}"
            return
        tables = self.problem.tables
        asked = [math.fsum(a * b for a, b in zip(row, q, strict=True)) for row in tables["a_q"]]
        read = [math.fsum(a * b for a, b in zip(row, k, strict=True)) for row in tables["a_k"]]
        inside = [a + b for a, b in zip(asked, read, strict=True)]
        bent = [math.tanh(value) for value in inside]
        yield f"{s} = w_v^\\top \\tanh(W_q\\, {self.q()} + W_k\\, {self.k()})"
        yield f"W_q\\, {self.q()} = {vector(asked)}, \\quad W_k\\, {self.k()} = {vector(read)}"
        yield f"\\tanh{vector(inside)} = {vector(bent)}"
        terms = [f"{_factor(a)} \\cdot {_factor(b)}" for a, b in zip(tables["a_v"][0], bent, strict=True)]
        yield f"{s} = {_sum(terms)} = {score}"

    def scale(self) -> Iterator[str]:
        problem = self.problem
        raw, scaled = self.row("scores", self.query)[self.key], self.row("scaled", self.query)[self.key]
        s = f"s_{{{self.i},{self.j}}}"
        letters, numbers = s, _factor(raw)
        if problem.scale is not None:
            letters, numbers = f"c \\cdot {letters}", f"{_factor(problem.scale)} \\cdot {numbers}"
        elif problem.scoring == "scaled_dot":
            letters, numbers = (
                f"\\frac{{{letters}}}{{\\sqrt{{d_k}}}}",
                f"\\frac{{{number(raw)}}}{{\\sqrt{{{problem.d_k}}}}}",
            )
        if problem.temperature != 1:
            letters, numbers = (
                f"\\frac{{1}}{{\\tau}} {letters}",
                f"\\frac{{1}}{{{number(problem.temperature)}}} \\cdot {numbers}",
            )
        if letters == s:
            yield f"s'_{{{self.i},{self.j}}} = {s} = {number(scaled)}"
        else:
            yield f"s'_{{{self.i},{self.j}}} = {letters} = {numbers} = {number(scaled)}"

    def mask(self) -> Iterator[str]:
        before, after = self.row("scaled", self.query), self.row("masked", self.query)
        yield f"s'_{{{self.i}}} = {vector(before)} \\;\\longrightarrow\\; {vector(after)}"

    def softmax(self) -> Iterator[str]:
        masked, weights = self.row("masked", self.query), self.row("weights", self.query)
        w = f"w_{{{self.i},{self.j}}}"
        if not any(weights):
            yield f"{w} = 0"
            return
        powers = [f"e^{{{number(value)}}}" for value in masked]
        letters = f"\\frac{{e^{{s'_{{{self.i},{self.j}}}}}}}{{\\sum_{{j}} e^{{s'_{{{self.i},j}}}}}}"
        yield f"{w} = {letters} = \\frac{{{powers[self.key]}}}{{{_sum(powers)}}} = {number(weights[self.key])}"
        total = f"\\textstyle\\sum_j w_{{{self.i},j}} = {number(math.fsum(weights))}"
        yield f"w_{{{self.i}}} = {vector(weights)}, \\quad {total}"

    def context(self) -> Iterator[str]:
        weights = self.row("weights", self.query)
        values = [vector(self.row("v", j)) for j in range(len(weights))]
        terms = [f"{number(w)} {v}" for w, v in zip(weights, values, strict=True)]
        letters = f"c_{{{self.i}}} = \\sum_j w_{{{self.i},j}} {_colour(GREEN, 'v_j')}"
        yield f"{letters} = {_sum(terms)} = {vector(self.row('context', self.query))}"

    def output(self) -> Iterator[str]:
        context, output = self.by_hand.context[self.query].tolist(), self.by_hand.output[self.query].tolist()
        heads = range(1, self.problem.heads + 1)
        joined = ", ".join(_cut([f"c_{{{self.i}}}^{{({h})}}" for h in heads], "\\dots"))
        letters = f"[{joined}]" if self.problem.heads > 1 else f"c_{{{self.i}}}"
        if self.problem.project:
            product = f"{vector(context)} {_matrix(self.problem.tables['w_o'])}"
            yield f"o_{{{self.i}}} = {letters} W_O = {product} = {vector(output)}"
        else:
            yield f"o_{{{self.i}}} = {letters} = {vector(output)}"

    def residual(self) -> Iterator[str]:
        x = self.whole["x"][self.query].tolist()
        output, result = self.by_hand.output[self.query].tolist(), self.by_hand.result[self.query].tolist()
        o = "o" if self.problem.project or self.problem.heads > 1 else "c"
        letters = f"y_{{{self.i}}} = {self.x(self.i)} + {o}_{{{self.i}}}"
        yield f"{letters} = {vector(x)} + {vector(output)} = {vector(result)}"

    def pool(self) -> Iterator[str]:
        how, n = self.problem.pooling, self.problem.n_queries
        last = "y" if self.problem.residual else "o" if self.problem.project or self.problem.heads > 1 else "c"
        letters = {
            "mean": f"\\frac{{1}}{{{n}}} \\sum_{{i=1}}^{{{n}}} {last}_i",
            "max": f"\\max_{{i}} {last}_i",
            "last": f"{last}_{{{n}}}",
        }[how]
        one: Tensor = getattr(pooled(self.by_hand.result), how)
        yield f"{letters} = {vector(one.tolist())}"
