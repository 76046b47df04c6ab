"""Sessions: the next item follows the latest of its category, and the baselines cannot know which."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from attnviz.errors import ConfigError
from attnviz.tasks.base import IGNORE, SPLITS, Batch, Split
from attnviz.tasks.decisions.sessions import (
    CATEGORIES,
    CATEGORY,
    ITEMS,
    NOISE,
    PER_CATEGORY,
    SWITCH,
    Sessions,
    successors,
)
from attnviz.tokenizers import Tokenizer


def sessions(n: int = 400, split: Split = "train") -> list[list[str]]:
    """Whole sessions: what is read and the last item."""
    task = Sessions()
    batch = task.sample(n, Generator().manual_seed(3), split)
    rows = torch.cat((batch.tokens, batch.targets[:, -1:]), 1).tolist()
    return [[task.tokenizer.label(token) for token in row] for row in rows]


def test_every_item_is_once_in_a_circle_of_its_category() -> None:
    assert len(set(ITEMS)) == len(ITEMS) == len(CATEGORIES) * PER_CATEGORY
    following = successors()
    for start in range(0, len(ITEMS), PER_CATEGORY):
        item, seen = start, []
        for _ in range(PER_CATEGORY):
            seen.append(item)
            item = int(following[item])
        assert item == start
        assert sorted(seen) == list(range(start, start + PER_CATEGORY))


def test_the_next_item_follows_the_latest_of_its_category() -> None:
    following = successors()
    follows, comes_back, switches, n = 0, 0, 0, 0
    for session in sessions():
        assert len({CATEGORY[item] for item in session}) in (1, 2, 3)
        latest: dict[str, str] = {}
        for before, item in zip([None, *session], session, strict=False):
            if CATEGORY[item] in latest:
                comes_back += 1
                follows += ITEMS[int(following[ITEMS.index(latest[CATEGORY[item]])])] == item
            latest[CATEGORY[item]] = item
            switches += before is not None and CATEGORY[before] != CATEGORY[item]
            n += before is not None
    assert follows / comes_back == pytest.approx(1 - NOISE * (1 - 1 / PER_CATEGORY), abs=0.01)
    assert switches / n == pytest.approx(SWITCH, abs=0.02)


def test_what_is_scored() -> None:
    batch = Sessions(length=10, first=4).sample(50, Generator().manual_seed(0))
    assert (batch.targets[:, :3] == IGNORE).all()
    assert torch.equal(batch.targets[:, 3:-1], batch.tokens[:, 4:])
    assert (batch.targets[:, -1] >= Tokenizer.n_specials).all()


def test_no_session_is_in_two_splits() -> None:
    train, validation, test = ({" ".join(session) for session in sessions(500, split)} for split in SPLITS)
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_a_position_reads_the_latest_of_each_interest() -> None:
    task = Sessions(first=4)
    tokens = task.tokenizer.encode("tent spade compass stove mulch")  # camping, garden, camping, camping, garden
    (pattern,) = task.expected(tokens)
    assert pattern.reads.nonzero().tolist() == [[3, 1], [3, 3], [4, 3], [4, 4]]


def test_the_latest_of_each_interest_is_enough() -> None:
    """Who names what follows them, and no more, nearly always has the right item: the expected pattern suffices."""
    task = Sessions()
    batch = task.sample(200, Generator().manual_seed(0), "test")
    following = successors() + Tokenizer.n_specials
    scores = torch.zeros(*batch.tokens.shape, task.tokenizer.vocab_size)
    for row, tokens in enumerate(batch.tokens.tolist()):
        (pattern,) = task.expected(tokens)
        for query, key in pattern.reads.nonzero().tolist():
            scores[row, query, following[tokens[key] - Tokenizer.n_specials]] = 1
    assert task.accuracy(scores, batch) > 0.9


def test_baselines_are_far_below_that_and_the_last_item_helps() -> None:
    popular, first_order = Sessions().baselines()
    assert (popular.name, first_order.name) == ("most popular", "first order")
    assert 0.15 < popular.score < first_order.score - 0.1 < 0.5


def test_first_order_counts_neighbours() -> None:
    task = Sessions()
    batch: Batch = task.sample(4096, Generator().manual_seed(0))
    last, item = (task.tokenizer.encode(name)[0] for name in ("tent", "compass"))
    whole = torch.cat((batch.tokens, batch.targets[:, -1:]), 1)
    n = int(((whole[:, :-1] == last) & (whole[:, 1:] == item)).sum())
    assert n > 100
    assert n <= float(task.first_order()[last, item]) < n + 1


def test_all_items_must_not_be_before_the_first() -> None:
    with pytest.raises(ConfigError, match="first is 9, above length, which is 8"):
        Sessions(length=8, first=9)
