"""How far an output of a convolutional network sees, in one sentence."""

from __future__ import annotations

from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.ui.frame.language import say

__all__ = ["sees"]


def sees(model: ConvolutionalConfig) -> str:
    """Say how far an output sees, and whether that is far enough for the longest sequences that the model reads."""
    length = model.max_len + (model.source_max_len or 0)
    before, after = model.reach
    far = "pooled" if model.pooling not in ("none", "last") else "far" if before >= length - 1 else "near"
    numbers = {"before": before, "after": after, "length": length, "n": model.receptive_field}
    return say(f"training.sees.{far}", **{name: f"{number:,}" for name, number in numbers.items()})
