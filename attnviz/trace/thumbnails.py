"""All heads of a site as small maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from attnviz.trace.site import AttentionSite

__all__ = ["THUMBNAIL", "Thumbnails", "leave_out_near", "thumbnails"]

THUMBNAIL = 32  # cells a side at most
NEAR = 4  # tokens on either side, at most
TINY = 1e-30  # heads in which nothing may be read have no largest weight


class Thumbnails(NamedTuple):
    """Small maps of a site's heads and of their average.

    Attributes:
        levels: (H + 1, Sq, Sk) uint8, 255 (w / peak)^(1/4): small weights keep as many levels as large ones.
        peaks: (H + 1,) float32, the largest weight of each map.
        far: (H,) float32, how much each head reads at a distance: the mean over queries of the largest weight on a key
            that `leave_out_near` leaves.
    """

    levels: NDArray[np.uint8]
    peaks: NDArray[np.float32]
    far: NDArray[np.float32]

    @property
    def weights(self) -> NDArray[np.float32]:
        """(H + 1, Sq, Sk) weights as the levels tell them, within 1 % of the largest of their map."""
        return ((self.levels / 255) ** 4 * self.peaks[:, None, None]).astype(np.float32)


def leave_out_near(weights: Tensor, site: AttentionSite, specials: Sequence[int], start: int = 0) -> None:
    """Set the weights to 0 that tell little of a text, in place: what is read because it lies near, or always there.

    That is, in self-attention, of the first token, of a query itself, and of the tokens on either side of it: of up to
    four, of an eighth of a short text, of one at least; and everywhere of special tokens.

    Args:
        weights: (H, rows, Tk).
        site: site of the weights.
        specials: positions of special tokens among the keys.
        start: the first of the queries.
    """
    weights[:, :, list(specials)] = 0
    if site.kind != "self":
        return
    weights[:, :, 0] = 0
    n_queries, n_keys = site.q.shape[1], site.k.shape[1]
    first = n_keys - n_queries if site.mask.first_query is None else site.mask.first_query
    near = near_of(n_keys)
    for offset in range(-near, near + 1):
        place = first + start + offset
        if -weights.shape[1] < place < n_keys:
            weights.diagonal(place, 1, 2).zero_()


def near_of(n_keys: int) -> int:
    """Return how many tokens on either side of a query lie near it.

    Example:
        >>> near_of(5), near_of(20), near_of(1000)
        (1, 2, 4)
    """
    return min(NEAR, max(1, n_keys // 8))


def thumbnails(site: AttentionSite, specials: Sequence[int] = ()) -> Thumbnails:
    """Return every head's weights and their average, max-pooled to at most 32 x 32.

    The largest weight under a cell stands for the cell, so that a thin diagonal stays visible.

    Args:
        site: site to show.
        specials: positions of special tokens among its keys; the maps show them, `far` leaves them out.
    """
    n_queries, n_keys = site.q.shape[1], site.k.shape[1]
    width, height = min(n_keys, THUMBNAIL), min(n_queries, THUMBNAIL)
    narrow = torch.empty(site.n_heads + 1, n_queries, width)
    far = torch.zeros(site.n_heads, device=site.q.device)
    for block, weights in site.weight_blocks():  # (H, rows, Tk)
        narrow[:-1, block] = F.adaptive_max_pool1d(weights, width)
        narrow[-1, block] = F.adaptive_max_pool1d(weights.mean(0), width)
        leave_out_near(weights, site, specials, block.start)  # the block is written anew for other queries
        far += weights.amax(2).sum(1)
    small = F.adaptive_max_pool1d(narrow.transpose(1, 2), height).transpose(1, 2)  # (H + 1, Sq, Sk)
    peaks = small.amax((1, 2))  # (H + 1,)
    levels = ((small / peaks.clamp(min=TINY)[:, None, None]) ** 0.25 * 255).round().to(torch.uint8)
    return Thumbnails(levels.numpy(), peaks.numpy(), (far / n_queries).cpu().numpy())
