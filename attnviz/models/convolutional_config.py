"""Configuration of a convolutional network: a frozen dataclass that refuses what cannot be built."""

from __future__ import annotations

from dataclasses import dataclass

from attnviz.errors import SettingMisfit
from attnviz.errors.settings import check_whole
from attnviz.models.network_config import LARGEST, SCORINGS, NetworkConfig

__all__ = ["ConvolutionalConfig", "layers_to_cover"]


@dataclass(frozen=True, kw_only=True)
class ConvolutionalConfig(NetworkConfig):
    """Shape of a convolutional network: what all networks have, with d_model the number of channels, and

    Attributes:
        kernel_size: positions that one convolution reads, k.
        dilation: factor by which their distance grows from layer to layer: layer l (from 0) reads positions
            dilation^l apart; 1 keeps them side by side in every layer.

    An encoder's convolutions read as far to the left as to the right, a decoder's to the left alone. An
    encoder-decoder is one decoder that reads the source and then the target. Dropout comes after embeddings and before
    each residual sum. Where attention pools, the last state asks. A convolution itself knows no `max_len`.

    Raises:
        ConfigError: a value or a combination that cannot be built; the message says what to change.

    Example:
        >>> config = ConvolutionalConfig("decoder", vocab_size=10, max_len=20, n_layers=4, kernel_size=3, dilation=2)
        >>> config.dilations, config.receptive_field, config.reach
        ((1, 2, 4, 8), 31, (30, 0))
    """

    n_layers: int = 4
    kernel_size: int = 3
    dilation: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("kernel_size", self.kernel_size, 1, LARGEST["kernel_size"])
        check_whole("dilation", self.dilation, 1, LARGEST["dilation"])
        if self.architecture == "encoder" and self.kernel_size % 2 == 0:
            raise SettingMisfit("kernel_size", self.kernel_size, "centred", self.kernel_size + 1)

    @property
    def dilations(self) -> tuple[int, ...]:
        """Distance of the positions that each layer reads; beyond any `max_len` it grows no more."""
        furthest = LARGEST["max_len"]
        found = [1]
        for _ in range(1, self.n_layers):
            found.append(min(found[-1] * self.dilation, furthest))
        return tuple(found)

    @property
    def sides(self) -> tuple[int, int]:
        """Weights of a kernel before its own position and after it: k - 1 in all."""
        k = self.kernel_size
        return (k // 2, k // 2) if self.architecture == "encoder" else (k - 1, 0)

    @property
    def receptive_field(self) -> int:
        """Number of positions that one output depends on: 1 + (k - 1) times the sum of all dilations.

        Source:
            Yu and Koltun 2015, "Multi-Scale Context Aggregation by Dilated Convolutions", section 2.
        """
        return 1 + sum(self.reach)

    @property
    def reach(self) -> tuple[int, int]:
        """How many positions before itself, and after itself, an output depends on."""
        (behind, ahead), steps = self.sides, sum(self.dilations)
        return behind * steps, ahead * steps

    @property
    def n_heads(self) -> int:
        """1 where attention pools the states, else 0: convolutions have no heads."""
        return int(self.pooling in SCORINGS)


def layers_to_cover(before: int, kernel_size: int = 3, dilation: int = 2, causal: bool = True) -> int:
    """Return the fewest layers with which an output depends on the position that many before it.

    Example:
        >>> layers_to_cover(30), layers_to_cover(31), layers_to_cover(30, causal=False)
        (4, 5, 5)
    """
    side = kernel_size - 1 if causal else (kernel_size - 1) // 2
    n_layers, reached, step = 1, side, 1
    while reached < before:
        step *= dilation
        reached += side * step
        n_layers += 1
    return n_layers
