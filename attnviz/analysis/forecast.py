"""Forecasts of many steps: what a network says is fed back to it."""

from __future__ import annotations

import torch
from torch import Tensor

from attnviz.errors import SettingOutside
from attnviz.models.network import Network

__all__ = ["forecast"]


@torch.inference_mode()
def forecast(network: Network, tokens: Tensor, features: Tensor, steps: int) -> Tensor:
    """Return the next values of a series, by a network that says one at a time.

    x_{t+1} = f(x_{t-n+1} ... x_t), where the values that are not known yet are those said before. Errors add up, for
    a network reads its own as if they had been measured. It never reads more than it is made for: the oldest leave.

    Args:
        network: a decoder that predicts values, as many as a token has; Transformer or recurrent.
        tokens: (T,) ids of the known series, the last of which is repeated for what is new.
        features: (T, F) its numbers.
        steps: number of values to predict.

    Returns:
        (steps, F).

    Raises:
        ConfigError: the network does not predict the numbers of a next token.
    """
    config = network.config
    if config.architecture != "decoder" or config.predicts != "values" or config.n_features != config.output_size:
        raise SettingOutside("network", config.architecture, "forecaster")
    network.eval()
    for _ in range(steps):
        ids, known = tokens[-config.max_len :], features[-config.max_len :]
        following = network(ids[None], features=known[None])[0, -1:]  # (1, F)
        tokens = torch.cat((tokens, tokens[-1:]))
        features = torch.cat((features, following))
    return features[len(features) - steps :]
