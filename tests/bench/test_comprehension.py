"""The bench counts texts, spans and words that are right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from attnviz.tasks import IGNORE
from attnviz.tasks.language.comprehension import ANSWER, FACT, OTHER
from attnviz.training import RECIPES
from bench.comprehension import scores

RECIPE = replace(RECIPES["comprehension"], test_size=40)


class Knowing(nn.Module):
    """Says the right tags, but for some that it says instead of others."""

    def __init__(self, instead: dict[int, int]) -> None:
        super().__init__()
        self.instead = instead

    def forward(self, tokens: Tensor, *_: Any, padding: Tensor | None = None, **rest: Any) -> Tensor:
        said = torch.zeros_like(tokens)
        for row, real in enumerate(padding if padding is not None else torch.ones_like(tokens, dtype=torch.bool)):
            due = RECIPE.task.answers(tokens[row][real].tolist())
            said[row, : len(due)] = torch.tensor([0 if tag == IGNORE else self.instead.get(tag, tag) for tag in due])
        return one_hot(said, 3).float()


def test_what_is_right_is_counted() -> None:
    targets = torch.cat([batch.targets.flatten() for batch in RECIPE.task.batches(40, RECIPE.seed)])
    share = {tag: int((targets == tag).sum()) / int((targets != IGNORE).sum()) for tag in (OTHER, FACT, ANSWER)}
    assert scores(RECIPE, Knowing({})) == (1, 1, 1)
    assert scores(RECIPE, Knowing({FACT: OTHER})) == (0, 1, pytest.approx(1 - share[FACT]))
    assert scores(RECIPE, Knowing({ANSWER: FACT})) == (0, 0, pytest.approx(1 - share[ANSWER]))
