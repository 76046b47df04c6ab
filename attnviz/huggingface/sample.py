"""Something short for any model to read, so that it can be watched without a tokenizer, an image or a sound."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnviz.errors import CannotSample
from attnviz.errors.base import Why
from attnviz.guard import reason_of

__all__ = ["has_decoder", "image_token", "labels_alone", "pair", "sample", "text_part", "vision_part"]

LENGTH = 7
TARGET_LENGTH = 5
FRAMES = 12  # of a sound, where the model says no number
AROUND = 9  # tokens of the model's own beside those of an image
LABELS = re.compile(r"For(Sequence|Token|Audio\w*|Image)Classification$|ForQuestionAnswering$")
BANDS = ("num_mel_bins", "input_feat_per_channel", "feature_projection_input_dim", "feature_size")
"""Names under which configurations give the number of frequencies of a sound's features."""


def sample(
    model: PreTrainedModel, parameters: Collection[str], name: str = "the model"
) -> tuple[dict[str, Tensor], set[int]]:
    """Return the inputs by the names of a model's parameters, and the lengths of the sequences that it will read.

    Args:
        parameters: names of what its `forward` takes.

    Raises:
        CannotSample: it takes none of what is known here: texts, images, sounds.
    """
    try:
        inputs, lengths = _made(model, parameters)
    except (AttributeError, TypeError, LookupError) as error:  # its configuration has other fields than those known
        raise CannotSample(name, reason_of(error)) from error
    if not inputs:
        raise CannotSample(name, Why("reads", names=sorted(parameters)[:6]))
    return inputs, lengths


def _made(model: PreTrainedModel, parameters: Collection[str]) -> tuple[dict[str, Tensor], set[int]]:
    config, device = model.config, model.device
    inputs: dict[str, Tensor] = {}
    lengths = {TARGET_LENGTH}
    if "pixel_values" in parameters:
        images, found = _image(model, parameters)
        inputs |= images
        lengths |= found
    if "input_features" in parameters or "input_values" in parameters:
        sounds, found = _sound(model, parameters)
        inputs |= sounds
        lengths |= found
    if "input_ids" in parameters:
        text = text_part(config)
        limit = getattr(text, "max_position_embeddings", None)
        length = min(LENGTH, limit) if isinstance(limit, int) and limit > 0 else LENGTH  # -1: as many as there are
        ids = _ids(text, length, device, _placeholders(config))
        if (token := image_token(config)) is not None and inputs:
            ids = torch.cat([ids.new_full((1, _image_length(model, inputs)), token), ids], dim=1)  # the image first
            if "mm_token_type_ids" in parameters:
                inputs["mm_token_type_ids"] = (ids == token).int()
            if "token_type_ids" in parameters:
                inputs["token_type_ids"] = torch.zeros_like(ids)
        inputs["input_ids"] = ids
        if "attention_mask" in parameters:
            inputs["attention_mask"] = torch.ones_like(ids)
        lengths.add(ids.shape[1])
    if has_decoder(model) and "decoder_input_ids" in parameters and not labels_alone(model):
        inputs["decoder_input_ids"] = _ids(text_part(config), TARGET_LENGTH, device)
    return inputs, lengths


def has_decoder(model: PreTrainedModel) -> bool:
    """Whether a decoder reads what an encoder made; some classes of such a family are the encoder alone."""
    parts = (path.split(".") for path, _ in model.named_modules())
    return bool(model.config.is_encoder_decoder) and any("decoder" in names for names in parts)


def labels_alone(model: PreTrainedModel) -> bool:
    """Whether an encoder-decoder gives labels and writes nothing: its decoder reads the source once more."""
    return LABELS.search(type(model).__name__) is not None


def text_part(config: Any) -> Any:
    """Return the configuration of what reads or writes a text: of a model of several parts, that part's own."""
    part = next((getattr(config, name) for name in ("text_config", "decoder") if hasattr(config, name)), None)
    return config if part is None or isinstance(part, dict) else part


def vision_part(config: Any) -> Any:
    """Return the configuration of what sees the image: of a model of several parts, that part's own."""
    part = next((getattr(config, name) for name in ("vision_config", "encoder") if hasattr(config, name)), None)
    return config if part is None or isinstance(part, dict) else part


def image_token(config: Any) -> int | None:
    """The id of the token that stands for a patch of an image in a text; None: images do not stand in the text."""
    for name in ("image_token_id", "image_token_index"):
        if isinstance(found := getattr(config, name, None), int):
            return found
    return None


def _image_length(model: Any, images: dict[str, Tensor]) -> int:
    """Return how many tokens of a text an image stands for."""
    features = model.get_image_features(**images)
    features = getattr(features, "pooler_output", features)
    parts = features if isinstance(features, list | tuple) else [features]
    return sum(part.numel() // part.shape[-1] for part in parts)


def _image(model: PreTrainedModel, parameters: Collection[str]) -> tuple[dict[str, Tensor], set[int]]:
    vision = vision_part(model.config)
    dtype, device = model.dtype, model.device
    channels = int(getattr(vision, "num_channels", getattr(vision, "in_channels", 3)))
    if "image_grid_thw" in parameters:  # patches in a row, and how many there are across the image
        merged = int(vision.spatial_merge_size)
        rows, columns = 2 * merged, 3 * merged
        numbers = channels * int(getattr(vision, "temporal_patch_size", 1)) * int(vision.patch_size) ** 2
        flat = torch.linspace(-1, 1, rows * columns * numbers, device=device, dtype=dtype)
        grid = torch.tensor([[1, rows, columns]], device=device)
        return {"pixel_values": flat.view(rows * columns, numbers), "image_grid_thw": grid}, {rows * columns}
    height, width = pair(vision.image_size)
    pixels = torch.linspace(-1, 1, channels * height * width, device=device, dtype=dtype)
    patch = pair(getattr(vision, "patch_size", 1))
    patches = (height // patch[0]) * (width // patch[1])
    pixels = pixels.view(1, channels, height, width)
    if "pixel_attention_mask" in parameters:  # several images to a text
        pixels = pixels[None]
    return {"pixel_values": pixels}, {patches + n for n in range(AROUND)}


def _sound(model: Any, parameters: Collection[str]) -> tuple[dict[str, Tensor], set[int]]:
    """Return a wave (B, samples) or its features: (B, bands, frames) or (B, frames, bands), as models differ."""
    config = getattr(model.config, "encoder", model.config)
    name = "input_values" if "input_values" in parameters else "input_features"
    if getattr(config, "conv_stride", None) and name == "input_values":  # the wave itself
        samples = 2 * LENGTH
        for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
            samples = (samples - 1) * stride + kernel
        lengths = set(range(LENGTH, 2 * LENGTH + 2))
        return {name: torch.linspace(-1, 1, samples, device=model.device, dtype=model.dtype)[None]}, lengths
    field = next((field for field in BANDS if isinstance(getattr(config, field, None), int)), BANDS[0])
    bands = int(getattr(config, field))
    if hasattr(config, "max_source_positions") and not hasattr(config, "input_feat_per_channel"):
        shape, length = (1, bands, 2 * config.max_source_positions), config.max_source_positions
    else:
        frames = int(getattr(config, "max_length", None) or FRAMES) if name == "input_values" else 4 * FRAMES
        shape, length = (1, frames, bands), frames
    features = torch.linspace(-1, 1, shape[1] * shape[2], device=model.device, dtype=model.dtype)
    return {name: features.view(shape)}, {length}


def _placeholders(config: Any) -> set[int]:
    """Return the ids of tokens that stand for something else than text."""
    kinds = ("image", "video", "audio", "vision")
    names = [name for name in vars(config) if "token" in name and any(kind in name for kind in kinds)]
    return {value for name in names if isinstance(value := getattr(config, name), int)}


def _ids(config: Any, length: int, device: torch.device, without: Collection[int] = ()) -> Tensor:
    """Ids that mean nothing in particular: no padding among them, and the end of a text where there is one."""
    vocabulary = int(config.vocab_size)
    never = {getattr(config, "pad_token_id", None), *without}
    ids = [index for index in range(max(0, vocabulary - length - len(never)), vocabulary) if index not in never]
    ids = (ids[-length:] * length)[:length]
    end = getattr(config, "eos_token_id", None)
    if isinstance(end, int) and 0 <= end < vocabulary:
        ids[-1] = end
    return torch.tensor([ids], device=device)


def pair(size: Any) -> tuple[int, int]:
    """Return the height and width of a size that may be one number."""
    return (int(size[0]), int(size[1])) if isinstance(size, list | tuple) else (int(size), int(size))
