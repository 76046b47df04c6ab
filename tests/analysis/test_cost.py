"""Costs against operations that PyTorch counts, and the measurement against what it promises."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from attnviz.analysis import cost
from attnviz.analysis.cost import measure
from attnviz.errors import MeasuringBusy
from attnviz.models.config import ModelConfig
from attnviz.models.cost import KERNEL, LAYERS, Layer, crossing, flops, memory, path_length, sequential_steps
from attnviz.models.layers import Attention, Masking

CELLS: dict[Layer, Callable[..., nn.Module]] = {"rnn": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}


def counted(run: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops())


@pytest.mark.parametrize("n_heads", [1, 3])
def test_operations_of_attention_are_those_that_the_layer_does(n_heads: int) -> None:
    n_tokens, d = 11, 12
    config = ModelConfig("encoder", vocab_size=2, max_len=n_tokens, d_model=d, n_heads=n_heads, positions="none")
    layer = Attention(config, "encoder", 0, "self")
    x = torch.randn(1, n_tokens, d, generator=torch.Generator().manual_seed(0))
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        assert counted(lambda: layer(x, x, Masking(), None, None)) == flops("attention", n_tokens, d)


@pytest.mark.parametrize("layer", CELLS)
def test_operations_of_recurrent_layers_are_those_of_their_cells(layer: Layer) -> None:
    n_tokens, d = 7, 10
    cell = CELLS[layer](d, d)
    assert n_tokens * counted(lambda: cell(torch.zeros(1, d))) == flops(layer, n_tokens, d)
    assert sequential_steps(layer, n_tokens) == n_tokens


def test_operations_and_memory_of_a_convolution_are_those_that_the_layer_does() -> None:
    n_tokens, d = 7, 10
    layer = nn.Conv1d(d, d, KERNEL, padding="same")
    assert counted(lambda: layer(torch.zeros(1, d, n_tokens))) == flops("convolution", n_tokens, d)
    assert memory("convolution", n_tokens, d, 1) == layer(torch.zeros(1, d, n_tokens)).nbytes
    assert sequential_steps("convolution", n_tokens) == 1


@pytest.mark.parametrize("n_tokens", [2, 3, 4, 7, 8, 63, 64])
def test_as_many_convolutions_as_are_said_read_the_first_token_and_one_less_does_not(n_tokens: int) -> None:
    def reads_the_first(n_layers: int) -> bool:
        x = first = torch.zeros(1, 1, n_tokens, requires_grad=True)
        for dilation in (2**layer for layer in range(n_layers)):
            x = F.conv1d(F.pad(x, ((KERNEL - 1) * dilation, 0)), torch.ones(1, 1, KERNEL), dilation=dilation)
        (gradient,) = torch.autograd.grad(x[0, 0, -1], first)
        return bool(gradient[0, 0, 0])

    n_layers = path_length("convolution", n_tokens)
    assert reads_the_first(n_layers)
    assert n_layers == 1 or not reads_the_first(n_layers - 1)
    assert (path_length("attention", n_tokens), path_length("gru", n_tokens)) == (1, n_tokens)


def test_attention_overtakes_where_it_is_said_to() -> None:
    d = 48
    for layer in ("gru", "lstm"):
        met = crossing(layer, d)
        assert met is not None
        assert flops("attention", met, d) == flops(layer, met, d)
        assert flops("attention", met - 1, d) < flops(layer, met - 1, d)
        assert flops("attention", met + 1, d) > flops(layer, met + 1, d)
    for layer in ("rnn", "convolution"):
        assert crossing(layer, d) is None
        assert flops("attention", 1, d) > flops(layer, 1, d)
    assert sequential_steps("attention", 1000) == 1


def test_memory_is_that_of_the_tensors() -> None:
    n_tokens, d, n_heads = 9, 12, 3
    q, k, v, context, output = torch.zeros(5, n_tokens, d)
    weights = torch.zeros(n_heads, n_tokens, n_tokens)
    held = sum(tensor.nbytes for tensor in (q, k, v, context, output, weights))
    assert memory("attention", n_tokens, d, n_heads) == held
    outputs, (h, c) = nn.LSTM(d, d, batch_first=True)(torch.zeros(1, n_tokens, d))
    assert memory("lstm", n_tokens, d, n_heads) == outputs.nbytes + h.nbytes + c.nbytes
    outputs, h = nn.GRU(d, d, batch_first=True)(torch.zeros(1, n_tokens, d))
    assert memory("gru", n_tokens, d, n_heads) == outputs.nbytes + h.nbytes


def test_all_layers_are_measured_at_all_lengths_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()
    real = cost._cpu_seconds
    monkeypatch.setattr(cost, "_cpu_seconds", lambda run: (seen.add(torch.get_num_threads()), real(run))[1])
    before = torch.get_num_threads()
    found = measure(8, 2, lengths=(2, 3), seconds=0)
    assert seen == {1}
    assert torch.get_num_threads() == before
    assert {(point.layer, point.n_tokens) for point in found.points} == {(layer, n) for layer in LAYERS for n in (2, 3)}
    assert all(point.seconds >= 0 for point in found.points)
    assert (found.rounds, found.d, found.n_heads) == (1, 8, 2)
    assert found.rate > 0


def test_rounds_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "_cpu_seconds", lambda run: 0.5)
    assert measure(8, 2, lengths=(2,), seconds=3600).rounds == cost.MOST_ROUNDS


def test_one_measures_at_a_time_and_the_next_one_may_after_it() -> None:
    inside, go_on = threading.Event(), threading.Event()
    real = cost._measure

    def wait(*given: object) -> object:
        inside.set()
        go_on.wait(20)
        return real(*given)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost, "_measure", wait)
        first = threading.Thread(target=measure, args=(8, 2, (2,), 0))
        first.start()
        assert inside.wait(20)
        with pytest.raises(MeasuringBusy, match="Another measurement is running"):
            measure(8, 2, (2,), 0)
        go_on.set()
        first.join(20)
    assert measure(8, 2, (2,), 0).rounds == 1


def largest(layer: Layer, n_tokens: int, d: int, n_heads: int) -> int:
    """Bytes that one operation of the layer asks for at most, as torch's profiler counts them."""
    from torch.profiler import ProfilerActivity, profile

    run, x = cost._layers(d, n_heads)[layer], torch.randn(1, n_tokens, d)
    with torch.inference_mode(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run(x)
    return max(event.self_cpu_memory_usage for event in profiler.events())


def test_what_runs_takes_other_memory_than_what_is_looked_at() -> None:
    """No operation of attention holds the weights of all heads; an RNN and a GRU make all inputs of gates at once."""
    n_tokens, d, n_heads = 512, 64, 8
    assert largest("attention", n_tokens, d, n_heads) < 4 * n_heads * n_tokens**2 / 4
    for layer, gates in (("rnn", 1), ("gru", 3)):
        assert largest(layer, n_tokens, d, n_heads) >= 4 * gates * n_tokens * d
