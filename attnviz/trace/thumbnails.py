"""All heads of a site as small maps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from attnviz.trace.site import AttentionSite

__all__ = ["THUMBNAIL", "Thumbnails", "thumbnails"]

THUMBNAIL = 32  # cells a side at most
TINY = 1e-30  # heads in which nothing may be read have no largest weight


class Thumbnails(NamedTuple):
    """Small maps of a site's heads and of their average.

    Attributes:
        levels: (H + 1, Sq, Sk) uint8, 255 (w / peak)^(1/4): small weights keep as many levels as large ones.
        peaks: (H + 1,) float32, the largest weight of each map.
    """

    levels: NDArray[np.uint8]
    peaks: NDArray[np.float32]

    @property
    def weights(self) -> NDArray[np.float32]:
        """(H + 1, Sq, Sk) weights as the levels tell them, within 1 % of the largest of their map."""
        return ((self.levels / 255) ** 4 * self.peaks[:, None, None]).astype(np.float32)


def thumbnails(site: AttentionSite) -> Thumbnails:
    """Return every head's weights and their average, max-pooled to at most 32 x 32.

    The largest weight under a cell stands for the cell, so that a thin diagonal stays visible.
    """
    n_queries, n_keys = site.q.shape[1], site.k.shape[1]
    width, height = min(n_keys, THUMBNAIL), min(n_queries, THUMBNAIL)
    narrow = torch.empty(site.n_heads + 1, n_queries, width)
    for block, weights in site.weight_blocks():  # (H, rows, Tk)
        narrow[:-1, block] = F.adaptive_max_pool1d(weights, width)
        narrow[-1, block] = F.adaptive_max_pool1d(weights.mean(0), width)
    small = F.adaptive_max_pool1d(narrow.transpose(1, 2), height).transpose(1, 2)  # (H + 1, Sq, Sk)
    peaks = small.amax((1, 2))  # (H + 1,)
    levels = ((small / peaks.clamp(min=TINY)[:, None, None]) ** 0.25 * 255).round().to(torch.uint8)
    return Thumbnails(levels.numpy(), peaks.numpy())
