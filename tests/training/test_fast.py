"""Speed changes no number: pieces of a batch, other routes through linear layers, and what the bench compares with."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from attnviz.errors import ConfigError
from attnviz.models import linear
from attnviz.models.linear import Linear, best_route, is_exact, products
from attnviz.models.network import Network, build_network
from attnviz.tasks import Addition, Dates, Induction, Reverse, Task
from attnviz.training import Run, RunConfig, gradients, record
from attnviz.training.gradients import add_gradients
from bench.plain_loop import GPT
from bench.training import SameStories, shape
from tests.training.runs import small_config, small_run

# Processors whose oneDNN would compute in bfloat16 are told to do without, as those are that the route is for.
EXACT = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}

COMPARE = """
import torch
from attnviz.models import ModelConfig, build_network
from attnviz.models.linear import is_exact, products
from attnviz.tasks import Dates, Induction
from attnviz.training.gradients import add_gradients

assert is_exact("onednn")
for task in (Dates(), Induction()):
    found = []
    for route in ("plain", "onednn"):
        network = build_network(task.model_config(), seed=0)
        with products(route):
            loss, logits = add_gradients(network, task.sample(16, torch.Generator().manual_seed(0)), keep_logits=True)
        found.append([torch.tensor(loss), logits, *(p.grad for p in network.parameters())])
    largest = max(p.abs().max() for p in found[0][2:])
    for plain, other in zip(*found, strict=True):
        assert (plain - other).abs().max() <= 1e-5 * max(plain.abs().max(), 1e-3 * largest)
"""


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What was found out about routes is found out again, before and after."""
    for cached in (is_exact, best_route):
        cached.cache_clear()
    yield
    for cached in (is_exact, best_route):
        cached.cache_clear()


def gradients_of(network: Network) -> list[Tensor]:
    return [parameter.grad.clone() for parameter in network.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("task", [Reverse(), Addition(), Induction(), Dates()], ids=lambda task: task.name)
def test_pieces_change_nothing_but_rounding(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = task.sample(37, Generator().manual_seed(0))
    found = []
    for piece in (10**9, 100):
        monkeypatch.setattr(gradients, "PIECE", piece)
        network = build_network(task.model_config(), seed=0)
        loss, logits = add_gradients(network, batch, keep_logits=True)
        found.append([torch.tensor(loss), logits, *gradients_of(network)])
    assert len(found[0]) == 2 + len(list(network.parameters()))
    for whole, parts in zip(*found, strict=True):
        torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-6)


def test_another_route_has_the_same_outputs_and_gradients() -> None:
    subprocess.run([sys.executable, "-c", COMPARE], env=EXACT, check=True)


def test_the_plain_route_is_as_exact_as_float32(forgotten: None) -> None:
    assert is_exact("plain")


@pytest.mark.parametrize("fault", ["bfloat16", "missing"])
def test_a_route_that_is_not_exact_is_not_taken(forgotten: None, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def faulty(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        if fault == "missing":
            raise RuntimeError("no such operator in this build")
        return torch.nn.functional.linear(x.bfloat16(), weight.bfloat16(), bias.bfloat16()).float()

    monkeypatch.setattr(linear._OneDnn, "apply", faulty)
    assert not is_exact("onednn")
    assert best_route() == "plain"


def test_a_route_holds_for_its_products_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def counted(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        taken.append(len(x))
        return x @ weight.T + bias

    monkeypatch.setattr(linear._OneDnn, "apply", counted)
    layer, x = Linear(3, 5), torch.ones(2, 3)
    with pytest.raises(RuntimeError, match="mat"), products("onednn"):
        layer(torch.ones(2, 4))  # one number too many
    layer(x)
    assert taken == [2], "only the one inside"


def test_the_permission_to_round_is_given_back() -> None:
    setting: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = setting.fp32_precision
    with linear._permitted():
        assert setting.fp32_precision == "bf16"
    with pytest.raises(RuntimeError, match="mat"), linear._permitted():
        torch.mm(torch.ones(2, 3), torch.ones(2, 3))
    assert setting.fp32_precision == before


def test_a_run_says_which_route_it_takes(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    assert run.config.route == best_route()
    assert Run.open(run.folder).config.route == best_route()
    values = run.config.to_dict()
    del values["route"]  # as runs were written before there were routes
    assert RunConfig.from_dict(values).route == "plain"
    with pytest.raises(ConfigError, match="choose one of plain, onednn"):
        RunConfig.from_dict({**values, "route": "scenic"})


def test_a_run_goes_on_where_its_route_is_not_exact(
    forgotten: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(linear._OneDnn, "apply", lambda x, weight, bias: x @ weight.T)  # the bias is lost
    run = Run.create(tmp_path / "run", replace(small_config(steps=3), route="onednn"))
    plain = Run.create(tmp_path / "plain", replace(small_config(steps=3), route="plain"))
    with caplog.at_level(logging.WARNING):
        record(run)
    assert "going on with 'plain'" in caplog.text
    record(plain)
    assert [line.loss for line in run.metrics()] == [line.loss for line in plain.metrics()]


def test_the_bench_compares_with_the_same_function() -> None:
    _, config = shape(length=12, d_model=16, n_layers=2)
    network = build_network(config, seed=0)
    batch = SameStories(length=12).sample(64, Generator())
    plain = GPT(config.vocab_size, 12, 16, config.n_heads, 2)
    with torch.no_grad():
        for theirs, ours in zip(plain.parameters(), parameters_in_their_order(network), strict=True):
            theirs.copy_(ours)
    loss, _ = add_gradients(network, batch)
    assert plain(batch.tokens, batch.targets).item() == pytest.approx(loss, rel=1e-5)


def parameters_in_their_order(network: Network) -> list[Tensor]:
    stack = network.decoder
    assert stack is not None
    found = [stack.embedding.weight, stack.position_embedding.weight]
    for block in stack.blocks:
        for part in (block.attention_norm, block.attention, block.feed_forward_norm, block.feed_forward):
            found += part.parameters()
    return [*found, *stack.final_norm.parameters(), *network.unembedding.parameters()]
