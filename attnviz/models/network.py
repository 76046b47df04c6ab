"""Networks of every kind, made from their configurations."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from attnviz.models.config import ModelConfig
from attnviz.models.convolutional import Convolutional
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.recurrent import Recurrent
from attnviz.models.recurrent_config import AnyConfig
from attnviz.models.transformer import Transformer
from attnviz.models.tuned_config import TunedConfig

__all__ = ["Network", "blank_network", "build_network", "unset_network"]

Network = Transformer | Recurrent | Convolutional


def build_network(config: AnyConfig, seed: int) -> Network:
    """A new network; its random weights depend on config and seed alone, the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _network(config)


def blank_network(config: AnyConfig) -> Network:
    """Return a network without memory for its weights: the shapes alone."""
    with torch.device("meta"), _NothingDrawn():
        return _network(config)


def unset_network(config: AnyConfig) -> Network:
    """Return a network whose weights are about to be loaded: there is memory for them, and nothing in it yet."""
    with _NothingDrawn():
        return _network(config)


class _NothingDrawn(TorchFunctionMode):
    """Leaves weights as they are made: to draw numbers that nobody keeps takes time, and on "meta" torch's compiler."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else given["tensor"]
        return func(*args, **given)


def _network(config: AnyConfig) -> Network:
    if isinstance(config, TunedConfig):
        raise TypeError("a pretrained network is not made of its configuration alone")
    if isinstance(config, ConvolutionalConfig):
        return Convolutional(config)
    return Transformer(config) if isinstance(config, ModelConfig) else Recurrent(config)
