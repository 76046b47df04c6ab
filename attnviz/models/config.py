"""Configuration of a Transformer: a frozen dataclass that refuses what cannot be built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from attnviz.errors import SettingMisfit, SettingOutside
from attnviz.errors.settings import check_whole
from attnviz.models.network_config import LARGEST, NetworkConfig

__all__ = ["ModelConfig", "Norm", "Positions", "Scoring", "Stack"]

Stack = Literal["encoder", "decoder"]
Positions = Literal["none", "sinusoidal", "learned", "rotary"]
Norm = Literal["pre", "post"]
Scoring = Literal["scaled_dot", "dot"]


@dataclass(frozen=True, kw_only=True)
class ModelConfig(NetworkConfig):
    """Shape of a Transformer: what all networks have, with d_model the width of the residual stream, and

    Attributes:
        n_heads: query heads per layer.
        n_kv_heads: key and value heads; None: as many as n_heads; fewer: grouped, 1: multi-query.
        d_ff: hidden width of the feed-forward part; 0: attention only.
        norm: layer norm before each part ("pre") or after the residual sum ("post").
        positions: how order is told.
        scoring: "scaled_dot" divides by sqrt(d_head), "dot" does not.
        window: keys this far away or farther are not read, so that 1 leaves a token itself alone; None: no limit.
        init_std: standard deviation of all linear weights at the start; None: PyTorch's own.

    An encoder's tokens read every token, a decoder's themselves and those before. Dropout comes after embeddings
    and before each residual sum. Where attention pools, the first token asks.

    Raises:
        ConfigError: a value or a combination that cannot be built; the message says what to change.
    """

    n_heads: int = 2
    n_kv_heads: int | None = None
    d_ff: int = 192
    norm: Norm = "pre"
    positions: Positions = "learned"
    scoring: Scoring = "scaled_dot"
    window: int | None = None
    init_std: float | None = None

    choices: ClassVar = {**NetworkConfig.choices, "norm": Norm, "positions": Positions, "scoring": Scoring}

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("n_heads", "window", "n_kv_heads"):
            self._check_positive(name)
        check_whole("d_ff", self.d_ff, 0, LARGEST["d_ff"])
        if self.init_std is not None and self.init_std <= 0:
            raise SettingOutside("init_std", self.init_std, "positive")
        if self.d_model % self.n_heads:
            nearest = self.n_heads * max(1, round(self.d_model / self.n_heads))
            raise SettingMisfit("d_model", self.d_model, "multiple-of-heads", nearest)
        if self.n_heads % self.kv_heads:
            raise SettingMisfit("n_kv_heads", self.kv_heads, "divisor-of-heads", 1)
        if self.positions == "rotary" and self.d_head % 2:
            raise SettingMisfit("d_head = d_model / n_heads", self.d_head, "pairs", self.d_head + 1)
        if self.positions == "sinusoidal" and self.d_model % 2:
            raise SettingMisfit("d_model", self.d_model, "pairs", self.d_model + 1)

    @property
    def d_head(self) -> int:
        """Width of one head: d_model / n_heads."""
        return self.d_model // self.n_heads

    @property
    def kv_heads(self) -> int:
        """Number of key and value heads, whether or not they are grouped."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def scale(self) -> float:
        """Factor of raw scores."""
        return self.d_head**-0.5 if self.scoring == "scaled_dot" else 1.0
