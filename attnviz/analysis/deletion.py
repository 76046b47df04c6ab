"""Does a map explain? What a model still says when the parts of its input are erased in the order of the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from attnviz.models.network import Network

__all__ = ["Deletion", "by_amount", "by_attention", "delete", "random_orders"]


class Deletion(NamedTuple):
    """Result of erasing tokens.

    Attributes:
        output: index of the class that the model named of the whole input.
        probabilities: (n + 1,) of that class, when none, the first one, the first two ... are erased.
        area: under the curve over the share that is erased, 0 to 1: the lower, the earlier what mattered was erased.
    """

    output: int
    probabilities: Tensor
    area: float


@torch.inference_mode()
def delete(
    network: Network, tokens: Tensor, features: Tensor, order: Sequence[int], background: float = 0.0
) -> Deletion:
    """Erase the tokens of an input one after the other, and watch the class that the model named at first.

    area = 1/n sum_{i=1..n} (p_{i-1} + p_i) / 2, by the trapezoidal rule

    Whether a map explains is told by comparison alone: with random orders, and with an order that looks at the input
    only. An erased part that was empty already changes nothing, so that any order that erases the ink first beats a
    random one.

    Args:
        network: says one class of the whole, at the first token.
        tokens: (T,) ids, which stay: what is erased are numbers.
        features: (T, F).
        order: positions to erase, the first one first.
        background: what erased numbers become.

    Source:
        Petsiuk, Das and Saenko 2018, "RISE: Randomized Input Sampling for Explanation of Black-box Models",
        the deletion metric.
    """
    network.eval()
    n = len(order)
    turn = torch.full((len(tokens),), n)  # (T,) after how many others a position is erased
    turn[torch.tensor(order, dtype=torch.long)] = torch.arange(n)
    erased = turn < torch.arange(n + 1)[:, None]  # (n + 1, T)
    inputs = features.masked_fill(erased[..., None], background)  # (n + 1, T, F)
    chances = network(tokens.expand(n + 1, -1), features=inputs)[:, 0].softmax(-1)  # (n + 1, classes)
    output = int(chances[0].argmax())
    probabilities = chances[:, output]
    return Deletion(output, probabilities, float(torch.trapezoid(probabilities) / n))


def by_attention(weights: Tensor, first: int = 1) -> tuple[int, ...]:
    """Order the positions from `first` on from the most to the least attended; equal ones in reading order.

    Args:
        weights: (T,) of one query, such as `<bos>`.
        first: position of the first token that can be erased: 1 behind `<bos>`.

    Example:
        >>> by_attention(torch.tensor([0.4, 0.1, 0.3, 0.2]))
        (2, 3, 1)
    """
    found: list[int] = (weights[first:].argsort(descending=True, stable=True) + first).tolist()
    return tuple(found)


def by_amount(features: Tensor, first: int = 1) -> tuple[int, ...]:
    """Order the positions by their content, most ink or loudness first; no model has a say.

    Args:
        features: (T, F), 0 where there is nothing.
        first: see `by_attention`.

    Example:
        >>> by_amount(torch.tensor([[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]]))
        (2, 1)
    """
    return by_attention(features.abs().sum(1), first)


def random_orders(length: int, n: int, seed: int = 0, first: int = 1) -> tuple[tuple[int, ...], ...]:
    """Draw n random orders of the positions from `first` to the last of `length`.

    Example:
        >>> random_orders(4, 2)
        ((3, 1, 2), (3, 2, 1))
    """
    generator = Generator().manual_seed(seed)
    orders = (torch.randperm(length - first, generator=generator) + first for _ in range(n))
    return tuple(tuple(order.tolist()) for order in orders)
