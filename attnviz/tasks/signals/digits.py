"""Handwritten digits: a picture in patches, and one token that says what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.util import find_spec
from math import radians
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from attnviz.errors import SettingNotOffered
from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.models.recurrent_config import RecurrentConfig
from attnviz.tasks.base import IGNORE, SPLITS, Baseline, Batch, Split, Task, split_of
from attnviz.tasks.choice import one_of
from attnviz.tasks.language.classify import linear_baselines
from attnviz.vectors import NUMBER_ID, Vectors

__all__ = ["Digits", "Picture", "drawn"]

FILE = ("datasets", "data", "digits.csv.gz")  # of scikit-learn
SIDE = 8  # pixels
GREATEST = 16  # value of a pixel
PATCHES = (1, 2, 4)
BITMAP = 32  # pixels of the scans that the pictures were made of
PEN = 2.5  # of these pixels: half the width of a line
TURNED, STRETCHED, SHIFTED = 8.0, 0.05, 1 / SIDE  # degrees; share; in units of half a picture: half a pixel


class Picture(NamedTuple):
    """One image of the collection.

    Attributes:
        pixels: (8, 8), 0 (paper) to 1 (ink).
        label: the digit that was written.
    """

    pixels: Tensor
    label: int


@dataclass(frozen=True)
class Digits(Task):
    """An encoder reads a picture of 8 by 8 pixels in patches, and says at `<bos>` which digit it is.

        read    <bos> 0,0.3125,0,0.8125 ...   the pixels of each patch in reading order, row by row
        write   0

    The pictures are the 1797 that scikit-learn brings; they are split by their pixels, so that each is on one side,
    however often it occurs.

    Example:
        >>> task = Digits()
        >>> batch = task.sample(1, torch.Generator().manual_seed(0), "test")
        >>> batch.tokens.shape, batch.features.shape
        (torch.Size([1, 17]), torch.Size([1, 17, 4]))
        >>> task.labels[batch.targets[0, 0]]
        '8'
        >>> task.tokenizer.decode(batch.tokens[0].tolist(), batch.features[0])[:33]
        '0,0,0,0 0.1875,0.75,0.6875,0.8125'

    Attributes:
        patch: height and width of a patch: smaller ones make more tokens.
        augment: training pictures are turned, stretched and shifted a little, each time anew.

    Raises:
        ConfigError: a patch that is not 1, 2 or 4 pixels wide.

    Source:
        Alpaydin and Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository;
        patches and a token for the whole: Dosovitskiy et al. 2020, section 3.1.
    """

    patch: int = one_of(2, PATCHES)
    augment: bool = one_of(False, (False, True))

    name = "digits"
    architecture = "encoder"
    metric = "accuracy"
    readout = "whole"
    labels = tuple("0123456789")  # the digits

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.patch not in PATCHES:
            raise SettingNotOffered("patch", self.patch, PATCHES)

    @cached_property
    def tokenizer(self) -> Vectors:
        """Patches; sixteenths of black are written in full."""
        rows = SIDE // self.patch
        return Vectors("patches", grid=(rows, rows), patch=(self.patch, self.patch), decimals=4, add_bos=True)

    def pictures(self, split: Split) -> tuple[Picture, ...]:
        """Return all pictures of a split, in the order of the collection."""
        pixels, labels = _collection()[split]
        return tuple(Picture(image, label) for image, label in zip(pixels, labels.tolist(), strict=True))

    def tokens(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Turn pictures (B, 8, 8) into ids (B, T) and numbers (B, T, patch^2), which are 0 for `<bos>`."""
        n, size = len(pixels), self.patch
        cut = pixels.unfold(1, size, size).unfold(2, size, size)  # (B, rows, columns, patch, patch)
        patches = F.pad(cut.reshape(n, -1, size * size), (0, 0, 1, 0))  # (B, T, patch^2)
        ids = torch.full(patches.shape[:2], NUMBER_ID)
        ids[:, 0] = Vectors.bos_id
        return ids, patches

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n pictures of a split, each as probable as the others, whatever was drawn before; see `augment`."""
        images, labels = _collection()[split]
        chosen = torch.randint(len(images), (n,), generator=generator)
        pictures = images[chosen]
        if self.augment and split == "train":
            pictures = _moved(pictures, generator)
        return self._batch(pictures, labels[chosen])

    def items(self, split: Split = "test") -> Batch:
        """Return all pictures of a split, in the order of the collection."""
        return self._batch(*_collection()[split])

    def same_test(self, other: Task) -> bool:
        """Also where one learns from pictures that are moved."""
        return isinstance(other, Digits) and other.patch == self.patch

    def _batch(self, images: Tensor, labels: Tensor) -> Batch:
        tokens, features = self.tokens(images)
        targets = torch.full_like(tokens, IGNORE)
        targets[:, 0] = labels
        return Batch(tokens, targets, features=features)

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Return the most frequent digit, and a linear model of all pixels."""
        return linear_baselines("logistic regression", _collection()["train"], _collection()["test"])

    def is_like(self, symbols: Sequence[str]) -> bool:
        """A whole picture."""
        rows, columns = self.tokenizer.grid
        return len(symbols) == rows * columns

    def model_config(self) -> ModelConfig:
        """Return a network of two layers of two heads; learned positions, because a picture's layout is fixed."""
        return self.transformer(
            (SIDE // self.patch) ** 2 + 1, d_ff=96, embedding_std=0.2, n_features=self.tokenizer.width
        )

    def recurrent_config(self) -> RecurrentConfig:
        """Return an LSTM that reads the patches one after the other, in both directions."""
        return replace(super().recurrent_config(), embedding_std=0.2)

    def texts(self) -> tuple[Example, ...]:
        """Return the first test picture of some digits."""
        pictures = self.pictures("test")
        first = [next(picture for picture in pictures if picture.label == label) for label in (0, 3, 7, 8)]
        ids, features = self.tokens(torch.stack([picture.pixels for picture in first]))
        return tuple(self.tokenizer.decode(*row) for row in zip(ids.tolist(), features, strict=True))


def _moved(pictures: Tensor, generator: Generator) -> Tensor:
    """Pictures (B, 8, 8) turned, stretched and shifted at random, with bilinear interpolation; paper comes in.

    Each is turned by up to 8 degrees either way, made up to a twentieth larger or smaller, and shifted by up to half
    a pixel in each direction.
    """
    n = len(pictures)
    turn, size, right, down = 2 * torch.rand(4, n, generator=generator) - 1  # (B,) each, -1 to 1
    angle, scale = turn * radians(TURNED), 1 + STRETCHED * size
    rows = (
        torch.stack((scale * angle.cos(), -scale * angle.sin(), right * SHIFTED), 1),
        torch.stack((scale * angle.sin(), scale * angle.cos(), down * SHIFTED), 1),
    )
    grid = F.affine_grid(torch.stack(rows, 1), [n, 1, SIDE, SIDE], align_corners=False)
    return F.grid_sample(pictures[:, None], grid, align_corners=False)[:, 0]


def drawn(lines: Sequence[Sequence[tuple[float, float]]]) -> Tensor:
    """Return what somebody drew as a picture (8, 8), 0 to 1, made as those of the collection were.

    The drawing fills a bitmap of 32 by 32 from the top to the bottom; a pixel of the picture is the share of ink in a
    block of 4 by 4.

    Args:
        lines: points (x, y) of each line that was drawn, to the right and down, in any unit.

    Example:
        >>> drawn([[(0.5, 0.2), (0.5, 0.8)]])[:, 3].tolist()
        [0.625, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.625]

    Source:
        Alpaydin and Kaynak 1998, as for `Digits`.
    """
    points = torch.tensor([point for line in lines for point in line], dtype=torch.float32)
    low, high = points.amin(0), points.amax(0)
    scale = (BITMAP - 2 * PEN) / max(float((high - low).max()), 1e-6)
    middle = (low + high) / 2
    y, x = torch.meshgrid(torch.arange(BITMAP) + 0.5, torch.arange(BITMAP) + 0.5, indexing="ij")
    pixels = torch.stack((x, y), -1)  # (32, 32, 2)
    ink = torch.zeros(BITMAP, BITMAP, dtype=torch.bool)
    for line in lines:
        ends = (torch.tensor(line, dtype=torch.float32) - middle) * scale + BITMAP / 2  # (n, 2)
        for start, end in zip(ends, [*ends[1:], ends[-1]], strict=True):
            ink |= _distance(pixels, start, end) <= PEN
    return F.avg_pool2d(ink.float()[None, None], BITMAP // SIDE)[0, 0]


def _distance(pixels: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """(..., 2), (2,), (2,) -> (...): how far points are from the line between two others."""
    along = end - start
    share = ((pixels - start) @ along / along.dot(along).clamp(min=1e-12)).clamp(0, 1)
    away: Tensor = pixels - start - share[..., None] * along
    return away.square().sum(-1).sqrt()


Collection = dict[Split, tuple[Tensor, Tensor]]


@lru_cache(maxsize=1)
def _collection() -> Collection:
    """Load the pictures (N, 8, 8), from 0 to 1, and digits (N,) of each split."""
    spec = find_spec("sklearn")  # importing it takes seconds
    assert spec is not None  # it is required
    assert spec.submodule_search_locations
    table = np.loadtxt(Path(spec.submodule_search_locations[0], *FILE), delimiter=",")  # (N, 65): pixels and digit
    data, target = torch.from_numpy(table[:, :-1]), torch.from_numpy(table[:, -1])
    found = split_of(data.long())
    pixels = (data / GREATEST).float().reshape(-1, SIDE, SIDE)
    places = {split: torch.tensor([i for i, each in enumerate(found) if each == split]) for split in SPLITS}
    return {split: (pixels[chosen], target.long()[chosen]) for split, chosen in places.items()}
