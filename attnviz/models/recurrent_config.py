"""Configuration of a recurrent network: a frozen dataclass that refuses what cannot be built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from attnviz.errors import SettingMisfit, SettingOutside
from attnviz.models.config import ModelConfig
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.network_config import SCORINGS, NetworkConfig
from attnviz.models.tuned_config import TunedConfig

__all__ = ["AnyConfig", "Cell", "RecurrentConfig", "StateScoring", "config_from_dict"]

Cell = Literal["rnn", "lstm", "gru"]
StateScoring = Literal["none", "dot", "scaled_dot", "additive"]


@dataclass(frozen=True, kw_only=True)
class RecurrentConfig(NetworkConfig):
    """Shape of a recurrent network: what all networks have, with d_model the width of a state, and

    Attributes:
        cell: "rnn" (tanh), "lstm" or "gru".
        bidirectional: encoders read in both directions, half of d_model each; a decoder never does.
        attention: how states are scored where they attend: in an encoder-decoder the decoder's states read those of
            the encoder, Bahdanau's way for "additive", Luong's for "dot" and "scaled_dot"; in others every state reads
            itself and all states that were before it, and in an encoder also those after it.
        d_embedding: width of the token embeddings; None: d_model.

    Dropout comes after embeddings, between layers and after the last states. Where attention pools, the last state
    asks. Recurrence itself knows no `max_len`.

    Raises:
        ConfigError: a value or a combination that cannot be built; the message says what to change.
    """

    d_model: int = 64
    n_layers: int = 1
    cell: Cell = "lstm"
    bidirectional: bool = False
    attention: StateScoring = "none"
    d_embedding: int | None = None

    choices: ClassVar = {**NetworkConfig.choices, "cell": Cell, "attention": StateScoring}

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_positive("d_embedding")
        if self.bidirectional and self.architecture == "decoder":
            raise SettingOutside("bidirectional", True, "one-direction")
        if self.bidirectional and self.d_model % 2:
            raise SettingMisfit("d_model", self.d_model, "two-directions", self.d_model + 1)

    @property
    def n_heads(self) -> int:
        """1 where states are attended to, 0 where they are not."""
        return int(self.attention != "none" or self.pooling in SCORINGS)

    @property
    def embedding_size(self) -> int:
        """Width of the token embeddings."""
        return self.d_model if self.d_embedding is None else self.d_embedding


AnyConfig = ModelConfig | RecurrentConfig | ConvolutionalConfig | TunedConfig


def config_from_dict(values: dict[str, Any]) -> AnyConfig:
    """Return the configuration of any network: a recurrent one names its cell, a convolutional one its kernel."""
    if "base" in values:
        return TunedConfig.from_dict(values)
    if "kernel_size" in values:
        return ConvolutionalConfig.from_dict(values)
    return RecurrentConfig.from_dict(values) if "cell" in values else ModelConfig.from_dict(values)
