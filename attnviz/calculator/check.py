"""The same problem computed a second time, in another way: NumPy, float64, one query after the other.

Nothing here is shared with `attnviz.attention` or `attnviz.positions`: a slip there cannot repeat itself here.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnviz.calculator.problem import Problem

__all__ = ["check"]

Array = NDArray[np.float64]


def check(problem: Problem) -> tuple[Tensor, Tensor]:
    """Context of every head, and what W_O makes of all of them.

    Returns:
        (context (H, Tq, d_v), output (Tq, d_out)), float64. Without W_O the output is the heads side by side.
    """
    table = {name: np.array(rows, dtype=np.float64) for name, rows in problem.tables.items()}
    if problem.given == "x":
        x = table["x"].copy()
        if problem.positions == "sinusoidal":
            x += _sinusoidal(*x.shape)
        if problem.positions == "learned":
            x += table["p"]
        q, k, v = (np.einsum("tm,md->td", x, table[name]) for name in ("w_q", "w_k", "w_v"))
    else:
        q, k, v = table["q"], table["k"], table["v"]
    context = np.stack([_head(problem, table, q, k, v, head) for head in range(problem.heads)])
    side_by_side = np.concatenate(list(context), axis=1)  # (Tq, H * d_v)
    output = np.einsum("tm,md->td", side_by_side, table["w_o"]) if problem.project else side_by_side
    return torch.from_numpy(context), torch.from_numpy(output)


def _head(problem: Problem, table: dict[str, Array], q: Array, k: Array, v: Array, head: int) -> Array:
    d_k, d_v = problem.d_k, problem.d_v
    own, read = slice(head * d_k, (head + 1) * d_k), slice(head * d_v, (head + 1) * d_v)
    q, k, v = q[:, own], k[:, own], v[:, read]
    if problem.positions == "rotary":
        q, k = _turned(q), _turned(k)
    context = np.zeros((len(q), d_v))
    for i in range(len(q)):
        keys = [j for j in range(len(k)) if _may_read(problem, i, j)]
        if keys:
            scores = _scores(problem, table, q[i], k[keys])
            powers = np.exp(scores - scores.max())
            context[i] = (powers[:, None] * v[keys]).sum(0) / powers.sum()
    return context


def _may_read(problem: Problem, i: int, j: int) -> bool:
    late = problem.causal and j > i
    far = problem.window is not None and abs(i - j) >= problem.window
    return not late and not far and j not in problem.padding


def _scores(problem: Problem, table: dict[str, Array], q: Array, k: Array) -> Array:
    """Return the scaled scores of one query (d_k,) with some keys (n, d_k)."""
    if problem.scoring == "additive":
        asked = (table["a_q"] * q).sum(1)  # (d_att,)
        read = (k[:, None] * table["a_k"]).sum(2)  # (n, 1, d_k) * (d_att, d_k) -> (n, d_att)
        scores = (table["a_v"][0] * np.tanh(asked + read)).sum(1)
    else:
        scores = (q * k).sum(1)
    if problem.scale is not None:
        scores = scores * problem.scale
    elif problem.scoring == "scaled_dot":
        scores = scores / math.sqrt(problem.d_k)
    scaled: Array = scores / problem.temperature
    return scaled


def _sinusoidal(n_positions: int, width: int) -> Array:
    """sin and cos of t / 10000^(2i / width), by turns."""
    rows = [[_wave(t, d, width) for d in range(width)] for t in range(n_positions)]
    return np.array(rows, dtype=np.float64)


def _wave(t: int, d: int, width: int) -> float:
    angle = t / 10000 ** ((d - d % 2) / width)
    return math.cos(angle) if d % 2 else math.sin(angle)


def _turned(rows: Array) -> Array:
    """Return each pair of columns, as a complex number, turned by the angle of its row."""
    width = rows.shape[1]
    angles = [[t / 10000 ** (2 * i / width) for i in range(width // 2)] for t in range(len(rows))]
    turned = (rows[:, 0::2] + 1j * rows[:, 1::2]) * np.exp(1j * np.array(angles))
    return np.stack([turned.real, turned.imag], axis=-1).reshape(rows.shape)
