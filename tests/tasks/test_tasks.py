"""Every task: its batches are well formed, its splits are apart, its answers are right."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from datetime import date, datetime
from random import Random

import pytest
import torch
from torch import Generator

import attnviz.tasks
from attnviz.tasks import (
    IGNORE,
    Addition,
    Batch,
    Copy,
    Dates,
    Induction,
    OwnEntities,
    OwnLabelled,
    OwnPairs,
    OwnSeries,
    OwnText,
    Recall,
    Reverse,
    ScratchpadParity,
    Sort,
    Sound,
    Split,
    Stories,
    Task,
)
from attnviz.tasks.base import LETTERS, SPLITS
from attnviz.tasks.language.dates import FORMS, ordinal, write
from attnviz.tokenizers import Tokenizer
from attnviz.training.recipes import OWN, RECIPES

TASKS: list[Task] = [
    *dict.fromkeys(recipe.task for recipe in RECIPES.values()),
    Sort(repeats=True),
    OwnText("".join(chr(97 + i * i % 7) for i in range(400)) + "\n"),
    *(own.example.task for own in OWN.values()),
]
WITHOUT_EXAMPLE = (
    *("entities_grammar", "sentiment_en", "sentiment_words", "sentiment_zh", "stories_zh"),  # lists of words
    "workbook_child",  # a program
)
MODULES = [m.name for m in pkgutil.walk_packages(attnviz.tasks.__path__, "attnviz.tasks.") if not m.ispkg]
NAMES = [f"{task.name}-{index}" for index, task in enumerate(TASKS)]
each_task = pytest.mark.parametrize("task", TASKS, ids=NAMES)


def sample(task: Task, n: int, split: Split = "train", seed: int = 7) -> Batch:
    return task.sample(n, Generator().manual_seed(seed), split)


def texts(task: Task, batch: Batch) -> list[str]:
    if batch.features is None:
        return [task.tokenizer.decode(row) for row in batch.tokens.tolist()]
    return [task.tokenizer.decode(*row) for row in zip(batch.tokens.tolist(), batch.features, strict=True)]


@pytest.mark.parametrize("module", MODULES)
def test_worked_examples(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.failed == 0
    assert result.attempted > 0 or module.rpartition(".")[2] in WITHOUT_EXAMPLE


@each_task
@pytest.mark.parametrize("split", SPLITS)
def test_batches_are_well_formed(task: Task, split: Split) -> None:
    n = 37
    batch = sample(task, n, split)
    config = task.model_config()
    assert config.architecture == task.architecture
    assert config.vocab_size == task.tokenizer.vocab_size
    assert batch.tokens.shape == batch.targets.shape
    assert batch.tokens.shape[0] == n
    assert batch.tokens.shape[1] <= config.max_len
    assert batch.tokens.dtype == batch.targets.dtype == torch.int64
    assert int(batch.tokens.min()) >= 0
    assert int(batch.tokens.max()) < task.tokenizer.vocab_size
    scored = batch.targets != IGNORE
    assert bool(scored.any(1).all())
    if batch.values is not None:
        assert batch.values.shape == (*batch.tokens.shape, config.output_size)
        assert bool(batch.values[scored].isfinite().all())
    elif task.labels:
        assert config.output_size == len(task.labels)
        assert 0 <= int(batch.targets[scored].min()) <= int(batch.targets[scored].max()) < len(task.labels)
    else:
        assert config.output_size == task.tokenizer.vocab_size
        assert int(batch.targets[scored].min()) > Tokenizer.bos_id
    if task.readout == "whole":
        assert torch.equal(scored.nonzero(), torch.tensor([[row, 0] for row in range(n)]))
    assert (batch.features is not None) == (config.n_features > 0)
    if batch.features is not None:
        assert batch.features.shape == (*batch.tokens.shape, config.n_features)
    padding = torch.ones_like(scored) if batch.padding is None else batch.padding
    assert padding.dtype == torch.bool
    assert torch.equal(padding, batch.tokens != Tokenizer.pad_id)
    assert bool((padding | ~scored).all()), "a padded position is scored"
    assert bool((padding[:, :-1] >= padding[:, 1:]).all()), "padding is on the right"
    assert (batch.source is not None) == (task.source_tokenizer is not None) == (task.architecture == "encoder-decoder")
    if batch.source is not None and task.source_tokenizer is not None:
        assert config.source_vocab_size == task.source_tokenizer.vocab_size
        assert config.source_max_len is not None
        assert batch.source.shape[1] <= config.source_max_len
        assert batch.source_padding is not None
        assert torch.equal(batch.source_padding, batch.source != Tokenizer.pad_id)


@each_task
def test_the_generator_alone_decides(task: Task) -> None:
    first, torch_state = sample(task, 20), torch.get_rng_state()
    again, other = sample(task, 20), sample(task, 20, seed=8)
    assert torch.equal(first.tokens, again.tokens)
    assert torch.equal(first.targets, again.targets)
    assert texts(task, first) != texts(task, other)
    assert torch.equal(torch_state, torch.get_rng_state())


@each_task
def test_examples_can_be_typed(task: Task) -> None:
    config = task.model_config()
    assert len(task.examples()) >= 2
    for example in task.examples():
        if isinstance(example, tuple):
            source, target = example
            assert task.source_tokenizer is not None
            ids = task.source_tokenizer.encode(source)
            assert task.source_tokenizer.decode(ids) == source
            assert len(ids) <= (config.source_max_len or 0)
        else:
            target = example
        assert task.tokenizer.decode(task.tokenizer.encode(target), task.tokenizer.features(target)) == target
        assert len(task.tokenizer.encode(target)) <= config.max_len


def inputs(task: Task, batch: Batch) -> set[str]:
    """What decides the answers of a sequence, in a form that is the same for all of the same input."""
    written = texts(task, batch)
    if isinstance(task, Sort | Copy):
        return {text.split(" >")[0] for text in written}
    if isinstance(task, Induction):
        return {text[: text.index(text[0], 1)] for text in written}
    if isinstance(task, Recall):
        return {text.split(" ?")[0] for text in written}
    if isinstance(task, Addition):
        return {" ".join(sorted(text.split("=")[0].split("+"))) for text in written}
    if isinstance(task, ScratchpadParity):
        return {text.split("=")[0] for text in written}
    return set(written)  # a date, whatever its form; a sequence to reverse


APART = (Stories, OwnText, OwnSeries, OwnLabelled, OwnEntities, OwnPairs, Sound)
"""Tasks whose splits are not told by what a model reads: pieces of texts, words read as unknown, voices under hiss."""


@pytest.mark.parametrize("task", [t for t in TASKS if not isinstance(t, APART)], ids=lambda t: t.name)
def test_no_input_is_in_two_splits(task: Task) -> None:
    n = 4000 if isinstance(task, Addition) else 2000  # nearly all pairs of two digits
    train, validation, test = (inputs(task, sample(task, n, split)) for split in SPLITS)
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_no_input_is_in_two_splits_where_inputs_repeat() -> None:
    task = Reverse(n_symbols=3, min_length=2, max_length=4)  # 117 inputs in all
    sides = [inputs(task, sample(task, 3000, split)) for split in SPLITS]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 3**2 + 3**3 + 3**4


def answers(task: Task, batch: Batch) -> list[str]:
    return [task.tokenizer.decode(i for i in row if i != IGNORE) for row in batch.targets.tolist()]


def test_reverse_answers() -> None:
    task = Reverse()
    batch = sample(task, 300)
    lengths = set()
    for row, text, answer in zip(batch.tokens, texts(task, batch), answers(task, batch), strict=True):
        assert answer.split() == text.split()[::-1]
        assert int(row[len(answer.split())]) == Tokenizer.eos_id
        lengths.add(len(answer.split()))
    assert lengths == set(range(3, 11))


@pytest.mark.parametrize("repeats", [False, True])
def test_sort_answers(repeats: bool) -> None:
    task = Sort(repeats=repeats)
    batch = sample(task, 300)
    lengths = set()
    for text, answer, targets in zip(texts(task, batch), answers(task, batch), batch.targets.tolist(), strict=True):
        letters, written = text.split(" > ")
        assert written == answer
        assert answer.split() == sorted(letters.split())
        assert [t for t in targets if t != IGNORE][-1] == Tokenizer.eos_id
        assert repeats or len(set(answer)) - 1 == len(answer.split())
        lengths.add(len(answer.split()))
    assert lengths == set(range(2, 11))


def test_induction_answers() -> None:
    task = Induction()
    batch = sample(task, 300)
    periods = set()
    for text, targets in zip(texts(task, batch), batch.targets.tolist(), strict=True):
        symbols = text.split()
        period = symbols.index(symbols[0], 1)
        periods.add(period)
        assert len(set(symbols)) == period
        assert targets[:period] == [IGNORE] * period
        expected = [symbols[i % period] for i in range(period + 1, len(symbols) + 1)]
        assert [task.tokenizer.label(t) for t in targets[period:]] == expected
    assert periods == set(range(3, 21))


def test_recall_answers() -> None:
    task = Recall()
    batch = sample(task, 300)
    sizes = set()
    for text, answer, targets in zip(texts(task, batch), answers(task, batch), batch.targets.tolist(), strict=True):
        given, *questions = text.split(" ? ")
        symbols = given.split()
        pairs = dict(zip(symbols[::2], symbols[1::2], strict=True))
        assert set(pairs) <= set(LETTERS)
        assert len(pairs) == len(symbols) // 2
        assert answer.split() == [pairs[question[0]] for question in questions]
        assert [text.split()[i - 1] for i, t in enumerate(targets) if t != IGNORE] == ["?"] * task.n_questions
        sizes.add(len(pairs))
    assert sizes == set(range(2, 11))


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_addition_answers(digits: int) -> None:
    task = Addition(digits)
    batch = sample(task, 40 if digits == 1 else 300)
    smaller_first = 0
    for text, answer in zip(texts(task, batch), answers(task, batch), strict=True):
        a, b = text.split("=")[0].split("+")
        assert len(a) == len(b) == digits
        assert answer == f"{int(a) + int(b):0{digits + 1}}"[::-1]
        smaller_first += a < b
    assert 0.2 < smaller_first / len(batch.tokens) < 0.8


def test_dates_answers() -> None:
    task = Dates()
    batch = sample(task, 300)
    assert batch.source is not None
    for row, text, answer in zip(batch.source.tolist(), texts(task, batch), answers(task, batch), strict=True):
        day = date.fromisoformat(answer)
        assert text == answer
        source = task.source_tokenizer.decode(row)
        assert str(day.year) in source
        assert str(day.day) in source
    assert set(batch.tokens[:, 0].tolist()) == {Tokenizer.bos_id}
    assert set(batch.targets[:, -1].tolist()) == {Tokenizer.eos_id}


def test_dates_are_written_in_many_forms() -> None:
    random = Random(3)
    day = date(2021, 3, 3)
    forms = {write(day, random) for _ in range(3000)}
    assert len(forms) > 2 * len(FORMS)
    assert {"3rd of March 2021", "03/03/2021", "2021年3月3日", "mar 3, 2021", "Wednesday, 3 March 2021"} <= forms
    parsed = {datetime.strptime(text, "%d %b %Y").date() for text in forms if text in ("3 Mar 2021", "3 mar 2021")}
    assert parsed == {day}
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "31st"]
    )
