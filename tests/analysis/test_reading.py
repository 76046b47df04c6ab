"""How one head reads a text, and what the model answers."""

from __future__ import annotations

import pytest
import torch

import attnviz
from attnviz.analysis.reading import answer, entropy, weight_to


def test_the_entropy_of_a_row_is_written_out() -> None:
    weights = torch.tensor([[0.5, 0.25, 0.25, 0.0], [0.25] * 4, [0.0, 1.0, 0.0, 0.0]])
    assert entropy(weights).tolist() == pytest.approx([1.5, 2.0, 0.0])


def test_a_token_is_found_wherever_it_stands() -> None:
    weights = torch.tensor([[0.5, 0.2, 0.3]])
    assert weight_to(weights, ["a", "b", " a "], "a") == pytest.approx(torch.tensor([0.8]))
    assert weight_to(weights, ["a", "b", "c"], "d") is None


def test_the_answer_is_what_the_task_asks_for() -> None:
    found = answer(attnviz.trace(attnviz.load_model("zoo/reverse"), "a b c"))
    assert found is not None
    assert found.labels[:3] == ("c", "b", "a")
    assert found.probability > 0.5
