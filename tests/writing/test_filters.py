"""The filters of sampling are those of transformers, and a plan is what its text says."""

from __future__ import annotations

import pytest
import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from attnviz.errors import PlanMisfit
from attnviz.writing import Plan
from attnviz.writing.filters import draw, with_temperature, with_top_k, with_top_p

IDS = torch.zeros(1, 1, dtype=torch.long)
SCORES = 4 * torch.randn(64, 1, 97, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("value", [0.01, 0.7, 1.0, 3.0])
def test_temperature(value: float) -> None:
    for scores in SCORES:
        assert torch.allclose(with_temperature(scores, value), TemperatureLogitsWarper(value)(IDS, scores))


@pytest.mark.parametrize("k", [1, 5, 97, 200])
def test_top_k(k: int) -> None:
    for scores in SCORES:
        assert torch.equal(with_top_k(scores, k), TopKLogitsWarper(k)(IDS, scores))
    tied = torch.tensor([[1.0, 2.0, 2.0, 0.0]])
    assert torch.equal(with_top_k(tied, 1), TopKLogitsWarper(1)(IDS, tied))


@pytest.mark.parametrize("p", [0.001, 0.3, 0.9, 1.0])
def test_top_p(p: float) -> None:
    for scores in SCORES:
        assert torch.equal(with_top_p(scores, p), TopPLogitsWarper(p)(IDS, scores))


def test_draws_follow_the_probabilities() -> None:
    probabilities = torch.tensor([0.1, 0.0, 0.6, 0.3])
    numbers = torch.linspace(0, 1, 1001)[:-1].tolist()
    counts = torch.bincount(torch.tensor([draw(probabilities, number) for number in numbers]), minlength=4) / 1000
    assert torch.allclose(counts, probabilities, atol=0.002)
    assert draw(probabilities, 1.0) == 0  # the least probable one, never one without probability


@pytest.mark.parametrize(
    "plan",
    [
        Plan(),
        Plan("sample", temperature=0.8, top_k=5, top_p=0.95, seed=2**53 - 1, max_new=512, taken=(0, 9)),
        Plan("beam", beams=16, template=False),
    ],
)
def test_a_plan_is_its_text(plan: Plan) -> None:
    assert Plan.read(plan.text) == plan


@pytest.mark.parametrize(
    "text",
    [
        "", "best", "sample,temperature=0", "sample,temperature=nan", "sample,temperature=1e9", "sample,temperature=",
        "sample,top_k=0", "sample,top_k=-1", "sample,top_k=1.5", "sample,top_p=0", "sample,top_p=1.1", "beam,beams=1",
        "beam,beams=1000", "greedy,max_new=0", "greedy,max_new=513", "sample,seed=-1", "sample,seed=" + "9" * 5000,
        "greedy,taken=", "greedy,taken=1.x", "greedy,taken=" + ".".join("1" * 513), "greedy,seed=1,seed=2",
        "greedy,strategy=beam", "greedy,template=2", "greedy,seed=١",
    ],
)  # fmt: skip
def test_a_plan_from_outside_is_bounded(text: str) -> None:
    with pytest.raises(PlanMisfit):
        Plan.read(text)


@pytest.mark.parametrize(
    "given", [{"temperature": True}, {"temperature": "1"}, {"top_k": 2.0}, {"beams": None}, {"taken": (-1,)}]
)
def test_values_of_other_kinds(given: dict[str, object]) -> None:
    with pytest.raises(PlanMisfit):
        Plan(**given)  # type: ignore[arg-type]


def test_settings_ask_for_a_strategy() -> None:
    assert Plan.of().strategy == "greedy"
    assert Plan.of(top_p=0.5).strategy == "sample"
    assert Plan.of(beams=3).strategy == "beam"
    with pytest.raises(PlanMisfit, match="leave out beams or temperature"):
        Plan.of(beams=3, temperature=0.5)
