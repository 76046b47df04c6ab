"""Speed changes no number: pieces of a batch, and what the bench compares with."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from attnviz.models.network import Network, build_network
from attnviz.tasks import Addition, Dates, Induction, Reverse, Task
from attnviz.training import gradients
from attnviz.training.gradients import add_gradients
from bench.plain_loop import GPT
from bench.training import SameStories, shape


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
