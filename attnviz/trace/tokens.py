"""The tokens of one sequence, as views name and group them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Grid", "Tokens"]


class Grid(NamedTuple):
    """Places of tokens on an image.

    Attributes:
        rows: rows of patches of the whole image.
        columns: likewise.
        offset: the token of the first patch; the others follow in reading order.
        cells: (row, column) of every token, where they are not in reading order; () where they are.
    """

    rows: int
    columns: int
    offset: int = 0
    cells: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Tokens:
    """One sequence of tokens.

    Attributes:
        ids: ids of the tokens; () where they have none, as the patches of an image.
        labels: what stands for each token.
        specials: positions of tokens that the text does not contain, such as `[CLS]` or `<bos>`.
        words: index of the word that each token is part of, None for special tokens; () where tokens are not parts.
        segments: sentence of each token, 0 for A and 1 for B, None for special tokens; () where there is one sentence.
        grid: where the tokens lie on an image, else None.
    """

    ids: tuple[int, ...]
    labels: tuple[str, ...]
    specials: tuple[int, ...] = ()
    words: tuple[int | None, ...] = ()
    segments: tuple[int | None, ...] = ()
    grid: Grid | None = None

    def __len__(self) -> int:
        return len(self.labels)
