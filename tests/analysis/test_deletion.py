"""Deletion: what is erased when, the class that is watched, and the area by hand."""

from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import Generator, Tensor, nn

from attnviz.analysis.deletion import by_amount, by_attention, delete, random_orders
from attnviz.models.network import Network, build_network
from attnviz.tasks.signals.digits import Digits


class Weighing(nn.Module):
    """Says class 1 by the sum of numbers times weights, at the first token."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = weights

    def forward(self, tokens: Tensor, *, features: Tensor) -> Tensor:
        score = (features[..., 0] * self.weights).sum(1)  # (B,)
        at_first = torch.stack((torch.zeros_like(score), score), 1)
        return torch.cat((at_first[:, None], torch.full((*tokens.shape, 2), float("nan"))[:, 1:]), 1)


def weighing(*weights: float) -> Network:
    return cast(Network, Weighing(torch.tensor(weights)))


def test_probabilities_and_area_by_hand() -> None:
    network = weighing(0.0, 1.0, 2.0, 3.0)
    tokens, features = torch.tensor([1, 3, 3, 3]), torch.ones(4, 1)
    found = delete(network, tokens, features, (3, 1, 2))
    expected = torch.sigmoid(torch.tensor([6.0, 3.0, 2.0, 0.0]))
    assert found.output == 1
    assert torch.allclose(found.probabilities, expected)
    by_hand = sum((expected[i] + expected[i + 1]) / 2 for i in range(3)) / 3
    assert found.area == pytest.approx(float(by_hand))


def test_what_matters_first_has_the_least_area() -> None:
    network = weighing(0.0, 1.0, 2.0, 3.0)
    tokens, features = torch.tensor([1, 3, 3, 3]), torch.ones(4, 1)
    areas = [delete(network, tokens, features, order).area for order in ((3, 2, 1), (2, 3, 1), (1, 2, 3))]
    assert areas == sorted(areas)
    assert areas[0] < areas[2]


def test_the_class_is_that_of_the_whole_input() -> None:
    found = delete(weighing(0.0, -5.0, 9.0), torch.tensor([1, 3, 3]), torch.tensor([[0.0], [1.0], [0.1]]), (1, 2))
    assert found.output == 0, "named at first, though class 1 is ahead once the first is erased"
    assert found.probabilities[1] < 0.5


def test_only_what_is_named_is_erased_and_with_the_background() -> None:
    seen: list[Tensor] = []

    class Watching(Weighing):
        def forward(self, tokens: Tensor, *, features: Tensor) -> Tensor:
            seen.append(features)
            return super().forward(tokens, features=features)

    features = torch.tensor([[7.0], [1.0], [2.0]])
    delete(cast(Network, Watching(torch.ones(3))), torch.tensor([1, 3, 3]), features, (2,), background=0.5)
    assert seen[0][:, :, 0].tolist() == [[7.0, 1.0, 2.0], [7.0, 1.0, 0.5]]
    assert features[:, 0].tolist() == [7.0, 1.0, 2.0]


def test_orders() -> None:
    assert by_attention(torch.tensor([0.9, 0.0, 0.05, 0.0, 0.05])) == (2, 4, 1, 3), "equal ones in reading order"
    assert by_amount(torch.tensor([[9.0], [-3.0], [0.0], [4.0]])) == (3, 1, 2)
    orders = random_orders(6, 20, seed=1)
    assert orders == random_orders(6, 20, seed=1)
    assert len(set(orders)) > 10
    assert all(sorted(order) == [1, 2, 3, 4, 5] for order in orders)


def test_a_network_on_a_picture() -> None:
    """All erased, the picture is blank: whatever the order, the curves begin and end alike."""
    task = Digits()
    network = build_network(task.model_config(), 0)
    batch = task.sample(1, Generator().manual_seed(0), "test")
    assert batch.features is not None
    orders = (by_amount(batch.features[0]), *random_orders(17, 3))
    curves = [delete(network, batch.tokens[0], batch.features[0], order) for order in orders]
    assert all(torch.allclose(curve.probabilities[[0, -1]], curves[0].probabilities[[0, -1]]) for curve in curves)
    assert all(0 < curve.area < 1 for curve in curves)
    assert {curve.probabilities.shape for curve in curves} == {(17,)}
