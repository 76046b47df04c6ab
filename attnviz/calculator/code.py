"""A problem as a PyTorch program that needs nothing but torch and gives the numbers of the page."""

from __future__ import annotations

from collections.abc import Iterator

from attnviz.calculator.parse import written
from attnviz.calculator.problem import VARIABLES, Matrix, Problem, shape

__all__ = ["program"]


def program(problem: Problem) -> str:
    """Return the lines of Python; run, they leave every stage under the name that `attnviz.calculator.stages` gives it.

    Example:
        >>> from attnviz.calculator.presets import PRESETS
        >>> print(program(PRESETS["one-hot"]).splitlines()[-2])
        result = output
    """
    parts = [
        ["import torch"],
        list(_tables(problem)),
        list(_project(problem)),
        list(_split(problem)),
        list(_score(problem)),
        list(_read(problem)),
        list(_finish(problem)),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _tables(problem: Problem) -> Iterator[str]:
    for name, matrix in problem.tables.items():
        rows, columns = shape(matrix)
        yield f"{VARIABLES[name]} = torch.tensor({_literal(matrix)})  # ({rows}, {columns})"


def _literal(matrix: Matrix) -> str:
    """Return a float in every row, so that torch makes no integers of it."""
    rows = ["[" + ", ".join(repr(value) for value in row) + "]" for row in matrix]
    short = "[" + ", ".join(rows) + "]"
    return short if len(short) < 80 else "[\n    " + ",\n    ".join(rows) + ",\n]"


def _project(problem: Problem) -> Iterator[str]:
    if problem.given != "x":
        return
    yield "x = X"
    if problem.positions == "learned":
        yield "x = X + P"
    if problem.positions == "sinusoidal":
        yield "T, d_model = X.shape"
        yield from _angles("T", "d_model")
        yield "x = X + torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)  # (T, d_model)"
    yield "Q, K, V = x @ W_Q, x @ W_K, x @ W_V  # (T, H * d)"


def _angles(length: str, width: str) -> Iterator[str]:
    yield f"rates = 10000.0 ** (-torch.arange(0, {width}, 2, dtype=torch.float64) / {width})"
    yield f"angles = torch.outer(torch.arange({length}, dtype=torch.float64), rates).float()"


def _split(problem: Problem) -> Iterator[str]:
    yield f"H = {problem.heads}"
    yield "q, k, v = (M.unflatten(-1, (H, -1)).transpose(0, 1).contiguous() for M in (Q, K, V))  # (H, T, d)"
    if problem.positions == "rotary":
        yield ""
        yield ""
        yield "def rotate(m):"
        yield "    _, T, d = m.shape"
        yield from (f"    {line}" for line in _angles("T", "d"))
        yield "    cos, sin, even, odd = angles.cos(), angles.sin(), m[..., 0::2], m[..., 1::2]"
        yield "    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)"
        yield ""
        yield ""
        yield "q, k = rotate(q), rotate(k)"


def _score(problem: Problem) -> Iterator[str]:
    if problem.scoring == "additive":
        yield "inside = (q @ A_q.T)[:, :, None] + (k @ A_k.T)[:, None]  # (H, Tq, Tk, d_att)"
        yield "scores = torch.tanh(inside) @ A_v[0]  # (H, Tq, Tk)"
    else:
        yield "scores = q @ k.transpose(-2, -1)  # (H, Tq, Tk)"
    natural = "q.shape[-1] ** -0.5" if problem.scoring == "scaled_dot" else "1.0"
    scale = natural if problem.scale is None else written(problem.scale)
    scale += "" if problem.temperature == 1 else f" / {written(problem.temperature)}"
    yield f"scaled = scores * ({scale})" if " " in scale else f"scaled = scores * {scale}"
    yield "masked = scaled"
    if problem.causal or problem.window is not None:
        yield "i, j = torch.arange(q.shape[1])[:, None], torch.arange(k.shape[1])"
    if problem.causal:
        yield 'masked = masked.masked_fill(j > i, float("-inf"))'
    if problem.window is not None:
        yield f'masked = masked.masked_fill((i - j).abs() >= {problem.window}, float("-inf"))'
    if problem.padding:
        yield f'masked = masked.index_fill(-1, torch.tensor({list(problem.padding)}), float("-inf"))'


def _read(problem: Problem) -> Iterator[str]:
    masks = problem.causal or problem.window is not None or bool(problem.padding)
    if masks:
        yield "weights = torch.softmax(masked, dim=-1).nan_to_num(0.0)  # a row without keys reads nothing"
    else:
        yield "weights = torch.softmax(masked, dim=-1)"
    yield "context = weights @ v  # (H, Tq, d_v)"


def _finish(problem: Problem) -> Iterator[str]:
    yield "output = context.transpose(0, 1).flatten(1)  # (Tq, H * d_v)"
    if problem.project:
        yield "output = output @ W_O"
    yield "result = x + output" if problem.residual else "result = output"
    pool = {"mean": "result.mean(0)", "max": "result.amax(0)", "last": "result[-1]"}.get(problem.pooling)
    if pool is not None:
        yield f"pooled = {pool}"
    yield "print(weights, result, sep='\\n')" if pool is None else "print(weights, result, pooled, sep='\\n')"
