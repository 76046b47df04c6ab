"""Lists of numbers as text: the same face as a tokenizer, for series, pictures and sounds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any, Literal, cast, get_args

import torch
from torch import Tensor

from attnviz.errors import EmptyText, NotNumbers, SettingNotOffered, SettingOutside
from attnviz.tokenizers import SPECIALS, Tokenizer

__all__ = ["Layout", "Reader", "Vectors", "reader_from_dict"]

Layout = Literal["series", "patches", "frames"]
SYMBOL = "number"
NUMBER_ID = len(SPECIALS)


@dataclass(frozen=True)
class Vectors:
    """Reads numbers: tokens are separated by white space, the numbers of one token by commas.

    Every token has the same id; what sets tokens apart is their numbers, the model's `features`.

    Attributes:
        layout: what the tokens are: points of a "series" (one number each), "patches" of a picture in reading order,
            or "frames" of a sound (one number for each band of frequencies, the lowest first).
        low: the least number that can be read.
        high: the greatest.
        grid: rows and columns: of patches in a picture; () for the others.
        patch: height and width of a patch in pixels; () for the others.
        bands: numbers of a frame.
        decimals: decimals that numbers are written with.
        add_bos: a text begins with `<bos>`, whose numbers are 0.

    Example:
        >>> vectors = Vectors("patches", grid=(1, 2), patch=(1, 2), add_bos=True)
        >>> vectors.encode("0,0.5 1,0")
        [1, 3, 3]
        >>> vectors.features("0,0.5 1,0").tolist()
        [[0.0, 0.0], [0.0, 0.5], [1.0, 0.0]]
    """

    layout: Layout
    low: float = 0.0
    high: float = 1.0
    grid: tuple[int, ...] = ()
    patch: tuple[int, ...] = ()
    bands: int = 1
    decimals: int = 2
    add_bos: bool = False

    kind = "vectors"
    n_specials = len(SPECIALS)
    pad_id, bos_id, eos_id = Tokenizer.pad_id, Tokenizer.bos_id, Tokenizer.eos_id
    vocab = (*SPECIALS, SYMBOL)
    vocab_size = len(vocab)

    def __post_init__(self) -> None:
        if self.layout not in get_args(Layout):
            raise SettingNotOffered("layout", self.layout, get_args(Layout))
        if (len(self.grid), len(self.patch)) != ((2, 2) if self.layout == "patches" else (0, 0)):
            raise SettingOutside("grid, patch", f"{self.grid}, {self.patch}", "patches")

    @property
    def width(self) -> int:
        """Numbers of a token."""
        return prod(self.patch) if self.layout == "patches" else self.bands

    def split(self, text: str) -> list[str]:
        """Return the tokens of a text, readable or not; commas may have white space behind them."""
        return re.sub(r"\s*,\s*", ",", text).split()

    def encode(self, text: str) -> list[int]:
        """Return the ids of the tokens of a text, with `<bos>` where it is added.

        Raises:
            EmptyText: nothing but white space.
            NotNumbers: names the first token that cannot be read, and why.
        """
        return [self.bos_id] * self.add_bos + [NUMBER_ID] * len(self._read(text))

    def features(self, text: str) -> Tensor:
        """Return the numbers of a text: (T, width); zeros for `<bos>`.

        Raises:
            EmptyText, NotNumbers: as `encode`.
        """
        rows = self._read(text)
        return torch.tensor([[0.0] * self.width] * self.add_bos + rows)

    def _read(self, text: str) -> list[list[float]]:
        tokens = self.split(text)
        if not tokens:
            raise EmptyText
        return [self._numbers(token, place) for place, token in enumerate(tokens, start=1)]

    def _numbers(self, token: str, place: int) -> list[float]:
        try:
            numbers = [float(part) for part in token.split(",")]
        except ValueError:
            raise NotNumbers(token, place, self.width, self.low, self.high) from None
        if len(numbers) != self.width or not all(isfinite(n) and self.low <= n <= self.high for n in numbers):
            raise NotNumbers(token, place, self.width, self.low, self.high)
        return numbers

    def decode(self, ids: Iterable[int], features: Tensor | None = None) -> str:
        """Return the text of tokens: (T,) ids and their (T, width) numbers, which are rounded to `decimals`."""
        assert features is not None, "without numbers there is nothing to write"
        rows = zip(ids, features.tolist(), strict=True)
        return " ".join(self._written(row) for index, row in rows if index >= self.n_specials)

    def _written(self, row: Sequence[float]) -> str:
        texts = (f"{number:z.{self.decimals}f}" for number in row)  # z: no sign before a 0
        return ",".join(text.rstrip("0").rstrip(".") if "." in text else text for text in texts)

    def picture(self, features: Tensor) -> Tensor:
        """Return the pixels (height, width) that patches, the last rows of (T, width) numbers, were cut from.

        Example:
            >>> vectors = Vectors("patches", grid=(1, 2), patch=(1, 2), add_bos=True)
            >>> vectors.picture(vectors.features("0,0.5 1,0")).tolist()
            [[0.0, 0.5, 1.0, 0.0]]
        """
        (rows, columns), (height, width) = self.grid, self.patch
        patches = features[len(features) - rows * columns :].reshape(rows, columns, height, width)
        return patches.transpose(1, 2).reshape(rows * height, columns * width)

    def image(self, features: Tensor) -> Tensor | None:
        """The picture or the spectrogram that a sequence is, low frequencies at the bottom; None: it is a series.

        A part of a picture is none.

        Returns:
            (height, width) uint8, 0 for `low` and 255 for `high`.
        """
        if self.layout == "series":
            return None
        numbers = features[self.add_bos :]  # (T, width)
        if self.layout == "patches" and len(numbers) != prod(self.grid):
            return None
        pixels = self.picture(numbers) if self.layout == "patches" else numbers.T.flip(0)
        return ((pixels - self.low) / (self.high - self.low) * 255).round().to(torch.uint8)

    def label(self, index: int) -> str:
        """Name of a token id."""
        return self.vocab[index]

    def labels(self, ids: Sequence[int], features: Tensor | None = None) -> tuple[str, ...]:
        """Return the label of each token: a point's number, a patch's row and column, a frame's place in time."""
        assert features is not None, "without numbers there is nothing to write"
        first = next((i for i, index in enumerate(ids) if index >= self.n_specials), len(ids))
        return tuple(
            self.label(index) if index < self.n_specials else self._label(place - first, row)
            for place, (index, row) in enumerate(zip(ids, features.tolist(), strict=True))
        )

    def _label(self, place: int, row: Sequence[float]) -> str:
        if self.layout == "series":
            return self._written(row)
        if self.layout == "patches":
            return f"{place // self.grid[1] + 1},{place % self.grid[1] + 1}"
        return str(place + 1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"kind": self.kind, **vars(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Vectors:
        """Return the reader that `to_dict` described."""
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        del given["kind"]
        return cls(**cast(Any, given))


Reader = Tokenizer | Vectors
"""Makes tokens of a text."""


def reader_from_dict(values: dict[str, Any]) -> Reader:
    """Return the tokenizer or the vectors that `to_dict` described."""
    return Vectors.from_dict(values) if values.get("kind") == Vectors.kind else Tokenizer.from_dict(values)
