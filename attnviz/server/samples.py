"""Images to begin with, drawn by code: simple scenes that a model of images can name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from PIL import Image, ImageDraw

__all__ = ["SAMPLES", "sample_image"]

SIDE = 384
FINER = 3  # drawn larger, then scaled down, so that edges are smooth


class Brush:
    """Draws on a square image; places and widths are hundredths of its side."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image)
        self._scale = image.width / 100

    def rectangle(self, box: Sequence[float], fill: str) -> None:
        """Left, top, right, bottom."""
        self._draw.rectangle([self._scale * each for each in box], fill=fill)

    def ellipse(self, box: Sequence[float], fill: str) -> None:
        """Left, top, right, bottom."""
        self._draw.ellipse([self._scale * each for each in box], fill=fill)

    def polygon(self, corners: Sequence[tuple[float, float]], fill: str) -> None:
        """Each corner's x and y."""
        self._draw.polygon([(self._scale * x, self._scale * y) for x, y in corners], fill=fill)

    def line(self, ends: Sequence[float], fill: str, width: float) -> None:
        """Draw a line between two points, (x, y) each."""
        self._draw.line([self._scale * each for each in ends], fill=fill, width=round(self._scale * width))


def _shapes(draw: Brush) -> None:
    """A red circle, a blue square and a green triangle on white."""
    draw.ellipse((12, 12, 50, 50), fill="#d62d20")
    draw.rectangle((54, 20, 90, 56), fill="#1f5fbf")
    draw.polygon(((30, 90), (70, 90), (50, 58)), fill="#2e9e4f")


def _house(draw: Brush) -> None:
    """A house with a tree under the sun."""
    draw.rectangle((0, 0, 100, 66), fill="#9fd0f5")
    draw.rectangle((0, 66, 100, 100), fill="#6aa84f")
    draw.ellipse((74, 8, 92, 26), fill="#ffd23f")
    draw.rectangle((18, 46, 58, 80), fill="#f2e2c4")
    draw.polygon(((12, 46), (64, 46), (38, 24)), fill="#a8412f")
    draw.rectangle((33, 60, 43, 80), fill="#6b4226")
    draw.rectangle((22, 53, 30, 61), fill="#5b8fb9")
    draw.rectangle((47, 53, 55, 61), fill="#5b8fb9")
    draw.rectangle((77, 60, 82, 82), fill="#6b4226")
    draw.ellipse((66, 36, 93, 64), fill="#38761d")


def _cat(draw: Brush) -> None:
    """The face of a cat."""
    draw.rectangle((0, 0, 100, 100), fill="#dfe7ee")
    draw.polygon(((22, 44), (24, 10), (48, 30)), fill="#d98b3a")
    draw.polygon(((78, 44), (76, 10), (52, 30)), fill="#d98b3a")
    draw.ellipse((18, 24, 82, 86), fill="#e8a04c")
    for x in (38, 62):
        draw.ellipse((x - 8, 44, x + 8, 58), fill="#fdfdf5")
        draw.ellipse((x - 3, 45, x + 3, 57), fill="#222222")
    draw.polygon(((45, 63), (55, 63), (50, 69)), fill="#c4596b")
    draw.line((50, 69, 50, 74), fill="#4a2c12", width=0.9)
    for y in (-4, 0, 4):
        draw.line((40, 70, 12, 68 + 2 * y), fill="#4a2c12", width=0.6)
        draw.line((60, 70, 88, 68 + 2 * y), fill="#4a2c12", width=0.6)


SAMPLES: Mapping[str, Callable[[Brush], None]] = {"house": _house, "cat": _cat, "shapes": _shapes}
"""How each sample is drawn, in hundredths of its side."""


@cache
def sample_image(name: str) -> Image.Image:
    """Return a sample, 384 x 384 pixels, drawn on the first call.

    Raises:
        KeyError: there is none of that name.

    Example:
        >>> sample_image("shapes").getpixel((0, 0))
        (255, 255, 255)
    """
    image = Image.new("RGB", (SIDE * FINER, SIDE * FINER), "white")
    SAMPLES[name](Brush(image))
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
