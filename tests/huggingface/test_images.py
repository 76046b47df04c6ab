"""The picture that is shown, and the pixels that are read, are those of transformers' own loader and processor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image
from transformers.image_utils import load_image

from attnviz.huggingface import trace_text, wrap
from tests.huggingface.architectures import ARCHITECTURES

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}
SIZE = {"height": 24, "width": 24}


def processor(**changes: Any) -> Any:
    return hf.ViTImageProcessorPil(**{"size": SIZE, **changes})


def gradient(mode: str = "RGB") -> Image.Image:
    levels = np.linspace(0, 255, 40)[:, None] * np.linspace(0.2, 1, 60)
    colours = np.stack([levels, levels[::-1], 255 - levels], -1).round().astype(np.uint8)
    return Image.fromarray(colours).convert(mode)


def upright(path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    gradient().save(path, exif=exif, quality=95)


def several(path: Path) -> None:
    gradient().save(path, save_all=True, append_images=[Image.new("RGB", (60, 40), "white")])


def palette(path: Path) -> None:
    gradient().quantize(16).save(path, transparency=b"\x00\x80\xff")


def seen_through(path: Path) -> None:
    picture = gradient("RGBA")
    picture.putalpha(gradient("L"))
    picture.save(path)


def deep(kind: type[np.generic], most: float) -> Callable[[Path], None]:
    """Grey in more than eight bits: transformers' loader cuts it off at 255."""
    levels = np.linspace(0, most, 40)[:, None] * np.linspace(0.2, 1, 60)
    return lambda path: Image.fromarray(levels.astype(kind)).save(path)


PICTURES: dict[str, Callable[[Path], None]] = {
    "plain.png": lambda path: gradient().save(path),
    **{f"turned{n}.jpg": (lambda path, n=n: upright(path, n)) for n in range(2, 9)},
    "alpha.png": seen_through,
    "palette.png": palette,
    "grey.png": lambda path: gradient("L").save(path),
    "deep.png": deep(np.uint16, 65535),
    "deep.tiff": deep(np.uint16, 65535),
    "dark.png": deep(np.uint16, 300),
    "whole.tiff": deep(np.int32, 70000),
    "real.tiff": deep(np.float32, 300),
    "one.tiff": deep(np.float32, 1),
    "black.png": lambda path: gradient("1").save(path),
    "print.jpg": lambda path: gradient("CMYK").save(path),
    "moving.gif": several,
    "moving.webp": several,
}


@pytest.mark.filterwarnings("ignore:Palette images")
@pytest.mark.parametrize("name", PICTURES)
def test_pixels_are_those_of_the_own_loader_and_processor(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    PICTURES[name](path)
    model = wrap(BUILD["ViT"](), processor=processor())
    with Image.open(path) as opened:
        own = processor()(images=load_image(opened), return_tensors="pt")["pixel_values"]
        traces = [trace_text(model, "", image=source) for source in (str(path), opened)]
    for trace in traces:
        assert torch.equal(trace.forward_pass.given["pixel_values"], own)
        assert trace.image is not None
        np.testing.assert_allclose(trace.image, (own[0].numpy() * 0.5 + 0.5).transpose(1, 2, 0) * 255, atol=0.51)


@pytest.mark.parametrize(
    "changes",
    [
        {"do_rescale": False},
        {"do_rescale": False, "do_normalize": False},
        {"do_normalize": False},
        {"rescale_factor": 1 / 127.5},
        {"image_mean": [0.1, 0.2, 0.3], "image_std": [2.0, 0.5, 1.0]},
    ],
)
def test_people_see_the_picture_whatever_is_done_to_its_brightness(changes: dict[str, Any]) -> None:
    plain = trace_text(wrap(BUILD["ViT"](), processor=processor()), "", image=gradient()).image
    shown = trace_text(wrap(BUILD["ViT"](), processor=processor(**changes)), "", image=gradient()).image
    assert plain is not None
    assert shown is not None
    np.testing.assert_allclose(shown.astype(float), plain.astype(float), atol=1)


def test_a_model_of_grey_pictures_gets_one_channel() -> None:
    grey = processor(image_mean=[0.5], image_std=[0.5])
    trace = trace_text(wrap(BUILD["ViT"](num_channels=1), processor=grey), "", image=gradient())
    own = grey(images=gradient("L"), return_tensors="pt")["pixel_values"]
    assert own.shape[1] == 1
    assert torch.equal(trace.forward_pass.given["pixel_values"], own)
    assert trace.image is not None
    assert trace.image.shape == (24, 24, 3)
