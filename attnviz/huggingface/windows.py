"""Places of a window's tokens on an image, in models that attend in shifted windows."""

from __future__ import annotations

from typing import Any

from torch import nn

from attnviz.huggingface.labels import plain_tokens
from attnviz.trace import AttentionSite, Grid, Tokens

__all__ = ["has_windows", "window_tokens"]


def has_windows(block: nn.Module) -> bool:
    """Whether a block attends in windows of an image; then it knows their size and shift."""
    return all(hasattr(block, name) for name in ("window_size", "shift_size", "input_resolution"))


def window_tokens(block: Any, site: AttentionSite) -> Tokens:
    """Return the tokens of one window: "row,column" of the patches as they are at that depth, "pad" beyond the image.

    The map is rolled by the shift before it is cut: position p of the rolled map was p + shift of the image.

    Args:
        block: block that the attention is part of; it knows the size of its windows and their shift.
        site: site of one window.

    Source:
        Liu et al. 2021, "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", section 3.2.
    """
    length = site.q.shape[1]
    if not has_windows(block):
        return plain_tokens(length)
    window, shift = int(block.window_size), int(block.shift_size)
    height, width = (int(size) for size in block.input_resolution)
    down, across = -(-height // window), -(-width // window)  # windows; the map is padded to whole ones
    part = site.part or 0
    if window * window != length or part >= down * across:
        return plain_tokens(length)
    top, left = (number * window for number in divmod(part, across))
    cells = [
        ((top + row + shift) % (down * window), (left + column + shift) % (across * window))
        for row in range(window)
        for column in range(window)
    ]
    inside = [row < height and column < width for row, column in cells]
    labels = tuple(f"{row},{column}" if within else "pad" for (row, column), within in zip(cells, inside, strict=True))
    padding = tuple(position for position, within in enumerate(inside) if not within)
    return Tokens((), labels, padding, grid=Grid(height, width, cells=tuple(cells)))
