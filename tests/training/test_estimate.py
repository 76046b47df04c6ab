"""What a step takes: parameters and operations are exact, the fit is what it says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from attnviz.models import AnyConfig, ConvolutionalConfig, ModelConfig, RecurrentConfig, build_network
from attnviz.models.cost import flops_per_step, n_parameters
from attnviz.tasks import Dates, Recall, Reverse
from attnviz.training import RECIPES
from attnviz.training.engine import estimate
from attnviz.training.engine.estimate import Speed, as_trained, seconds_per_step

SHAPES = {
    "decoder": ModelConfig("decoder", vocab_size=11, max_len=7, d_model=24, n_heads=2, d_ff=30),
    "one layer": ModelConfig("decoder", vocab_size=11, max_len=7, d_model=24, n_heads=2, d_ff=30, n_layers=1),
    "attention only": ModelConfig("encoder", vocab_size=11, max_len=7, d_model=24, n_heads=3, d_ff=0, n_layers=3),
    "post-norm": ModelConfig("encoder", vocab_size=11, max_len=7, d_model=24, norm="post", positions="sinusoidal"),
    "grouped": ModelConfig("decoder", vocab_size=13, max_len=7, d_model=24, n_heads=6, n_kv_heads=2, positions="none"),
    "window": ModelConfig("decoder", vocab_size=13, max_len=7, d_model=24, window=3, positions="rotary"),
    "encoder-decoder": ModelConfig(
        "encoder-decoder", 11, 7, d_model=24, n_heads=4, n_layers=3, d_ff=30, source_vocab_size=17, source_max_len=5
    ),
    "encoder-decoder, all else": ModelConfig(
        "encoder-decoder",
        vocab_size=11,
        max_len=5,
        d_model=24,
        n_heads=6,
        n_kv_heads=3,
        d_ff=0,
        norm="post",
        positions="rotary",
        source_vocab_size=17,
        source_max_len=7,
    ),
    "rnn": RecurrentConfig("decoder", vocab_size=11, max_len=7, cell="rnn", d_model=24, n_layers=2),
    "lstm, both ways": RecurrentConfig("encoder", 11, 7, d_model=24, n_layers=3, bidirectional=True),
    "gru that attends": RecurrentConfig("decoder", 11, 7, cell="gru", d_model=24, attention="scaled_dot"),
    "lstm, additive": RecurrentConfig("encoder", 11, 7, d_model=24, attention="additive", d_embedding=10),
    "numbers, pooled": RecurrentConfig("encoder", 4, 7, pooling="additive", n_features=5, n_outputs=3),
    "transformer of numbers, pooled": ModelConfig("encoder", 4, 7, pooling="additive", n_features=5, n_outputs=3),
    "bahdanau": RecurrentConfig(
        "encoder-decoder",
        11,
        7,
        d_model=24,
        n_layers=2,
        attention="additive",
        bidirectional=True,
        source_vocab_size=17,
        source_max_len=5,
    ),
    "luong": RecurrentConfig(
        "encoder-decoder", 11, 7, cell="gru", d_model=24, attention="dot", source_vocab_size=17, source_max_len=5
    ),
    "cnn": ConvolutionalConfig("decoder", vocab_size=11, max_len=7, d_model=24, n_layers=4, kernel_size=4),
    "cnn, both sides": ConvolutionalConfig("encoder", vocab_size=11, max_len=9, d_model=24, kernel_size=5, dilation=3),
    "cnn of numbers, pooled": ConvolutionalConfig("encoder", 4, 7, pooling="additive", n_features=5, n_outputs=3),
    "cnn of two sequences": ConvolutionalConfig(
        "encoder-decoder", 11, 7, d_model=24, source_vocab_size=17, source_max_len=5
    ),
    **{name: recipe.model for name, recipe in RECIPES.items()},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_parameters_are_those_of_the_network(shape: str) -> None:
    assert n_parameters(SHAPES[shape]) == build_network(SHAPES[shape], 0).n_parameters


@contextmanager
def without_fused_layers() -> Iterator[None]:
    """Into those of oneDNN the counter does not look."""
    torch._C._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(True)


@pytest.mark.parametrize("shape", [name for name in SHAPES if name not in RECIPES] + ["dates", "sort"])
def test_operations_are_those_torch_counts(shape: str) -> None:
    """With attention as plain products: fused attention computes the scores again on the way back."""
    model, batch_size = SHAPES[shape], 3
    network = build_network(model, 0)
    tokens = torch.zeros(batch_size, model.max_len, dtype=torch.int64)
    source = torch.zeros(batch_size, model.source_max_len, dtype=torch.int64) if model.source_max_len else None
    features = torch.zeros(batch_size, model.max_len, model.n_features) if model.n_features else None
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), without_fused_layers():
        network(tokens, source, features=features).sum().backward()
    assert flops_per_step(model, batch_size) == counter.get_total_flops() + 2 * batch_size * not_counted(model)


def not_counted(model: AnyConfig) -> int:
    """Multiplications of one sequence that a step is said to take, and the counter does not see.

    No gradient flows to what is given: to the numbers of the tokens, and to the zeros that layers begin with. A product
    with a vector, such as the w_v of additive scores, is no product of matrices to the counter.
    """
    width = model.embedding_size if isinstance(model, RecurrentConfig) else model.d_model
    given = model.max_len * model.n_features * width
    queries = {"none": 0, "additive": 1}[model.pooling]
    if not isinstance(model, RecurrentConfig):
        return given + 3 * queries * model.max_len * model.d_model
    d, gates, directions = model.d_model, {"rnn": 1, "gru": 3, "lstm": 4}[model.cell], 1 + model.bidirectional
    given += model.n_layers * directions * gates * (d // directions) ** 2
    pairs = queries * model.max_len
    pairs += model.max_len * (model.source_max_len or model.max_len) if model.attention == "additive" else 0
    return given + 3 * pairs * d


def test_a_model_as_its_task_trains_it() -> None:
    assert as_trained(Recall().model_config(), Recall()).max_len == 31
    assert as_trained(Reverse().model_config(), Reverse()) == Reverse().model_config()
    dates = as_trained(Dates().model_config(), Dates())
    assert dates.source_max_len is not None
    assert dates.source_max_len < (Dates().model_config().source_max_len or 0)
    assert n_parameters(Dates().model_config()) > n_parameters(dates)  # so take the lengths for times alone


def test_the_fit_finds_a_speed_again() -> None:
    speed = Speed(2e-4, 3e-11)
    shapes = [(SHAPES[name], batch_size) for name, batch_size in (("decoder", 8), ("sort", 64), ("english", 8))]
    found = Speed.fitted(shapes, [speed.seconds(*shape) for shape in shapes])
    assert found.seconds_per_part == pytest.approx(speed.seconds_per_part)
    assert found.seconds_per_flop == pytest.approx(speed.seconds_per_flop)


def test_the_fit_weighs_relative_errors() -> None:
    """One small and one large shape, both 10% off in opposite ways: neither rules the other."""
    shapes = [(SHAPES["majority"], 64), (SHAPES["english"], 8), (SHAPES["majority"], 64), (SHAPES["english"], 8)]
    speed = Speed(1e-4, 1e-11)
    true = [speed.seconds(*shape) for shape in shapes]
    found = Speed.fitted(shapes, [true[0] * 1.1, true[1] * 1.1, true[2] * 0.9, true[3] * 0.9])
    for shape, seconds in zip(shapes, true, strict=True):
        assert found.seconds(*shape) == pytest.approx(seconds, rel=0.02)


def test_nothing_takes_less_than_no_time() -> None:
    """Times that a line through them would start below 0."""
    shapes = [(SHAPES["majority"], 64), (SHAPES["english"], 8)]
    found = Speed.fitted(shapes, [1e-5, 1.0])
    assert found.seconds_per_part == 0
    assert found.seconds_per_flop > 0


def test_seconds_grow_with_all_that_is_done() -> None:
    speed = Speed(1e-4, 1e-11)
    small = speed.seconds(SHAPES["one layer"], 8)
    assert small < speed.seconds(SHAPES["one layer"], 9) < speed.seconds(SHAPES["decoder"], 9)
    assert speed.seconds(SHAPES["attention only"], 8) < speed.seconds(SHAPES["encoder-decoder"], 8)


def test_the_machine_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def time_step(recipe: object) -> float:
        measured.append(torch.get_num_threads())
        return 0.01

    monkeypatch.setattr(estimate, "_time_step", time_step)
    monkeypatch.setattr(estimate, "_speed", None)
    assert seconds_per_step(SHAPES["sort"], 64) > 0
    assert seconds_per_step(SHAPES["sort"], 32) > 0
    assert measured == [1] * len(estimate.TIMED)


def test_measuring_leaves_torchs_threads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        monkeypatch.setattr(estimate, "TRIALS", 1)
        speed = Speed.measured()
        new: list[int] = []
        thread = threading.Thread(target=lambda: new.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert [torch.get_num_threads(), *new] == [2, 2]
        assert speed.seconds(SHAPES["sort"], 64) > 0
    finally:
        torch.set_num_threads(before)
