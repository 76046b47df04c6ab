"""Data that somebody brought: read as text, and divided so that nothing is on two sides."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import torch
from torch import Generator, Tensor

from attnviz.errors import DataEncoding, DataTooFew
from attnviz.tasks.base import Split

__all__ = ["LEAST_TEXTS", "decoded", "divided", "picked", "tiles"]

LEAST_TEXTS = 20


def decoded(data: bytes) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises:
        DataEncoding: it is in another encoding, or no text; names the first line that cannot be read.

    Example:
        >>> decoded("不错,positive".encode())
        '不错,positive'
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataEncoding(data.count(b"\n", 0, error.start) + 1) from None
    if "\0" in text:  # UTF-16 of English letters, or no text at all
        raise DataEncoding(text.count("\n", 0, text.index("\0")) + 1)
    return text


def divided(texts: Iterable[str]) -> dict[str, Split]:
    """The split of each text: by the order of their hashes, a tenth each for test and validation.

    The same text is always on one side, however often and wherever in the data it stands.

    Raises:
        DataTooFew: fewer than 20 different texts.

    Example:
        >>> sides = divided(map(str, range(50)))
        >>> [side for side in sides.values()].count("test")
        5
    """
    ranked = sorted(set(texts), key=lambda text: sha256(text.encode()).digest())
    if len(ranked) < LEAST_TEXTS:
        raise DataTooFew(len(ranked), LEAST_TEXTS)
    part = len(ranked) // 10
    sizes: dict[Split, int] = {"test": part, "validation": part, "train": len(ranked) - 2 * part}
    return dict(zip(ranked, (side for side, size in sizes.items() for _ in range(size)), strict=True))


def picked(size: int, n: int, generator: Generator) -> list[int]:
    """n indices below `size` in random order; none comes again before all have come.

    Example:
        >>> sorted(picked(3, 6, Generator().manual_seed(0)))
        [0, 0, 1, 1, 2, 2]
    """
    rounds = [torch.randperm(size, generator=generator) for _ in range(-(-n // size))]
    return torch.cat(rounds)[:n].tolist()


def tiles(size: int, length: int, context: int = 0) -> tuple[Tensor, Tensor]:
    """Pieces that go once over a text or a series, so that each value is scored once, but for the first `context`.

    Args:
        size: values there are.
        length: of a piece, at most `size`.
        context: values at the beginning of a piece that are read and not scored.

    Returns:
        Where each piece begins, and the place in it of the first value that is scored; (n,) each.

    Example:
        >>> tiles(10, 4)
        (tensor([0, 4, 6]), tensor([0, 0, 2]))
        >>> tiles(10, 4, context=2)
        (tensor([0, 2, 4, 6]), tensor([2, 2, 2, 2]))
    """
    last = size - length
    starts = [*range(0, last + 1, length - context)]
    first = [context] * len(starts)
    if starts[-1] < last:
        first.append(starts[-1] + length - last)
        starts.append(last)
    return torch.tensor(starts), torch.tensor(first)
