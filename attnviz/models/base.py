"""Base of all networks: one `forward` over what each kind makes of a sequence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypedDict, Unpack

from torch import Tensor, nn

from attnviz.models.call import Recorder
from attnviz.models.network_config import NetworkConfig

__all__ = ["Rest", "SequenceNetwork"]

Encoded = tuple[Tensor, ...]
"""An encoded source, as the decoder of an encoder-decoder reads it."""


class Rest(TypedDict, total=False):
    """Arguments of a network besides ids.

    Attributes:
        features: (B, T, n_features) numbers that come with the tokens.
        padding: (B, T) bool, True for real tokens; None when there is no padding.
        source_padding: (B, Ts) bool likewise.
        encoded: what `encode` made of the source, where that is there already.
        record: is shown every attention call, in the order in which they run.
    """

    features: Tensor | None
    padding: Tensor | None
    source_padding: Tensor | None
    encoded: Encoded | None
    record: Recorder | None


class SequenceNetwork(nn.Module, ABC):
    """Reads sequences and answers at every position, or once for the whole.

    Attributes:
        config: shape of the network; the network sets it, as the next.
        unembedding: from what `stream` returns to the outputs.
    """

    config: NetworkConfig
    unembedding: nn.Module

    @property
    def n_parameters(self) -> int:
        """Number of trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(self, tokens: Tensor, source: Tensor | None = None, **rest: Unpack[Rest]) -> Tensor:
        """Return the outputs for every position (B, T, V): the arguments of `stream`, through the unembedding.

        Where a sequence is pooled, the one output stands at all positions.
        """
        logits: Tensor = self.unembedding(self.stream(tokens, source, **rest))  # (B, T or 1, d_model) -> (B, T or 1, V)
        return logits.expand(-1, tokens.shape[1], -1)

    def check_source(self, source: Tensor | None) -> None:
        """Refuse a source that the network does not read, and the lack of one that it reads.

        Raises:
            ValueError: so it is.
        """
        if (source is not None) != (self.config.architecture == "encoder-decoder"):
            raise ValueError(f"architecture {self.config.architecture!r}: a source belongs to encoder-decoders alone")

    @abstractmethod
    def encode(self, source: Tensor, padding: Tensor | None = None) -> Encoded:
        """Return what the decoder of an encoder-decoder is given of a source (B, Ts), whatever it reads itself."""

    @abstractmethod
    def stream(self, tokens: Tensor, source: Tensor | None = None, **rest: Unpack[Rest]) -> Tensor:
        """Return the input of the unembedding.

        Args:
            tokens: (B, T) ids; what the decoder reads, or the encoder of an encoder-only network.
            source: (B, Ts) ids for the encoder of an encoder-decoder, None for the others.
            rest: numbers, padding and who is shown the attention, by name, where there is any; see `Rest`.

        Returns:
            (B, T, d_model); (B, 1, d_model) where a sequence is pooled.

        Raises:
            ValueError: a source is given to a network that reads none, or missing, or there are too many tokens.
        """
