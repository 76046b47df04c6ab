"""How much attention has moved since training began, layer by layer, and which head most."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from attnviz.training.run.folder import Run

__all__ = ["Moved", "Mover", "moved", "mover", "total_variation"]


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


class Mover(NamedTuple):
    """A head whose attention has moved.

    Attributes:
        site: name of its layer.
        head: its number in the layer.
        by: total variation; see `mover`.
    """

    site: str
    head: int
    by: float


def moved(run: Run, step: int | None = None) -> list[Moved]:
    """Compare attention at a step with that before the first one; recorded in steps of 1/255.

    Args:
        step: one of `run.timeline().steps`; None: the last.

    Returns:
        A layer each, in order; nothing where no snapshot was recorded.
    """
    return [
        Moved(site, *(float(torch.stack(part).mean()) for part in zip(*found, strict=True)))
        for site, found in _changes(run, step).items()
    ]


def mover(run: Run, step: int | None = None) -> Mover | None:
    """Return the head that has moved most, as the view of a run chooses it; None: none has.

    By the first token's row; in a decoder, whose first token reads itself alone, by the mean of all rows.

    Args:
        step: one of `run.timeline().steps`; None: the last.
    """
    part = 1 if run.config.model.architecture == "decoder" else 0
    heads = [
        Mover(site, head, by)
        for site, found in _changes(run, step).items()
        for head, by in enumerate(torch.stack([each[part] for each in found]).mean(0).tolist())
    ]
    found = max(heads, key=lambda each: each.by, default=None)
    return found if found is not None and found.by > 0 else None


def _changes(run: Run, step: int | None) -> dict[str, list[tuple[Tensor, Tensor]]]:
    """Return by site, of each sequence, the total variation of the first row, and the mean of all: (H,) each."""
    timeline = run.timeline()
    if not timeline.steps:
        return {}
    before, after = (timeline.weights(at) for at in (timeline.steps[0], timeline.steps[-1] if step is None else step))
    rows: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for first, last in zip(before, after, strict=True):
        for site in first:
            change = total_variation(first[site], last[site])  # (H, Tq)
            rows.setdefault(site, []).append((change[:, 0], change.mean(1)))
    return rows


def total_variation(p: Tensor, q: Tensor) -> Tensor:
    """Return half the sum of differences of rows of weights: (..., Tk) uint8, 255 for a weight of 1 -> (...).

    Example:
        >>> import torch
        >>> total_variation(torch.tensor([[255, 0]], dtype=torch.uint8), torch.tensor([[0, 255]], dtype=torch.uint8))
        tensor([1.])
    """
    return (p.float() - q.float()).abs().sum(-1) / (2 * 255)
