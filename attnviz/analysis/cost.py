"""What a layer costs: attention against recurrence, computed from sizes, and measured on this machine.

Shape legend
    T  tokens of one sequence        d  width (d_model)        H  heads

One multiplication and one addition are two operations (FLOPs); numbers take 4 bytes (float32).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from threading import Lock
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from attnviz.errors import MeasuringBusy
from attnviz.models.config import ModelConfig
from attnviz.models.layers import Attention, Masking

__all__ = [
    "LAYERS",
    "MEASURED",
    "Layer",
    "Measurement",
    "Measurements",
    "attention_flops",
    "attention_memory",
    "crossing",
    "flops",
    "measure",
    "memory",
    "recurrent_flops",
    "recurrent_memory",
    "sequential_steps",
]

Layer = Literal["attention", "rnn", "gru", "lstm"]
LAYERS: tuple[Layer, ...] = get_args(Layer)

GATES: Mapping[Layer, int] = {"rnn": 1, "gru": 3, "lstm": 4}
"""Products of a recurrent cell with its input, and as many with its state, in each step."""
STATES: Mapping[Layer, int] = {"rnn": 1, "gru": 1, "lstm": 2}
"""Vectors that a cell hands on to its next step."""
MODULES: Mapping[Layer, Callable[..., nn.Module]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}

BYTES = 4
MEASURED = (16, 32, 64, 128, 256, 512)
"""Lengths that are measured."""
SECONDS = 1.5  # that measuring takes, but for the round in which it ends
MOST_ROUNDS = 25
MATRIX = 256  # rows and columns of the product that tells how fast this machine can be

_measuring = Lock()


def attention_flops(n_tokens: int, d: int) -> int:
    """Operations of one layer of self-attention: 8 T d^2 + 4 T^2 d.

    The four projections (W_Q, W_K, W_V, W_O) take 4 * 2 T d^2; the scores of all heads 2 T^2 d, and the weighted values
    as much. The number of heads does not matter: each is d / H wide. Softmax, scale and biases are left out: H T^2 and
    T d operations, few beside these.

    Args:
        n_tokens: T.
        d: width.

    Source:
        Vaswani et al. 2017, table 1: O(T^2 d) for each layer, here with the projections.

    Example:
        >>> attention_flops(10, 4) == 4 * 2 * 10 * 4**2 + 2 * 2 * 10**2 * 4
        True
    """
    return 8 * n_tokens * d**2 + 4 * n_tokens**2 * d


def recurrent_flops(layer: Layer, n_tokens: int, d: int) -> int:
    """Operations of one recurrent layer: 4 g T d^2, with g = 1 (RNN), 3 (GRU), 4 (LSTM).

    Each of the T steps multiplies the input and the state, both d wide, by g matrices (d, d) each; gates, biases and
    tanh are left out: of the order of g T d.

    Args:
        layer: "rnn", "gru" or "lstm".
        n_tokens: T.
        d: width of input and state.

    Source:
        Vaswani et al. 2017, table 1: O(T d^2) for each layer; the cells as in Hochreiter & Schmidhuber 1997 (LSTM) and
        Cho et al. 2014 (GRU).
    """
    return 4 * GATES[layer] * n_tokens * d**2


def flops(layer: Layer, n_tokens: int, d: int) -> int:
    """Operations of a layer on one sequence: see `attention_flops` and `recurrent_flops`."""
    return attention_flops(n_tokens, d) if layer == "attention" else recurrent_flops(layer, n_tokens, d)


def attention_memory(n_tokens: int, d: int, n_heads: int) -> int:
    """Bytes of all that can be looked at in a layer of self-attention, of one sequence: 4 (H T^2 + 5 T d).

    The weights of every head (T^2 each), queries, keys, values, contexts and outputs (T d each). What the layer takes
    while it runs is another number: fused kernels hold a part of the weights at a time, plain ones scores and weights.

    Args:
        n_tokens: T.
        d: width.
        n_heads: H.
    """
    return BYTES * (n_heads * n_tokens**2 + 5 * n_tokens * d)


def recurrent_memory(layer: Layer, n_tokens: int, d: int) -> int:
    """Bytes of all that can be looked at in a recurrent layer, of one sequence: 4 (T d + s d), s = 1, or 2 (LSTM).

    Its outputs, and the state that it hands on. What the layer takes while it runs is another number: PyTorch's RNN and
    GRU make the inputs of the gates of all steps in advance, g T d numbers with g as in `recurrent_flops`.

    Args:
        layer: "rnn", "gru" or "lstm".
        n_tokens: T.
        d: width of input and state.
    """
    return BYTES * (n_tokens * d + STATES[layer] * d)


def memory(layer: Layer, n_tokens: int, d: int, n_heads: int) -> int:
    """Bytes of all that can be looked at in a layer, of one sequence: see `attention_memory` and `recurrent_memory`."""
    if layer == "attention":
        return attention_memory(n_tokens, d, n_heads)
    return recurrent_memory(layer, n_tokens, d)


def sequential_steps(layer: Layer, n_tokens: int) -> int:
    """Steps that must wait for each other: T in a recurrent layer, 1 in attention.

    Source:
        Vaswani et al. 2017, table 1.
    """
    return 1 if layer == "attention" else n_tokens


def crossing(layer: Layer, d: int) -> int | None:
    """The length beyond which attention takes more operations than a recurrent layer: T = (g - 2) d.

    8 T d^2 + 4 T^2 d = 4 g T d^2 gives T = (g - 2) d: d for the GRU, 2 d for the LSTM. None where attention takes more
    at every length: beside a plain RNN, whose two products per token are fewer than attention's four projections.

    Example:
        >>> crossing("lstm", 64), crossing("gru", 64), crossing("rnn", 64)
        (128, 64, None)
    """
    return (GATES[layer] - 2) * d if GATES[layer] > 2 else None


class Measurement(NamedTuple):
    """One layer at one length.

    Attributes:
        layer: which one.
        n_tokens: T.
        seconds: CPU time of one forward pass on one sequence, the median of all rounds.
    """

    layer: Layer
    n_tokens: int
    seconds: float


class Measurements(NamedTuple):
    """What was measured.

    Attributes:
        points: of all layers and lengths.
        rate: operations per second of a large product of matrices on this machine, on one thread: as fast as it gets.
        rounds: how often everything was measured, in turns.
        d: width.
        n_heads: of attention.
    """

    points: tuple[Measurement, ...]
    rate: float
    rounds: int
    d: int
    n_heads: int


def measure(d: int, n_heads: int, lengths: Sequence[int] = MEASURED, seconds: float = SECONDS) -> Measurements:
    """CPU time of the real layers on one thread: `attnviz.models.layers.Attention`, torch.nn.RNN, GRU and LSTM.

    All are measured in turns, round after round, so that whatever else the machine does meets all of them; only one
    measurement runs at a time. With random weights and inputs, without gradients.

    Args:
        d: width of input, state and output.
        n_heads: of attention; divides d.
        lengths: T of the sequences.
        seconds: after so long no further round begins.

    Raises:
        MeasuringBusy: another measurement runs in this process.
        ConfigError: n_heads does not divide d.
    """
    if not _measuring.acquire(blocking=False):
        raise MeasuringBusy
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        return _measure(d, n_heads, lengths, seconds)
    finally:
        torch.set_num_threads(threads)
        _measuring.release()


@torch.inference_mode()
def _measure(d: int, n_heads: int, lengths: Sequence[int], seconds: float) -> Measurements:
    layers = _layers(d, n_heads)
    inputs = {n_tokens: torch.randn(1, n_tokens, d) for n_tokens in lengths}
    square = torch.randn(MATRIX, MATRIX)
    times: dict[tuple[Layer, int], list[float]] = {(layer, n): [] for n in lengths for layer in layers}
    products: list[float] = []
    end = time.monotonic() + seconds
    for run in layers.values():
        run(inputs[min(lengths)])  # the first time takes longer: memory is asked for, kernels are chosen
    while not products or (len(products) < MOST_ROUNDS and time.monotonic() < end):
        products.append(_cpu_seconds(lambda: square @ square))
        for (layer, n_tokens), found in times.items():
            found.append(_cpu_seconds(lambda layer=layer, n=n_tokens: layers[layer](inputs[n])))  # type: ignore[misc]
    points = tuple(Measurement(layer, n_tokens, median(found)) for (layer, n_tokens), found in times.items())
    return Measurements(points, 2 * MATRIX**3 / median(products), len(products), d, n_heads)


def _layers(d: int, n_heads: int) -> dict[Layer, Callable[[Tensor], object]]:
    """Each layer as a function of a sequence (1, T, d)."""
    config = ModelConfig("encoder", vocab_size=2, max_len=2, d_model=d, n_heads=n_heads, n_layers=1, positions="none")
    attention = Attention(config, "encoder", 0, "self").eval()
    made: dict[Layer, Callable[[Tensor], object]] = {"attention": lambda x: attention(x, x, Masking(), None, None)}
    return made | {layer: module(d, d, batch_first=True).eval() for layer, module in MODULES.items()}


def _cpu_seconds(run: Callable[[], object]) -> float:
    start = time.thread_time()
    run()
    return time.thread_time() - start
