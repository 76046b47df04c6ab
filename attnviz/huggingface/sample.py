"""Something short for any model to read, so that it can be watched without a tokenizer or an image."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

__all__ = ["pair", "sample"]

LENGTH = 7
TARGET_LENGTH = 5


def sample(model: PreTrainedModel, parameters: Collection[str]) -> tuple[dict[str, Tensor], set[int]]:
    """Inputs by the names of a model's parameters, and the lengths of the sequences that it will read."""
    config, device = model.config, model.device
    inputs: dict[str, Tensor] = {}
    lengths = {TARGET_LENGTH}
    text_config = getattr(config, "text_config", config)
    limit = getattr(text_config, "max_position_embeddings", None)
    length = min(LENGTH, limit) if isinstance(limit, int) and limit > 0 else LENGTH  # -1: as many as there are
    if "input_ids" in parameters:
        inputs["input_ids"] = _ids(text_config, length, device)
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        lengths.add(length)
    if config.is_encoder_decoder:
        inputs["decoder_input_ids"] = _ids(text_config, TARGET_LENGTH, device)
    if "pixel_values" in parameters:
        vision = getattr(config, "vision_config", config)
        height, width = pair(vision.image_size)
        pixels = torch.linspace(-1, 1, vision.num_channels * height * width, device=device, dtype=model.dtype)
        inputs["pixel_values"] = pixels.view(1, vision.num_channels, height, width)
        patches = (height // pair(vision.patch_size)[0]) * (width // pair(vision.patch_size)[1])
        lengths |= {patches + extra for extra in range(9)}
    if "input_features" in parameters:
        frames = 2 * config.max_source_positions
        features = torch.linspace(-1, 1, config.num_mel_bins * frames, device=device, dtype=model.dtype)
        inputs["input_features"] = features.view(1, config.num_mel_bins, frames)
        lengths.add(config.max_source_positions)
    return inputs, lengths


def _ids(config: Any, length: int, device: torch.device) -> Tensor:
    """Ids that mean nothing in particular: no padding among them, and the end of a text where there is one."""
    vocabulary = int(config.vocab_size)
    ids = [index for index in range(vocabulary) if index != getattr(config, "pad_token_id", None)][-length:]
    ids = (ids * length)[:length]
    end = getattr(config, "eos_token_id", None)
    if isinstance(end, int) and 0 <= end < vocabulary:
        ids[-1] = end
    return torch.tensor([ids], device=device)


def pair(size: Any) -> tuple[int, int]:
    """Height and width of a size that may be one number."""
    return (int(size[0]), int(size[1])) if isinstance(size, list | tuple) else (int(size), int(size))
