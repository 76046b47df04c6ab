"""The kinds of networks that learn a task from nothing, by the names people choose them by."""

from __future__ import annotations

from typing import Literal, get_args

from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.recurrent_config import AnyConfig, RecurrentConfig

__all__ = ["NETWORKS", "NetworkKind", "network_of"]

NetworkKind = Literal["transformer", "rnn", "lstm", "gru", "cnn"]
NETWORKS: tuple[NetworkKind, ...] = get_args(NetworkKind)


def network_of(model: AnyConfig) -> NetworkKind:
    """Return the kind of a network, of a recurrent one its cell."""
    if isinstance(model, RecurrentConfig):
        return model.cell
    return "cnn" if isinstance(model, ConvolutionalConfig) else "transformer"
