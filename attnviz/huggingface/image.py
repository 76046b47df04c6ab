"""Images: from a file to what a model sees, and where its patches lie."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from attnviz.errors import ImageUnreadable, NoProcessor
from attnviz.huggingface.labels import plain_tokens
from attnviz.huggingface.sample import pair, vision_part
from attnviz.trace import Grid, Tokens

if TYPE_CHECKING:
    from attnviz.huggingface.model import HuggingFaceModel

__all__ = ["Picture", "open_image", "patches", "see"]

MAX_PIXELS = 50_000_000
MAX_RATIO = 100


class Picture(NamedTuple):
    """What a model sees.

    Attributes:
        pixels: as it reads them (1, channels, height, width).
        seen: the same for people (height, width, 3) bytes: cropped and scaled, brightness as it was.
    """

    pixels: Tensor
    seen: np.ndarray


def open_image(source: Any) -> Image.Image:
    """An image from a path, a file, bytes as an array (height, width, 3), or an image itself.

    Raises:
        ImageUnreadable: it is not an image, or larger than 50 million pixels.
    """
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim not in (2, 3) or 0 in source.shape:
            raise ImageUnreadable(f"an array (height, width, 3) of bytes is wanted, not {source.dtype} {source.shape}")
        try:
            return Image.fromarray(source).convert("RGB")
        except TypeError as error:  # so many channels
            raise ImageUnreadable(f"an array of the shape {source.shape}") from error
    if isinstance(source, Image.Image):
        return source.convert("RGB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
            with Image.open(Path(source) if isinstance(source, str) else source) as image:
                size = image.width * image.height
                if size <= MAX_PIXELS:
                    return image.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, TypeError, AttributeError) as error:
        raise ImageUnreadable(_reason(error)) from error
    except Image.DecompressionBombError as error:
        raise ImageUnreadable(f"it has more than {MAX_PIXELS:,} pixels") from error
    raise ImageUnreadable(f"it has {size:,} pixels, at most {MAX_PIXELS:,} can be read")


def _reason(error: Exception) -> str:
    if isinstance(error, TypeError | AttributeError):
        return "a path, a PIL image or an array of bytes is wanted"
    if isinstance(error, FileNotFoundError):
        return f"{Path(str(error.filename)).name} does not exist"
    return "it is not an image" if isinstance(error, UnidentifiedImageError) else type(error).__name__


def see(model: HuggingFaceModel, source: Any) -> Picture:
    """What a model sees of an image, by its own processor.

    Raises:
        ImageUnreadable: it is not an image, or too large.
        NoProcessor: the model has none.
    """
    image = open_image(source)
    if max(image.size) > MAX_RATIO * min(image.size):  # a processor makes the shorter side as long as the model wants
        reason = f"{image.width:,} x {image.height:,} pixels, one side more than {MAX_RATIO} times the other"
        raise ImageUnreadable(reason)
    processor = model.processor
    if processor is None:
        raise NoProcessor(model.name)
    pixels: Tensor = processor(images=image, return_tensors="pt")["pixel_values"]
    mean, std = (np.array(values)[:, None, None] for values in (processor.image_mean, processor.image_std))
    shown = pixels[0].numpy() * std + mean if getattr(processor, "do_normalize", True) else pixels[0].numpy()
    seen = (shown.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)
    if seen.shape[2] == 1:
        seen = seen.repeat(3, axis=2)
    return Picture(pixels.to(model.network.device, model.network.dtype), seen)


def patches(config: Any, pixels: Tensor, length: int | None = None) -> Tokens:
    """The patches of an image as tokens, "row,column"; what stands before them are the model's own.

    Args:
        config: of the model.
        pixels: that it reads (B, channels, height, width).
        length: how many tokens attend; None: as many as there are patches.
    """
    vision = vision_part(config)
    if pixels.ndim != 4 or not hasattr(vision, "patch_size"):  # patches in a row, or none at all
        return plain_tokens(length or 0)
    height, width = pair(vision.patch_size)
    rows, columns = pixels.shape[2] // height, pixels.shape[3] // width
    length = rows * columns if length is None else length
    extra = length - rows * columns
    if not 0 <= extra <= 16:  # these are no patches of that size
        return plain_tokens(length)
    names = ["[CLS]", *(f"[REG{n}]" for n in range(1, extra))][:extra]
    labels = (*names, *(f"{row},{column}" for row in range(rows) for column in range(columns)))
    return Tokens((), labels, tuple(range(extra)), grid=Grid(rows, columns, extra))
