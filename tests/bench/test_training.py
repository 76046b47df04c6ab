"""The bench compares our step with that of the same function."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from attnviz.models.network import Network, build_network
from attnviz.training.engine.gradients import add_gradients
from bench.plain_loop import GPT
from bench.training import SameStories, shape


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
