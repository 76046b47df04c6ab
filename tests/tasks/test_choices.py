"""What may be changed about a task: everything offered works, and what cannot be is refused in words."""

from __future__ import annotations

from dataclasses import fields
from itertools import product
from typing import Any, cast

import pytest
import torch
from torch import Generator

from attnviz.errors import ConfigError
from attnviz.models import build_network
from attnviz.tasks import (
    IGNORE,
    Addition,
    Brackets,
    Copy,
    Dates,
    Histogram,
    Induction,
    Majority,
    ModularAddition,
    Needle,
    OpenBracket,
    OwnPairs,
    OwnText,
    Parity,
    Recall,
    Reverse,
    ScratchpadParity,
    Sort,
    Stories,
    Task,
)
from attnviz.tasks.base import SPLITS, draw, split_of
from attnviz.training import RECIPES, TrainConfig, train
from attnviz.training.recipes import OWN, OWN_PAIRS

TEXT = "".join(chr(97 + i * i % 23) for i in range(1100))
OWN_DATA = {own.kind: {"text": own.sample} for own in OWN.values()} | {OwnText: {"text": TEXT}}
OWN_DATA[OwnPairs] = {"text": OWN[OWN_PAIRS].sample.replace("\n", "\n\n")}  # each a dialogue of its own
FAMILIES = [kind for kind in Task.families.values() if kind.__module__.startswith("attnviz.tasks.")]
"""Those that need no model of another library."""
ONE_STEP = TrainConfig(steps=1, batch_size=4, validation_size=4)


def corners() -> list[tuple[type[Task], dict[str, Any]]]:
    found = []
    for kind in FAMILIES:
        ends = [[(c.name, value) for value in sorted({c.values[0], c.values[-1]})] for c in kind.choices()]
        found += [(kind, dict(values)) for values in product(*ends)]
    return found


def described(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={given}" for name, given in value.items())
    return value.__name__ if isinstance(value, type) else str(value)


@pytest.mark.parametrize(("kind", "values"), corners(), ids=described)
def test_the_ends_of_all_ranges_can_be_trained(kind: type[Task], values: dict[str, Any]) -> None:
    task = kind(**values, **OWN_DATA.get(kind, {}))
    config = task.model_config()
    for split in SPLITS:
        batch = task.sample(8, Generator().manual_seed(0), split)
        assert batch.tokens.shape[0] == 8
        assert batch.tokens.shape[1] <= config.max_len
        assert int(batch.tokens.max()) < config.vocab_size
        assert bool((batch.targets != IGNORE).any(1).all())
        if batch.source is not None:
            assert batch.source.shape[1] <= (config.source_max_len or 0)
    examples = task.examples()
    assert len(examples) >= 2
    for example in examples:
        target = example[1] if isinstance(example, tuple) else example
        tokens = task.tokenizer.encode(target)
        assert len(tokens) <= config.max_len
        source = task.source_tokenizer.encode(example[0]) if task.source_tokenizer is not None else None
        for pattern in task.expected(tokens, source):
            assert pattern.reads.shape[0] == len(tokens)
    (step,) = train(build_network(config, 0), task, ONE_STEP)
    assert step.validation is not None
    assert torch.isfinite(torch.tensor([step.loss, step.validation.loss])).all()


@pytest.mark.parametrize("kind", FAMILIES, ids=described)
def test_every_parameter_can_be_chosen_and_the_recipes_are_among_the_choices(kind: type[Task]) -> None:
    choices = {choice.name: choice.values for choice in kind.choices()}
    others = {"text", "validation_text", "test_text", *(reading.name for reading in kind.readings())}
    assert list(choices) == [field.name for field in fields(cast(Any, kind)) if field.name not in others]
    for recipe in RECIPES.values():
        if type(recipe.task) is kind:
            assert all(getattr(recipe.task, name) in values for name, values in choices.items()), recipe.name


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (Reverse, {"n_symbols": 27}, "n_symbols is 27; it must be a whole number from 2 to 26"),
        (Reverse, {"min_length": 0}, "min_length is 0; it must be a whole number of at least 1"),
        (Reverse, {"min_length": 7, "max_length": 6}, "min_length is 7, above max_length, which is 6. Lower the one"),
        (Reverse, {"max_length": 4.0}, "max_length is 4; it must be a whole number"),
        (Copy, {"n_symbols": 0}, "n_symbols is 0"),
        (Copy, {"max_length": 0, "min_length": 0}, "min_length is 0"),
        (Sort, {"max_length": 27}, "max_length without repeats is 27; it must be a whole number from 1 to 26"),
        (Sort, {"min_length": True}, "min_length is True"),
        (Induction, {"max_period": 27}, "max_period is 27; it must be a whole number from 1 to 26"),
        (Induction, {"length": 20}, "length is 20; it must be a whole number of at least 21"),
        (Induction, {"min_period": 21}, "min_period is 21, above max_period, which is 20"),
        (Recall, {"max_pairs": 27}, "max_pairs is 27; it must be a whole number from 1 to 26"),
        (Recall, {"n_questions": 0}, "n_questions is 0; it must be a whole number of at least 1"),
        (Recall, {"min_pairs": 11}, "min_pairs is 11, above max_pairs, which is 10"),
        (Needle, {"min_length": 0}, "min_length is 0"),
        (Histogram, {"length": 1}, "length is 1; it must be a whole number of at least 2"),
        (Histogram, {"n_symbols": 30}, "n_symbols is 30; it must be a whole number from 3 to 26"),
        (Majority, {"length": 8}, "length is 8; it must be odd, for example 9"),
        (Majority, {"length": 1}, "length is 1; it must be a whole number of at least 3"),
        (Brackets, {"length": 7}, "length is 7; it must be even, for example 8"),
        (Brackets, {"length": 0}, "length is 0; it must be a whole number of at least 2"),
        (OpenBracket, {"length": 1}, "length is 1; it must be a whole number of at least 2"),
        (Parity, {"length": 0}, "length is 0; it must be a whole number of at least 1"),
        (ScratchpadParity, {"length": -3}, "length is -3; it must be a whole number of at least 1"),
        (Addition, {"digits": 0}, "digits is 0; it must be a whole number from 1 to 10"),
        (Addition, {"digits": 11}, "digits is 11"),
        (ModularAddition, {"modulus": 54}, "modulus is 54; it must be a prime number, for example 59"),
        (ModularAddition, {"modulus": 10**18}, "it must be a whole number from 5 to 997"),
        (Dates, {"first_year": 2100}, "first_year is 2,100, above last_year, which is 2,099"),
        (Dates, {"last_year": 10_000}, "last_year is 10,000; it must be a whole number from 1,000 to 9,999"),
        (OwnText, {"text": TEXT, "length": 0}, "length is 0; it must be a whole number of at least 1"),
        (Stories, {"language": "tlh"}, "language is tlh; choose one of 'en', 'zh'"),
        (Stories, {"length": 5000}, "length is 5,000; it must be a whole number from 1 to 4,096"),
    ],
    ids=described,
)
def test_what_cannot_be_is_refused(kind: type[Task], values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        kind(**values)
    assert message in str(caught.value)


def test_a_task_with_hardly_any_inputs_says_so() -> None:
    only = torch.zeros(1, 3, dtype=torch.int64)
    (mine,) = split_of(only)
    assert draw(5, mine, lambda n: only.expand(n, 3)).shape == (5, 3)
    other = next(split for split in SPLITS if split != mine)
    with pytest.raises(ConfigError, match=r"too few inputs, none of them for .* Allow more symbols or lengths"):
        draw(5, other, lambda n: only.expand(n, 3))
