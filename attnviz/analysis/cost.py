"""Measure a layer on this machine: attention against recurrence and convolution."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from threading import Lock
from typing import NamedTuple

import torch
from torch import Tensor, nn

from attnviz.errors import MeasuringBusy
from attnviz.models.config import ModelConfig
from attnviz.models.cost import KERNEL, Layer
from attnviz.models.layers import Attention, Masking

__all__ = ["MEASURED", "Measurement", "Measurements", "measure"]

MODULES: Mapping[Layer, Callable[..., nn.Module]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}

MEASURED = (16, 32, 64, 128, 256, 512)
"""Lengths that are measured."""
SECONDS = 1.5  # that measuring takes, but for the round in which it ends
MOST_ROUNDS = 25
MATRIX = 256  # rows and columns of the product that tells how fast this machine can be

_measuring = Lock()


class Measurement(NamedTuple):
    """One layer at one length.

    Attributes:
        layer: name of the layer.
        n_tokens: T.
        seconds: CPU time of one forward pass on one sequence, the median of all rounds.
    """

    layer: Layer
    n_tokens: int
    seconds: float


class Measurements(NamedTuple):
    """Measured times.

    Attributes:
        rate: operations per second of a large product of matrices on this machine, on one thread: as fast as it gets.
        rounds: number of times everything was measured, by turns.
        d: width.
    """

    points: tuple[Measurement, ...]
    rate: float
    rounds: int
    d: int
    n_heads: int


def measure(d: int, n_heads: int, lengths: Sequence[int] = MEASURED, seconds: float = SECONDS) -> Measurements:
    """Measure the CPU time of real layers on one thread: `attnviz.models.layers.Attention`, torch.nn.RNN, GRU, LSTM,
    Conv1d.

    All are measured in turns, round after round, so that whatever else the machine does meets all of them; only one
    measurement runs at a time. With random weights and inputs, without gradients.

    Args:
        d: width of input, state and output.
        n_heads: number of heads of attention; divides d.
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
    """Return each layer as a function of a sequence (1, T, d)."""
    config = ModelConfig("encoder", vocab_size=2, max_len=2, d_model=d, n_heads=n_heads, n_layers=1, positions="none")
    attention = Attention(config, "encoder", 0, "self").eval()
    made: dict[Layer, Callable[[Tensor], object]] = {"attention": lambda x: attention(x, x, Masking(), None, None)}
    convolution = nn.Conv1d(d, d, KERNEL, padding="same")  # in PyTorch it reads (1, d, T)
    made["convolution"] = lambda x: convolution(x.transpose(1, 2))
    return made | {layer: module(d, d, batch_first=True).eval() for layer, module in MODULES.items()}


def _cpu_seconds(run: Callable[[], object]) -> float:
    start = time.thread_time()
    run()
    return time.thread_time() - start
