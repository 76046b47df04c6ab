"""Filters of next-token scores, as free functions: what sampling does between a model's logits and a draw.

Shape legend
    V  outputs        ...  any leading axes

Each takes and returns scores (..., V); a token that a filter drops has the score -inf.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["draw", "with_temperature", "with_top_k", "with_top_p"]

MINUS_INFINITY = float("-inf")


def with_temperature(scores: Tensor, temperature: float) -> Tensor:
    """Divide scores by a temperature: below 1 the likely tokens become likelier, above 1 all become more alike.

    Example:
        >>> with_temperature(torch.tensor([2.0, 1.0]), 0.5).tolist()
        [4.0, 2.0]
    """
    return scores / temperature


def with_top_k(scores: Tensor, k: int) -> Tensor:
    """Keep the k most probable tokens, and those that are as probable as the last of them.

    Source:
        Fan et al. 2018, "Hierarchical Neural Story Generation", section 5.4.

    Example:
        >>> with_top_k(torch.tensor([1.0, 3.0, 2.0]), 2).tolist()
        [-inf, 3.0, 2.0]
    """
    least = scores.topk(min(k, scores.shape[-1]), dim=-1).values[..., -1:]
    return scores.masked_fill(scores < least, MINUS_INFINITY)


def with_top_p(scores: Tensor, p: float) -> Tensor:
    """Keep the smallest set of tokens whose probabilities sum to p or more; the most probable one always stays.

    Source:
        Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", section 3.1.

    Example:
        >>> with_top_p(torch.tensor([0.5, 0.3, 0.2]).log(), 0.7).softmax(-1).tolist()
        [0.625, 0.375, 0.0]
    """
    ascending, order = scores.sort(dim=-1)
    rest = ascending.softmax(-1).cumsum(-1)  # of each token and all less probable ones
    drop = rest <= 1 - p
    drop[..., -1] = False
    return scores.masked_fill(drop.scatter(-1, order, drop), MINUS_INFINITY)


def draw(probabilities: Tensor, number: float) -> int:
    """Return the token in whose share a number from 0 to 1 falls, the most probable token's share first: (V,) -> id.

    Example:
        >>> draw(torch.tensor([0.2, 0.5, 0.3]), 0.49), draw(torch.tensor([0.2, 0.5, 0.3]), 0.51)
        (1, 2)
    """
    possible = probabilities.nonzero()[:, 0]  # few, after a filter
    shares, order = probabilities[possible].double().sort(descending=True, stable=True)
    ends = shares.cumsum(-1)
    place = int(torch.searchsorted(ends, ends[-1] * number, right=True))
    return int(possible[order[min(place, len(possible) - 1)]])
