"""Hit rate and NDCG: by hand, and against scikit-learn."""

from __future__ import annotations

from math import log2

import pytest
import torch
from sklearn.metrics import ndcg_score
from torch import Generator

from attnviz.analysis.ranking import hit_rate, judge_rankings, ndcg, ranks
from attnviz.models import build_network
from attnviz.tasks.decisions.sessions import Sessions

SCORES = torch.tensor([[0.5, 0.3, 0.15, 0.05], [0.1, 0.2, 0.3, 0.4], [0.25, 0.4, 0.2, 0.15]])
TARGETS = torch.tensor([0, 1, 3])  # first, third and fourth of four


def test_by_hand() -> None:
    assert ranks(SCORES, TARGETS).tolist() == [1, 3, 4]
    assert hit_rate(SCORES, TARGETS, k=3) == pytest.approx(2 / 3)
    assert ndcg(SCORES, TARGETS, k=3) == pytest.approx((1 + 1 / log2(4) + 0) / 3)


def test_a_constant_score_wins_nothing() -> None:
    """Ties stand before the right item, so that who says nothing has no hit."""
    scores, targets = torch.zeros(5, 30), torch.arange(5)
    assert hit_rate(scores, targets) == ndcg(scores, targets) == 0


@pytest.mark.parametrize("k", [1, 5, 10])
def test_ndcg_is_that_of_scikit_learn(k: int) -> None:
    generator = Generator().manual_seed(0)
    scores = torch.rand(40, 23, generator=generator, dtype=torch.float64)
    targets = torch.randint(23, (40,), generator=generator)
    relevance = torch.nn.functional.one_hot(targets, 23)
    assert ndcg(scores, targets, k) == pytest.approx(ndcg_score(relevance.numpy(), scores.numpy(), k=k))


def test_ndcg_lies_between_the_first_place_and_the_hits() -> None:
    generator = Generator().manual_seed(1)
    scores, targets = torch.rand(200, 31, generator=generator), torch.randint(31, (200,), generator=generator)
    assert hit_rate(scores, targets, 1) < ndcg(scores, targets, 10) < hit_rate(scores, targets, 10)


def test_a_network_beside_the_baselines() -> None:
    task = Sessions(length=12)
    network = build_network(task.model_config(), 0)
    found = {each.name: each for each in judge_rankings(network, task, n=300)}
    assert list(found) == ["network", "most popular", "first order"]
    assert found["first order"].hit_rate > 1.5 * found["most popular"].hit_rate
    assert found["network"].hit_rate < 0.25, "it is not trained"
    assert all(0 <= each.ndcg <= each.hit_rate <= 1 for each in found.values())
