"""Worked examples whose right numbers are known: one-hot tokens, five numbers, ten tokens of width three."""

import pytest
import torch

from attnviz.attention import attend, context, dot_product_scores, scaled_scores, softmax_weights

ROWS = [
    [0.5, 0.3, 0.2],
    [0.2, 0.7, 0.1],
    [0.1, 0.5, 0.4],
    [0.3, 0.2, 0.5],
    [0.4, 0.1, 0.5],
    [0.1, 0.3, 0.6],
    [0.2, 0.5, 0.3],
    [0.6, 0.1, 0.3],
    [0.7, 0.4, 0.9],
    [0.3, 0.6, 0.1],
]


def near(values: list[float] | list[list[float]]) -> object:
    return pytest.approx(torch.tensor(values).flatten().tolist(), abs=5e-5)


def test_one_hot_tokens_without_scale() -> None:
    x = torch.eye(3)
    scores = dot_product_scores(x, x)
    assert scores.tolist() == x.tolist()
    weights = softmax_weights(scores)
    expected = [[0.5761 if i == j else 0.2119 for j in range(3)] for i in range(3)]
    assert weights.flatten().tolist() == near(expected)
    assert context(weights, x).flatten().tolist() == near(expected)


def test_one_hot_tokens_scaled() -> None:
    x = torch.eye(3)
    _, weights = attend(x, x, x)
    assert weights.flatten().tolist() == near([[0.4711 if i == j else 0.2645 for j in range(3)] for i in range(3)])


def test_softmax_runs_over_the_keys_of_a_row_not_down_the_diagonal() -> None:
    x = torch.eye(3)
    diagonal = softmax_weights(dot_product_scores(x, x).diagonal()[None])
    assert diagonal.flatten().tolist() == near([1 / 3] * 3)
    assert softmax_weights(dot_product_scores(x, x)).diagonal().tolist() != near([1 / 3] * 3)


def test_five_numbers_position_by_position() -> None:
    x = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    q = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5])
    k = q.flip(0)
    products = q * k
    assert products.tolist() == near([0.05, 0.08, 0.09, 0.08, 0.05])
    weights = softmax_weights(products[None])[0]
    assert weights.tolist() == near([0.1960, 0.2020, 0.2040, 0.2020, 0.1960])
    weighted = weights * x
    assert weighted.tolist() == near([0.1960, 0.4040, 0.6120, 0.8079, 0.9801])
    assert [weighted.sum().item(), weighted.mean().item(), weighted.max().item()] == near([3.0, 0.6, 0.9801])


def test_five_numbers_as_self_attention() -> None:
    q = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5])[:, None]  # (5, 1): d_head = 1
    k = q.flip(0)
    result, weights = attend(q, k, q)
    assert weights[0].tolist() == near([0.2040, 0.2020, 0.2000, 0.1980, 0.1960])
    assert weights[-1].tolist() == near([0.2205, 0.2097, 0.1995, 0.1898, 0.1805])
    assert result.flatten().tolist() == near([0.2980, 0.2960, 0.2940, 0.2920, 0.2900])


def test_dividing_after_the_softmax_does_not_give_weights() -> None:
    q = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5])
    assert (softmax_weights((q * q.flip(0))[None]) / 5**0.5).sum().item() == pytest.approx(0.447, abs=5e-4)


def test_ten_tokens_of_width_three() -> None:
    weights = softmax_weights(scaled_scores(torch.tensor(ROWS), scale=3**-0.5))
    assert weights[0].tolist() == near([0.3660, 0.3261, 0.3078])
    assert weights[8].tolist() == near([0.3375, 0.2838, 0.3788])
    torch.testing.assert_close(weights.sum(-1), torch.ones(10))


def test_ten_tokens_have_ten_by_ten_scores() -> None:
    x = torch.tensor(ROWS)
    assert dot_product_scores(x, x).shape == (10, 10)
