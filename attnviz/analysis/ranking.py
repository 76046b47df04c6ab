"""Scores of a ranking: is the right item among the first k, and how far up?"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from attnviz.models import Network
from attnviz.tasks.base import HITS, IGNORE
from attnviz.tasks.decisions.sessions import JUDGED, Sessions

__all__ = ["Ranking", "hit_rate", "judge_rankings", "ndcg", "ranks"]


class Ranking(NamedTuple):
    """One way to recommend.

    Attributes:
        name: "network", or that of a baseline.
        hit_rate: see `hit_rate`, 0 to 1.
        ndcg: see `ndcg`, 0 to 1.
    """

    name: str
    hit_rate: float
    ndcg: float


def ranks(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the place of the right item, 1 for the best; those with the same score stand before it.

    Args:
        scores: (N, V).
        targets: (N,) the right items.

    Returns:
        (N,) int64.

    Example:
        >>> ranks(torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]]), torch.tensor([2, 0]))
        tensor([2, 2])
    """
    return (scores >= scores.gather(1, targets[:, None])).sum(1)


def hit_rate(scores: Tensor, targets: Tensor, k: int = HITS) -> float:
    """Return the share of right items among the best k.

        HR@k = 1/N sum_i [rank_i <= k]

    Args:
        scores: (N, V).
        targets: (N,) the right items.
        k: length of the list that is looked at.

    Source:
        He et al. 2017, "Neural Collaborative Filtering", section 4.1.

    Example:
        >>> hit_rate(torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.4, 0.1]]), torch.tensor([2, 2]), k=2)
        0.5
    """
    return float((ranks(scores, targets) <= k).double().mean())


def ndcg(scores: Tensor, targets: Tensor, k: int = HITS) -> float:
    """Compute the normalised discounted cumulative gain: a right item counts the less the farther down it stands.

        NDCG@k = 1/N sum_i [rank_i <= k] / log2(1 + rank_i)

    There is one right item, so that the best possible gain, by which it is normalised, is 1 / log2(2) = 1.

    Args:
        scores: (N, V).
        targets: (N,) the right items.
        k: length of the list that is looked at.

    Source:
        Jarvelin and Kekalainen 2002; He et al. 2017, section 4.1, for one right item.

    Example:
        >>> round(ndcg(torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.4, 0.1]]), torch.tensor([2, 2]), k=2), 4)  # 1 / log2 3, 0
        0.3155
    """
    places = ranks(scores, targets)
    return float((1 / (1 + places.double()).log2()).where(places <= k, 0).mean())


@torch.inference_mode()
def judge_rankings(network: Network, task: Sessions, n: int = JUDGED, seed: int = 0) -> tuple[Ranking, ...]:
    """A network beside popularity and first order, on the n test sessions that `evaluate` takes for the same seed."""
    network.eval()
    tables = {"most popular": task.popularity(seed), "first order": task.first_order(seed)}
    ways: dict[str, Callable[[Tensor], Tensor]] = {"network": network}
    ways |= {name: table.__getitem__ for name, table in tables.items()}
    batches = [(batch, batch.targets != IGNORE) for batch in task.batches(n, seed)]
    targets = torch.cat([batch.targets[scored] for batch, scored in batches])
    found = {name: torch.cat([way(batch.tokens)[scored] for batch, scored in batches]) for name, way in ways.items()}
    return tuple(Ranking(name, hit_rate(scores, targets), ndcg(scores, targets)) for name, scores in found.items())
