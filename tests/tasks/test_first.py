"""The first symbol after many steps, and the parity so far: their answers computed another way."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
import torch
from torch import Generator

from attnviz.errors import ConfigError
from attnviz.models import build_network
from attnviz.tasks import IGNORE, FirstSymbol, RunningParity, Task
from attnviz.tasks.base import SPLITS
from attnviz.tokenizers import Tokenizer
from attnviz.training import TrainConfig, evaluate, train

TASKS: list[Task] = [FirstSymbol(), FirstSymbol(distance=200), RunningParity(), RunningParity(length=40)]


def rows(task: Task, n: int = 200) -> list[tuple[str, list[str]]]:
    batch = task.sample(n, Generator().manual_seed(3))
    read = [task.tokenizer.decode(row) for row in batch.tokens.tolist()]
    due = [[task.tokenizer.label(i) for i in row if i != IGNORE] for row in batch.targets.tolist()]
    return list(zip(read, due, strict=True))


@pytest.mark.parametrize("distance", [10, 50, 200])
def test_the_first_letter_is_due_once(distance: int) -> None:
    found = rows(FirstSymbol(distance=distance))
    assert all(due == [read[0]] and len(read) == distance + 1 for read, due in found)
    assert {due[0] for _, due in found} == set("abcdefgh")
    assert {read[-1] for read, _ in found} == set("abcdefgh"), "any letter may stand anywhere"


def test_one_answer_is_scored_at_bos() -> None:
    batch = FirstSymbol().sample(9, Generator().manual_seed(0))
    assert bool((batch.tokens[:, 0] == Tokenizer.bos_id).all())
    assert bool((batch.targets[:, 0] != IGNORE).all())
    assert bool((batch.targets[:, 1:] == IGNORE).all())


def test_parities_are_those_of_all_bits_so_far() -> None:
    for read, due in rows(RunningParity()):
        assert due == [str(read[: i + 1].count("1") % 2) for i in range(len(read))]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.name}-{task.model_config().max_len}")
def test_splits_are_apart_and_the_generator_alone_decides(task: Task) -> None:
    sides = [task.sample(300, Generator().manual_seed(5), split).tokens for split in SPLITS]
    seen = [{tuple(row) for row in side.tolist()} for side in sides]
    assert all(a.isdisjoint(b) for a, b in combinations(seen, 2))
    state = torch.get_rng_state()
    assert torch.equal(task.sample(300, Generator().manual_seed(5)).tokens, sides[0])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.name}-{task.model_config().max_len}")
def test_both_kinds_of_network_read_the_batches(task: Task) -> None:
    batch = task.sample(3, Generator().manual_seed(0))
    for config in (task.model_config(), task.recurrent_config()):
        logits = build_network(config, 0)(batch.tokens)
        assert logits.shape == (*batch.tokens.shape, task.tokenizer.vocab_size)
    for example in task.examples():
        assert isinstance(example, str)
        assert len(task.tokenizer.encode(example)) == batch.tokens.shape[1]


def test_no_network_reads_backwards_and_all_answer_from_the_end() -> None:
    task = FirstSymbol()
    recurrent, transformer = task.recurrent_config(), task.model_config()
    assert not recurrent.bidirectional
    assert (recurrent.pooling, transformer.pooling) == ("last", "last")
    with pytest.raises(ConfigError, match="distance is 5; it must be a whole number from 10 to 200"):
        FirstSymbol(distance=5)
    with pytest.raises(ConfigError, match="from 10 to 200"):
        FirstSymbol(distance=201)


def test_the_last_token_should_read_the_first_letter() -> None:
    task = FirstSymbol(distance=10)
    tokens = task.sample(1, Generator().manual_seed(0)).tokens[0].tolist()
    (pattern,) = task.expected(tokens)
    assert (pattern.name, pattern.kind) == ("first symbol", "self")
    assert pattern.reads.nonzero().tolist() == [[len(tokens) - 1, 1]]
    assert not task.expected(tokens[:2])[0].reads.any(), "a single letter is no question"


def test_attention_learns_it_and_an_lstm_the_parity() -> None:
    """Small and short: what the comparison rests on."""
    training = TrainConfig(steps=150, batch_size=32, learning_rate=5e-3, validate_every=25, target=0.99)
    first, parity = FirstSymbol(distance=20), RunningParity(length=8)
    lstm = replace(parity.recurrent_config(), d_model=32)
    for task, config in ((first, first.model_config()), (parity, lstm)):
        network = build_network(config, 0)
        for _ in train(network, task, training):
            pass
        assert evaluate(network, task, "test", 256).accuracy > 0.97, task.name
