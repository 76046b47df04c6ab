"""Finite collections: each item once, on its own side, and all of them judged."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import Generator, Tensor

from attnviz.models import build_network
from attnviz.tasks import (
    IGNORE,
    Addition,
    Batch,
    Digits,
    Gridworld,
    ModularAddition,
    OwnEntities,
    OwnLabelled,
    OwnPairs,
    OwnSeries,
    OwnText,
    Parity,
    Reverse,
    RunningParity,
    ScratchpadParity,
    Task,
)
from attnviz.tasks.base import SPLITS
from attnviz.tasks.decisions.gridworld import BEST
from attnviz.tasks.own.data import tiles
from attnviz.training import TrainConfig, evaluate
from attnviz.training.engine.loop import first_batch

CONLL = "\n\n".join(f"{chr(65 + n % 26)}{n} B-PER\nsings O\nin O\nOslo{n % 7} B-LOC" for n in range(330))
CSV = "\n".join(f"{n} is {'even' if n % 2 == 0 else 'odd'},{n % 2}" for n in range(430))
TSV = "\n".join(f"number {n}\tno {n}" for n in range(430))
LISTED: tuple[Task, ...] = (
    Digits(),
    ModularAddition(53),
    Addition(2),
    Parity(10),
    ScratchpadParity(9),
    RunningParity(8),
    OwnEntities(CONLL),
    OwnLabelled(CSV),
    OwnPairs(TSV, "characters"),
)


def keys(batch: Batch) -> list[tuple[object, ...]]:
    """What tells the sequences apart; padding does not."""
    return [
        (tuple(token for token in row if token), () if batch.features is None else tuple(numbers.flatten().tolist()))
        for row, numbers in zip(
            batch.tokens.tolist(), batch.tokens if batch.features is None else batch.features, strict=True
        )
    ]


@pytest.mark.parametrize("task", LISTED, ids=lambda task: task.name)
def test_items_are_what_is_drawn_each_once(task: Task) -> None:
    for split in ("validation", "test"):
        batch = task.items(split)
        assert batch is not None
        items = Counter(keys(batch))
        n = 40 * len(items) if len(items) < 500 else 12 * len(items)
        drawn = set(keys(task.sample(n, Generator().manual_seed(0), split)))
        assert drawn <= set(items), split
        assert len(drawn) > 0.999 * len(items), "every item can be drawn"
        if task.name not in ("own labels", "own entities"):  # of what people bring, a row may stand twice
            assert set(items.values()) == {1}


@pytest.mark.parametrize("task", LISTED[:6], ids=lambda task: task.name)
def test_no_item_is_on_two_sides(task: Task) -> None:
    sides = [set(keys(batch)) for split in SPLITS if (batch := task.items(split)) is not None]
    assert len(set.union(*sides)) == sum(map(len, sides))


def test_sizes() -> None:
    sizes = [len(task.items().tokens) for task in LISTED]  # type: ignore[union-attr]
    assert sizes[0] == 194, "pictures of the test"
    assert sizes[-3:] == [33, 43, 43], "a tenth of what was brought"


def test_what_has_no_end_or_is_too_much_is_drawn() -> None:
    for task in (Reverse(), Addition(3), Parity(32), ModularAddition(997)):
        assert task.items() is None
        assert len(task.judged(5, Generator().manual_seed(0)).tokens) == 5
        assert len(task.held_out(5, Generator().manual_seed(0)).tokens) == 5


def test_of_a_collection_none_is_looked_at_twice() -> None:
    task = OwnEntities(CONLL)
    assert len(task.held_out(512, Generator().manual_seed(0)).tokens) == 33
    some, others = (keys(Digits().held_out(150, Generator().manual_seed(seed))) for seed in (0, 1))
    assert len(set(some)) == len(set(others)) == 150
    assert some != others
    assert len(task.judged(5, Generator().manual_seed(0)).tokens) == 33


def test_walks_of_the_best_return_are_listed() -> None:
    task = Gridworld()
    batch = task.items()
    assert batch is not None
    assert set(batch.tokens[:, 0].tolist()) == set(task.tokenizer.encode(BEST))
    assert task.items("validation") is None
    drawn = task.sample(8192, Generator().manual_seed(0), "test")
    best = drawn.rows(drawn.tokens[:, 0] == task.tokenizer.encode(BEST)[0])
    assert set(keys(best)) == set(keys(batch))
    right = torch.nn.functional.one_hot(batch.targets.clamp(min=0), task.tokenizer.vocab_size).float()
    assert task.tally(right, batch).tolist() == [len(batch.tokens)] * 2


@pytest.mark.parametrize("length", [8, 9, 16, 31])
def test_pieces_of_a_series_score_each_value_once(length: int) -> None:
    task = OwnSeries("\n".join(str(n * n % 101 + n / 1000) for n in range(1230)), length)
    batch = task.items()
    assert batch.values is not None
    scored = batch.values[batch.targets != IGNORE].flatten()
    first = length // 2
    assert torch.equal(scored.sort().values, task.parts["test"][first:].sort().values)


@pytest.mark.parametrize("length", [1, 7, 16])
def test_pieces_of_a_text_score_each_character_once(length: int) -> None:
    text = "".join(chr(0x4E00 + n) for n in range(555))
    task = OwnText(text, length)
    batch = task.items()
    scored: Tensor = batch.targets[batch.targets != IGNORE]
    assert sorted(task.tokenizer.decode(scored.tolist())) == sorted(task.parts["test"])
    assert len(scored) == len(task.parts["test"])


@pytest.mark.parametrize(("size", "length", "context"), [(10, 10, 3), (11, 10, 9), (100, 7, 3), (8, 1, 0)])
def test_tiles_cover_all(size: int, length: int, context: int) -> None:
    starts, first = tiles(size, length, context)
    places = [
        place
        for start, begin in zip(starts.tolist(), first.tolist(), strict=True)
        for place in range(start + begin, start + length)
    ]
    assert places == list(range(context, size))


@pytest.mark.parametrize("task", [OwnEntities(CONLL), Digits(), ModularAddition(11)], ids=lambda task: task.name)
def test_evaluation_counts_each_item_once(task: Task) -> None:
    network = build_network(task.model_config(), 0)
    batch = task.items()
    assert batch is not None
    found = evaluate(network, task, "test", 2048, seed=1)
    assert found.n == len(batch.tokens)
    assert found == evaluate(network, task, "test", 5, seed=9), "neither the number nor the seed matters"
    with torch.inference_mode():
        logits = network(batch.tokens, features=batch.features, padding=batch.padding)
    assert found.accuracy == pytest.approx(task.accuracy(logits, batch), abs=1e-6)


def test_validation_takes_no_more_than_it_is_told() -> None:
    task, network = Digits(), build_network(Digits().model_config(), 0)
    assert evaluate(network, task, "validation", 50).n == 50
    assert evaluate(network, task, "validation", 512).n == 178


def test_outputs_are_those_of_the_samples() -> None:
    """What a run keeps belongs to the sequences that it shows, as in runs of before."""
    task = Digits()
    network = build_network(task.model_config(), 0)
    config = TrainConfig(steps=1, validation_size=512, seed=4)
    outputs = evaluate(network, task, "validation", 512, 4, samples=6).outputs
    batch = first_batch(task, config)
    assert torch.equal(batch.tokens, task.sample(128, Generator().manual_seed(4 + 1_000_003), "validation").tokens)
    with torch.inference_mode():
        said = network(batch.tokens, features=batch.features)[:6, 0].argmax(-1)
    assert [list(each) for each in outputs] == [[label] for label in said.tolist()]
