"""What all tasks share: the split by hash, padding, the metric."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from attnviz.tasks import IGNORE, Batch, Induction, Reverse
from attnviz.tasks.base import collate, draw, split_of


def test_the_split_is_a_hash_of_the_row() -> None:
    keys = torch.randint(1000, (20_000, 3), generator=Generator().manual_seed(1))
    splits = split_of(keys)
    assert splits[:100] == [split for row in keys[:100] for split in split_of(row[None])]
    assert splits.count("train") / len(splits) == pytest.approx(0.8, abs=0.01)
    assert splits.count("validation") / len(splits) == pytest.approx(0.1, abs=0.01)
    drawn = draw(501, "test", lambda n: torch.randint(9, (n, 5)))
    assert drawn.shape == (501, 5)
    assert set(split_of(drawn)) == {"test"}


def test_collate_pads_on_the_right() -> None:
    tokens, real = collate([[5], [6, 7, 8]])
    assert tokens.tolist() == [[5, 0, 0], [6, 7, 8]]
    assert real is not None
    assert real.tolist() == [[True, False, False], [True, True, True]]
    assert collate([[5], [6]])[1] is None


def test_accuracy_counts_sequences_or_positions() -> None:
    targets = torch.tensor([[3, 4, IGNORE], [3, 4, 5]])
    logits = torch.nn.functional.one_hot(torch.tensor([[3, 4, 9], [3, 4, 9]]), 10).float()
    batch = Batch(torch.ones(2, 3, dtype=torch.int64), targets)
    assert Reverse().accuracy(logits, batch) == pytest.approx(1 / 2)  # exact match
    assert Induction().accuracy(logits, batch) == pytest.approx(4 / 5)
