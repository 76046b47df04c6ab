"""How good a ranking is: is the right item among the first k, and how far up?"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from attnviz.models import Network
from attnviz.tasks.base import HITS, IGNORE, Batch
from attnviz.tasks.sessions import Sessions

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
    """The place of the right item, 1 for the best; those with the same score stand before it.

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
    """The share of right items among the best k.

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
    """Normalised discounted cumulative gain: a right item counts the less the farther down it stands.

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
    place = ranks(scores, targets)
    return float((1 / (1 + place.double()).log2()).where(place <= k, 0).mean())


@torch.inference_mode()
def judge_rankings(network: Network, task: Sessions, n: int = 512, seed: int = 0) -> tuple[Ranking, ...]:
    """A network beside popularity and first order, on the same n test sessions."""
    network.eval()
    batch = task.sample(n, Generator().manual_seed(seed), "test")
    scores = {
        "network": network(batch.tokens),
        "most popular": task.popularity(seed)[batch.tokens],
        "first order": task.first_order(seed)[batch.tokens],
    }
    return tuple(_judged(name, logits, batch) for name, logits in scores.items())


def _judged(name: str, logits: Tensor, batch: Batch) -> Ranking:
    scored = batch.targets != IGNORE
    scores, targets = logits[scored], batch.targets[scored]
    return Ranking(name, hit_rate(scores, targets), ndcg(scores, targets))
