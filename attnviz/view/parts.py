"""Numbers inside a page of text: what `attnviz.view.standalone` writes and `static/export/embedded.js` reads back.

numbers   bytes in memory: a payload (`attnviz.view.payload`), or the rounded weights of one site (`rounded_weights`)
planes    all first bytes of every number, then all second bytes ...: alike bytes side by side deflate better
deflate   without header (RFC 1951); the browser inflates it when somebody looks
base 64   letters that mean nothing in HTML
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from attnviz.trace import AttentionSite

__all__ = ["Part", "Rounding", "deflated", "rounded_weights"]


class Rounding(NamedTuple):
    """Weights as whole numbers of steps: round(weight * levels) / levels, so off by half a step at most.

    Attributes:
        levels: steps between 0 and 1.
        decimals: digits behind the point that a multiple of a step has at most.
    """

    levels: int
    decimals: int

    @property
    def step(self) -> float:
        """1 / levels."""
        return 1 / self.levels


class Part(NamedTuple):
    """Numbers as text.

    Attributes:
        text: the deflated numbers in base 64.
        planes: bytes of one number.
    """

    text: str
    planes: int


def deflated(raw: bytes, planes: int = 1) -> Part:
    """Return the bytes as a part of a page.

    Args:
        raw: the numbers; zeros are added up to a multiple of `planes`.
        planes: bytes of one number: 4 for float32, 2 for uint16.

    Example:
        >>> len(deflated(bytes(100_000), planes=4).text) < 200
        True
    """
    raw += bytes(-len(raw) % planes)
    apart = np.frombuffer(raw, np.uint8).reshape(-1, planes).T  # (planes, numbers)
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    packed = packer.compress(apart.tobytes()) + packer.flush()
    return Part(b64encode(packed).decode("ascii"), planes)


def rounded_weights(site: AttentionSite, heads: Sequence[int], rounding: Rounding) -> bytes:
    """Return the weights of some heads of a site in steps, uint16.

    First, for every query, how many keys it has: those after the last one that any head reads are left out. Then the
    steps: query by query, within it head by head, within it key by key.

    Args:
        site: whose weights.
        heads: which of its heads.
        rounding: the steps; 65,535 levels at most.
    """
    lengths: list[int] = []
    rows: list[NDArray[Any]] = []
    for _, weights in site.weight_blocks():  # (H, some queries, Tk)
        steps = (weights[list(heads)].double() * rounding.levels).round().to(torch.int32).numpy().astype("<u2")
        for row in range(steps.shape[1]):
            read = np.flatnonzero(steps[:, row].any(0))
            lengths.append(int(read[-1]) + 1 if read.size else 0)
            rows.append(steps[:, row, : lengths[-1]].ravel())
    return b"".join([np.array(lengths, "<u2").tobytes(), *(row.tobytes() for row in rows)])
