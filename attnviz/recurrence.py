"""Recurrent cells step by step: the gates and states behind the fused layers, one step of time after the other.

Shape legend
    T  steps of time    d_in  width of what is read    d  width of a state

Weights stand as PyTorch keeps them: one matrix for all gates below each other, w_ih (G d, d_in) and w_hh (G d, d), with
G = 1 for an RNN, 3 for a GRU and 4 for an LSTM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["STEPS", "CellWeights", "gru_states", "lstm_states", "rnn_states"]


class CellWeights(NamedTuple):
    """The weights of one layer in one direction: w_ih (G d, d_in), w_hh (G d, d), b_ih (G d,), b_hh (G d,)."""

    w_ih: Tensor
    w_hh: Tensor
    b_ih: Tensor
    b_hh: Tensor


def rnn_states(x: Tensor, h: Tensor, weights: CellWeights) -> dict[str, Tensor]:
    """Return a simple recurrent network: h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh).

    Args:
        x: what is read (T, d_in).
        h: the state before (d,).
        weights: weights of the layer, G = 1.

    Returns:
        "hidden": the states (T, d), between -1 and 1.

    Source:
        Elman 1990, "Finding Structure in Time".

    Example:
        >>> one = torch.ones(1, 1)
        >>> states = rnn_states(one, torch.zeros(1), CellWeights(one, one, torch.zeros(1), torch.zeros(1)))
        >>> round(float(states["hidden"]), 4)
        0.7616
    """
    read = x @ weights.w_ih.T + weights.b_ih  # (T, d)
    hidden = []
    for part in read:
        h = torch.tanh(part + weights.w_hh @ h + weights.b_hh)
        hidden.append(h)
    return {"hidden": torch.stack(hidden)}


def lstm_states(x: Tensor, h: Tensor, weights: CellWeights) -> dict[str, Tensor]:
    """Compute the states of a long short-term memory, from an empty cell:

        i, f, o = sigmoid(W x_t + U h_{t-1} + b)  each with its own W, U, b
        g = tanh(W_g x_t + U_g h_{t-1} + b_g)
        c_t = f * c_{t-1} + i * g          h_t = o * tanh(c_t)

    Args:
        x: what is read (T, d_in).
        h: the state before (d,).
        weights: weights of the layer, G = 4: input gate, forget gate, candidate, output gate.

    Returns:
        "input", "forget", "output": gates from 0 to 1; "candidate": g; "cell": c; "hidden": h; each (T, d).

    Source:
        Hochreiter and Schmidhuber 1997, "Long Short-Term Memory"; the forget gate: Gers et al. 2000, "Learning to
        Forget".
    """
    read = x @ weights.w_ih.T + weights.b_ih  # (T, 4 d)
    cell = torch.zeros_like(h)
    steps = []
    for part in read:
        i, f, g, o = (part + weights.w_hh @ h + weights.b_hh).chunk(4)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        cell = f * cell + i * g
        h = o * torch.tanh(cell)
        steps.append((i, f, o, g, cell, h))
    return _named(("input", "forget", "output", "candidate", "cell", "hidden"), steps)


def gru_states(x: Tensor, h: Tensor, weights: CellWeights) -> dict[str, Tensor]:
    """Return a gated recurrent unit:

        r, z = sigmoid(W x_t + b + U h_{t-1} + b')  each with its own W, U, b, b'
        n = tanh(W_n x_t + b_n + r * (U_n h_{t-1} + b'_n))
        h_t = (1 - z) * n + z * h_{t-1}

    Args:
        x: what is read (T, d_in).
        h: the state before (d,).
        weights: weights of the layer, G = 3: reset gate, update gate, candidate.

    Returns:
        "reset", "update": gates from 0 to 1; "candidate": n; "hidden": h; each (T, d).

    Source:
        Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
        Translation", eq. 5 to 8, with the reset gate after the product, as PyTorch and cuDNN have it.
    """
    read = x @ weights.w_ih.T + weights.b_ih  # (T, 3 d)
    steps = []
    for part in read:
        r_in, z_in, n_in = part.chunk(3)
        r_back, z_back, n_back = (weights.w_hh @ h + weights.b_hh).chunk(3)
        r, z = torch.sigmoid(r_in + r_back), torch.sigmoid(z_in + z_back)
        n = torch.tanh(n_in + r * n_back)
        h = (1 - z) * n + z * h
        steps.append((r, z, n, h))
    return _named(("reset", "update", "candidate", "hidden"), steps)


STEPS: Mapping[str, Callable[[Tensor, Tensor, CellWeights], dict[str, Tensor]]] = {
    "rnn": rnn_states,
    "lstm": lstm_states,
    "gru": gru_states,
}
"""The function of each cell."""


def _named(names: tuple[str, ...], steps: Sequence[tuple[Tensor, ...]]) -> dict[str, Tensor]:
    return {name: torch.stack(column) for name, column in zip(names, zip(*steps, strict=True), strict=True)}
