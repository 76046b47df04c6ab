"""Forecasts feed back what was said, and never read more than the network is made for."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from attnviz.analysis.forecast import forecast
from attnviz.errors import ConfigError
from attnviz.models.config import ModelConfig
from attnviz.models.network import Network, build_network
from attnviz.tasks.signals.series import Seasonal


def network_of(kind: str) -> Network:
    """One with random weights."""
    task = Seasonal()
    return build_network(task.model_config() if kind == "transformer" else task.recurrent_config(), 0)


def series(n: int) -> tuple[Tensor, Tensor]:
    """Tokens and numbers of a series of n points."""
    return torch.full((n,), 3), torch.randn(n, 1, generator=Generator().manual_seed(0))


@pytest.mark.parametrize("kind", ["transformer", "recurrent"])
def test_each_step_is_what_the_network_says_of_all_before(kind: str) -> None:
    network = network_of(kind)
    tokens, features = series(20)
    said = forecast(network, tokens, features, 5)
    assert said.shape == (5, 1)
    network.eval()
    for step in range(5):
        known = torch.cat((features, said[:step]))
        with torch.no_grad():
            following = network(torch.full((1, 20 + step), 3), features=known[None])[0, -1]
        assert torch.allclose(following, said[step], atol=1e-6), f"step {step + 1}"


@pytest.mark.parametrize("kind", ["transformer", "recurrent"])
def test_the_oldest_leave_where_there_is_no_room(kind: str) -> None:
    network = network_of(kind)
    tokens, features = series(60)  # 48 can be read
    assert torch.equal(forecast(network, tokens, features, 4), forecast(network, tokens[12:], features[12:], 4))


def test_nothing_is_changed_and_nothing_is_said_of_no_steps() -> None:
    network = network_of("transformer")
    tokens, features = series(10)
    before = features.clone()
    assert forecast(network, tokens, features, 0).shape == (0, 1)
    forecast(network, tokens, features, 3)
    assert torch.equal(features, before)
    assert len(tokens) == 10


def test_other_networks_are_refused() -> None:
    config = ModelConfig("encoder", vocab_size=4, max_len=9, n_features=1, n_outputs=1, predicts="values")
    with pytest.raises(ConfigError, match="a decoder that predicts as many values"):
        forecast(build_network(config, 0), *series(5), 2)
