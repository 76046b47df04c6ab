"""Configuration of a network that begins as somebody's pretrained one: what it is, and which part of it is trained."""

from __future__ import annotations

import re
from dataclasses import dataclass

from attnviz.errors import SettingOutside
from attnviz.models.network_config import NetworkConfig

__all__ = ["METHODS", "TunedConfig", "last_layers"]

METHODS = ("head", "last:N", "all-but-embeddings", "all", "lora")
"""Parts of a network that can be trained; N layers of it are the last ones."""

LAST = re.compile(r"last:([1-9]\d{0,2})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class TunedConfig(NetworkConfig):
    """Shape of a pretrained network with a new head; its weights lie elsewhere. What all networks have, and

    Attributes:
        base: name or folder of the pretrained model, as `attnviz.load_model` takes it.
        sha256: hash of its weights; others are not trained on.
        method: what is trained: the "head" alone, "last:2" for the last two layers and the head, "all-but-embeddings",
            "all", or "lora": small matrices beside those of queries and values, and the head.
        kind: class of the network, such as "BertForSequenceClassification".
        n_heads: heads of a layer.
        d_ff: width of the feed-forward part.
        n_parameters: numbers in its weights.
        n_trained: those that are trained.

    Raises:
        ConfigError: there is no such method.
    """

    base: str
    sha256: str
    kind: str
    method: str = "all-but-embeddings"
    n_heads: int = 1
    d_ff: int = 1
    n_parameters: int = 1
    n_trained: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        last_layers(self.method, self.n_layers)

    @property
    def keeps(self) -> int:
        """Layers whose outputs never change, and so are computed once for each text."""
        frozen = self.method == "head" or LAST.fullmatch(self.method)
        return self.n_layers - last_layers(self.method, self.n_layers) if frozen else 0


def last_layers(method: str, n_layers: int) -> int:
    """Return how many of the layers a method trains itself.

    Raises:
        ConfigError: there is no such method, or it names more layers than there are.

    Example:
        >>> [last_layers(method, 6) for method in ("head", "last:2", "all", "lora")]
        [0, 2, 6, 0]
    """
    found = LAST.fullmatch(method)
    if (found is None and method not in METHODS) or method == "last:N":
        raise SettingOutside("method", method, "methods")
    if found is None:
        return n_layers if method.startswith("all") else 0
    if int(found[1]) > n_layers:
        raise SettingOutside("method", method, "layers")
    return int(found[1])
