"""Images: from a file to what a model sees, and where its patches lie."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from attnviz.errors import ImageUnreadable, NoProcessor
from attnviz.errors.base import Why
from attnviz.huggingface.labels import plain_tokens
from attnviz.huggingface.sample import pair, vision_part
from attnviz.trace import Grid, Tokens

if TYPE_CHECKING:
    from attnviz.huggingface.model import HuggingFaceModel

__all__ = ["Picture", "open_image", "patches", "see"]

MAX_PIXELS = 50_000_000
MAX_RATIO = 100


class Picture(NamedTuple):
    """Image as a model reads it.

    Attributes:
        pixels: as it reads them (1, channels, height, width).
        seen: the same for people (height, width, 3) bytes: cropped and scaled, brightness as it was.
    """

    pixels: Tensor
    seen: np.ndarray


def open_image(source: Any, channels: int = 3) -> Image.Image:
    """An image as transformers' own `load_image` gives it: upright, as its camera noted, its first frame, in colours.

    Grey in more than eight bits is cut off at 255, as there: that is what the model is given.

    Args:
        source: a path, a file, bytes as an array (height, width, 3) or (height, width), or an image itself.
        channels: channels that the model reads; 1: in grey.

    Raises:
        ImageUnreadable: it is not an image, or larger than 50 million pixels.
    """

    def upright(image: Image.Image) -> Image.Image:
        return ImageOps.exif_transpose(image).convert("L" if channels == 1 else "RGB")

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs, our own limit is lower; of transparency, which is left out
            if isinstance(source, np.ndarray):
                return upright(_of_array(source))
            if isinstance(source, Image.Image):
                return upright(source)
            with Image.open(Path(source) if isinstance(source, str) else source) as image:
                size = image.width * image.height
                if size <= MAX_PIXELS:
                    return upright(image)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, TypeError, AttributeError) as error:
        raise ImageUnreadable(_reason(error)) from error
    except Image.DecompressionBombError as error:
        raise ImageUnreadable(Why("most-pixels", most=MAX_PIXELS)) from error
    raise ImageUnreadable(Why("most-pixels", most=MAX_PIXELS))


def _of_array(source: np.ndarray) -> Image.Image:
    wanted = ImageUnreadable(f"an array (height, width, 3) of bytes is wanted, not {source.dtype} {source.shape}")
    if source.dtype != np.uint8 or source.ndim not in (2, 3) or 0 in source.shape:
        raise wanted
    try:
        return Image.fromarray(source)
    except TypeError as error:  # so many channels
        raise wanted from error


def _reason(error: Exception) -> str:
    if isinstance(error, TypeError | AttributeError):
        return "a path, a PIL image or an array of bytes is wanted"
    if isinstance(error, FileNotFoundError):
        return f"{Path(str(error.filename)).name} does not exist"
    return Why("not-image") if isinstance(error, UnidentifiedImageError) else type(error).__name__


def see(model: HuggingFaceModel, source: Any) -> Picture:
    """Prepare an image with the model's own processor.

    Raises:
        ImageUnreadable: it is not an image, or too large.
        NoProcessor: the model has none.
    """
    processor = model.processor
    if processor is None:
        raise NoProcessor(model.name)
    image = open_image(source, int(getattr(vision_part(model.config), "num_channels", 3) or 3))
    if max(image.size) > MAX_RATIO * min(image.size):  # a processor makes the shorter side as long as the model wants
        raise ImageUnreadable(Why("elongated", width=image.width, height=image.height, ratio=MAX_RATIO))
    pixels: Tensor = processor(images=image, return_tensors="pt")["pixel_values"]
    seen = _seen(processor, pixels[0].float().numpy())
    return Picture(pixels.to(model.network.device, model.network.dtype), seen)


def _seen(processor: Any, pixels: np.ndarray) -> np.ndarray:
    """Pixels (channels, height, width) for people (height, width, 3): what the processor did to brightness undone."""
    if getattr(processor, "do_normalize", True):
        mean, std = (np.array(values)[:, None, None] for values in (processor.image_mean, processor.image_std))
        pixels = pixels * std + mean
    if getattr(processor, "do_rescale", True):
        pixels = pixels / (getattr(processor, "rescale_factor", None) or 1 / 255)
    seen = pixels.clip(0, 255).round().astype(np.uint8).transpose(1, 2, 0)
    return seen.repeat(3, axis=2) if seen.shape[2] == 1 else seen[..., :3]


def patches(
    model: HuggingFaceModel, pixels: Tensor, length: int | None = None, order: Sequence[int] | None = None
) -> Tokens:
    """The patches of an image as tokens, "row,column", and the model's own tokens before or behind them, by name.

    Args:
        pixels: pixels that it reads (B, channels, height, width).
        length: how many tokens attend; None: as many as there are patches.
        order: order of the patches, where the model shuffles them and may read only the first ones; None: in rows.
    """
    vision = vision_part(model.config)
    if pixels.ndim != 4 or not hasattr(vision, "patch_size"):  # patches in a row, or none at all
        return plain_tokens(length or 0)
    height, width = pair(vision.patch_size)
    rows, columns = pixels.shape[2] // height, pixels.shape[3] // width
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    length = len(cells) if length is None else length
    before, behind = _own_tokens(model)
    extra = len(before) + len(behind)
    if order is not None and sorted(order) == list(range(len(cells))):
        cells = [cells[place] for place in order[: max(0, length - extra)]]
    elif length == len(cells):  # such as the average of all that some end with
        before, behind = [], []
    if len(before) + len(cells) + len(behind) != length:  # these are no patches of that size
        return plain_tokens(length)
    labels = (*before, *(f"{row},{column}" for row, column in cells), *behind)
    specials = (*range(len(before)), *range(length - len(behind), length))
    if order is None:
        return Tokens((), labels, specials, grid=Grid(rows, columns, len(before)))
    return Tokens((), labels, specials)


def _own_tokens(model: HuggingFaceModel) -> tuple[list[str], list[str]]:
    """Return the names of the tokens that an image model puts before and behind the patches, as its parameters tell."""
    counts = {
        path.rpartition(".")[2]: max(1, parameter.numel() // parameter.shape[-1])
        for path, parameter in model.network.named_parameters()
        if parameter.ndim in (1, 3) and "decoder" not in path.split(".")
    }

    def named(kind: str, *parameters: str) -> list[str]:
        count = max((counts.get(name, 0) for name in parameters), default=0)
        return [f"[{kind}]"] if count == 1 and kind != "REG" else [f"[{kind}{n}]" for n in range(1, count + 1)]

    before = [
        *named("CLS", "cls_token", "class_token", "class_embedding"),
        *named("DISTILL", "distillation_token"),
        *named("REG", "register_tokens", "reg_tokens"),
    ]
    return before, named("DET", "detection_tokens")
