"""How much attention has moved since training began, layer by layer."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from attnviz.training.run.folder import Run

__all__ = ["Moved", "moved", "total_variation"]


class Moved(NamedTuple):
    """Movement of one layer on the sequences that are watched.

    Attributes:
        site: name of the layer.
        first: total variation of the first token's row, such as `[CLS]`, mean of heads and sequences.
        mean: the same of all rows.
    """

    site: str
    first: float
    mean: float


def moved(run: Run, step: int | None = None) -> list[Moved]:
    """Compare attention at a step with that before the first one; recorded in steps of 1/255.

    Args:
        step: one of `run.timeline().steps`; None: the last.

    Returns:
        A layer each, in order; nothing where no snapshot was recorded.
    """
    timeline = run.timeline()
    if not timeline.steps:
        return []
    before, after = (timeline.weights(at) for at in (timeline.steps[0], timeline.steps[-1] if step is None else step))
    rows: dict[str, list[tuple[float, float]]] = {}
    for first, last in zip(before, after, strict=True):
        for site in first:
            change = total_variation(first[site], last[site])  # (H, Tq)
            rows.setdefault(site, []).append((float(change[:, 0].mean()), float(change.mean())))
    return [
        Moved(site, *(sum(each[part] for each in found) / len(found) for part in (0, 1)))
        for site, found in rows.items()
    ]


def total_variation(p: Tensor, q: Tensor) -> Tensor:
    """Return half the sum of differences of rows of weights: (..., Tk) uint8, 255 for a weight of 1 -> (...).

    Example:
        >>> import torch
        >>> total_variation(torch.tensor([[255, 0]], dtype=torch.uint8), torch.tensor([[0, 255]], dtype=torch.uint8))
        tensor([1.])
    """
    return (p.float() - q.float()).abs().sum(-1) / (2 * 255)
