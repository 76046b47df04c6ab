"""Problem of the calculator: typed tables and the choices beside them.

Shape legend
    T       tokens           Tq, Tk  queries and keys, where q, k and v are typed directly
    H       heads            d_model width of a token
    d_k     width of one head's queries and keys        d_v  width of one head's values
    d_att   width inside the additive scoring function  d_out  width after W_O
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from attnviz.errors import OddWidth, ShapesDoNotFit, TableEmpty, ValueOutside

__all__ = ["CHOICES", "LIMITS", "SIDE", "TITLES", "VARIABLES", "Matrix", "Problem", "shape", "used_tables"]

Matrix = tuple[tuple[float, ...], ...]

TITLES: Mapping[str, str] = {
    "x": "X",
    "w_q": "W_Q",
    "w_k": "W_K",
    "w_v": "W_V",
    "q": "Q",
    "k": "K",
    "v": "V",
    "p": "P",
    "a_q": "W_q",
    "a_k": "W_k",
    "a_v": "w_v",
    "w_o": "W_O",
}
"""All tables, and how each is written: a_q, a_k and a_v are the parameters of the additive scoring function."""

VARIABLES: Mapping[str, str] = {**TITLES, "a_q": "A_q", "a_k": "A_k", "a_v": "A_v"}
"""What stands for each table in code and in links, where W_q beside W_Q would mislead."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "given": ("x", "qkv"),
    "scoring": ("dot", "scaled_dot", "additive"),
    "positions": ("none", "sinusoidal", "learned", "rotary"),
    "pooling": ("attention", "mean", "max", "last"),
}
"""What each choice can be."""

SIDE = 64
"""Rows and columns that a table may have."""

LIMITS: Mapping[str, tuple[float, float]] = {"scale": (-1000.0, 1000.0), "temperature": (0.01, 100.0)}
"""Range of each number beside the tables."""


@dataclass(frozen=True)
class Problem:
    """One attention layer in numbers.

    Attributes:
        tables: tables by name, see TITLES; those that the choices do not use are dropped.
        given: "x": X (T, d_model), w_q and w_k (d_model, H * d_k), w_v (d_model, H * d_v);
            "qkv": q (Tq, H * d_k), k (Tk, H * d_k), v (Tk, H * d_v).
        scoring: "dot", "scaled_dot" or "additive", the last with a_q and a_k (d_att, d_k) and a_v (1, d_att).
        causal: a query reads keys at its own position and before.
        window: a query reads keys fewer than so many positions away; None: no such rule.
        padding: positions of keys that nobody may read, from 0.
        scale: what scores are multiplied by; None: 1 / sqrt(d_k) for the scaled dot product, 1 for the others.
        temperature: temperature that scaled scores are divided by.
        heads: H; each has its share of the columns, in order.
        positions: "none"; "sinusoidal" and "learned" (p: (T, d_model)) are added to X; "rotary" turns q and k.
        pooling: "attention": one vector per query; "mean", "max", "last": of these, one for the sequence.
        project: whether w_o (H * d_v, d_out) follows.
        residual: whether X is added to the result.

    Raises:
        CalculatorError: the tables do not go together; the message names two of them and both shapes.

    Example:
        >>> eye = ((1.0, 0.0), (0.0, 1.0))
        >>> Problem({"q": eye, "k": eye, "v": eye}, given="qkv").d_k
        2
    """

    tables: Mapping[str, Matrix]
    given: str = "x"
    scoring: str = "scaled_dot"
    causal: bool = False
    window: int | None = None
    padding: tuple[int, ...] = ()
    scale: float | None = None
    temperature: float = 1.0
    heads: int = 1
    positions: str = "none"
    pooling: str = "attention"
    project: bool = False
    residual: bool = False

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ValueOutside(name, str(value), ", ".join(choices))
        if self.given == "qkv" and self.positions in ("sinusoidal", "learned"):
            raise ValueOutside("positions", self.positions, "none, rotary (Q, K, V)")
        if self.given == "qkv" and self.residual:
            raise ValueOutside("residual", "X", "none (Q, K, V)")
        used = used_tables(self.given, self.scoring, self.positions, self.project)
        for name in used:
            if not self.tables.get(name):
                raise TableEmpty(TITLES[name])
        object.__setattr__(self, "tables", {name: self.tables[name] for name in used})
        self._check_numbers()
        self._check_shapes()
        self._check_pairs()

    def _check_numbers(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueOutside(name, f"{value:g}", f"{low:g} – {high:g}")
        if self.window is not None and not 1 <= self.window <= SIDE:
            raise ValueOutside("window", str(self.window)[:40], f"1 – {SIDE}")
        outside = [j for j in self.padding if not 0 <= j < self.n_keys]
        if outside:
            raise ValueOutside("padding", str(outside[0] + 1)[:40], f"1 – {self.n_keys}")
        if len(set(self.padding)) < len(self.padding):
            object.__setattr__(self, "padding", tuple(dict.fromkeys(self.padding)))
        for name in ("q", "v"):
            width = self._width(name)
            if self.heads < 1 or width % self.heads:
                table = TITLES[name if self.given == "qkv" else f"w_{name}"]
                raise ValueOutside("H", str(self.heads)[:40], f"{table}: {width} = H × d_{'k' if name == 'q' else 'v'}")

    def _check_shapes(self) -> None:
        """Every pair of tables that share a size."""
        if self.given == "x":
            for name in ("w_q", "w_k", "w_v"):
                self._same("x", 1, name, 0, f"X: T × d_model, {TITLES[name]}: d_model × H·d")
            self._same("w_q", 1, "w_k", 1, "W_Q, W_K: d_model × H·d_k")
        else:
            self._same("q", 1, "k", 1, "Q: Tq × H·d_k, K: Tk × H·d_k")
            self._same("k", 0, "v", 0, "K: Tk × H·d_k, V: Tk × H·d_v")
        if self.positions == "learned":
            for axis in (0, 1):
                self._same("x", axis, "p", axis, "X, P: T × d_model")
        if self.scoring == "additive":
            key = "k" if self.given == "qkv" else "w_k"
            for name in ("a_q", "a_k"):
                if shape(self.tables[name])[1] != self.d_k:
                    self._refuse(name, key, f"{TITLES[name]}: d_att × d_k, {TITLES[key]}: … × H·d_k, H = {self.heads}")
            self._same("a_q", 0, "a_k", 0, "W_q, W_k: d_att × d_k")
            self._same("a_v", 1, "a_k", 0, "w_v: 1 × d_att, W_k: d_att × d_k")
            if len(self.tables["a_v"]) != 1:
                self._refuse("a_v", "a_k", "w_v: 1 × d_att, W_k: d_att × d_k")
        value = "v" if self.given == "qkv" else "w_v"
        if self.project:
            self._same(value, 1, "w_o", 0, f"{TITLES[value]}: … × H·d_v, W_O: H·d_v × d_out")
        if self.residual:
            last = "w_o" if self.project else value
            self._same("x", 1, last, 1, f"X + …: X: T × d_model, {TITLES[last]}: … × d_model")

    def _check_pairs(self) -> None:
        if self.positions == "sinusoidal" and self._columns("x") % 2:
            raise OddWidth(self.positions, "d_model", self._columns("x"))
        if self.positions == "rotary" and self.d_k % 2:
            raise OddWidth(self.positions, "d_k", self.d_k)

    def _same(self, first: str, first_axis: int, second: str, second_axis: int, rule: str) -> None:
        if shape(self.tables[first])[first_axis] != shape(self.tables[second])[second_axis]:
            self._refuse(first, second, rule)

    def _refuse(self, first: str, second: str, rule: str) -> None:
        shapes = [" × ".join(map(str, shape(self.tables[name]))) for name in (first, second)]
        raise ShapesDoNotFit(TITLES[first], shapes[0], TITLES[second], shapes[1], rule)

    def _columns(self, name: str) -> int:
        return shape(self.tables[name])[1]

    def _width(self, name: str) -> int:
        """Return the columns of Q, K or V over all heads."""
        return self._columns(name if self.given == "qkv" else f"w_{name}")

    @property
    def n_queries(self) -> int:
        """Tq."""
        return len(self.tables["q" if self.given == "qkv" else "x"])

    @property
    def n_keys(self) -> int:
        """Tk."""
        return len(self.tables["k" if self.given == "qkv" else "x"])

    @property
    def d_k(self) -> int:
        """Width of one head's queries and keys."""
        return self._width("q") // self.heads

    @property
    def d_v(self) -> int:
        """Width of one head's values."""
        return self._width("v") // self.heads

    @property
    def steps(self) -> list[str]:
        """Return the steps that are worked out, in order.

        Example:
            >>> eye = ((1.0, 0.0), (0.0, 1.0))
            >>> Problem({"q": eye, "k": eye, "v": eye}, given="qkv").steps
            ['scores', 'scale', 'softmax', 'context']
        """
        has = {
            **dict.fromkeys(("input", "project"), self.given == "x"),
            "rotate": self.positions == "rotary",
            **dict.fromkeys(("scores", "scale"), True),
            "mask": self.causal or self.window is not None or bool(self.padding),
            **dict.fromkeys(("softmax", "context"), True),
            "output": self.project or self.heads > 1,
            "residual": self.residual,
            "pool": self.pooling != "attention",
        }
        return [step for step, there in has.items() if there]

    @property
    def multiplier(self) -> float:
        """Factor of raw scores: scale / temperature."""
        natural = self.d_k**-0.5 if self.scoring == "scaled_dot" else 1.0
        return (natural if self.scale is None else self.scale) / self.temperature


def used_tables(given: str, scoring: str, positions: str, project: bool) -> list[str]:
    """Return the tables that these choices use, in the order in which they are read."""
    used = ["x", "w_q", "w_k", "w_v"] if given == "x" else ["q", "k", "v"]
    used += ["p"] if positions == "learned" else []
    used += ["a_q", "a_k", "a_v"] if scoring == "additive" else []
    return used + (["w_o"] if project else [])


def shape(matrix: Matrix) -> tuple[int, int]:
    """Return the rows and columns."""
    return len(matrix), len(matrix[0]) if matrix else 0
