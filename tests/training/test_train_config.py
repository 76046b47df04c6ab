"""TrainConfig refuses what makes no sense, with words that help; its learning rate rises and falls."""

from __future__ import annotations

import doctest
import json
from typing import Any

import pytest

from attnviz.errors import ConfigError
from attnviz.training import TrainConfig
from attnviz.training.engine import config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0}, "steps is 0; it must be a whole number from 1 to 1,000,000,000"),
        ({"batch_size": 1.5}, "batch_size is 1.5; it must be a whole number from 1 to"),
        ({"seed": -1}, "seed is -1; it must be a whole number from 0 to"),
        ({"validate_every": True}, "validate_every is True"),
        ({"learning_rate": 0.0}, "learning_rate is 0; it must be above 0 and at most 1, for example 0.003"),
        ({"learning_rate": -1e-3}, "learning_rate is -0.001; it must be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan; it must be above 0"),
        ({"learning_rate": 10.0}, "learning_rate is 10; it must be above 0 and at most 1"),
        ({"clip": 0.0}, "clip is 0; it must be above 0, or none"),
        ({"schedule": "steps"}, "schedule is steps; choose one of 'cosine', 'linear', 'constant'"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1; it must be at least 0"),
        ({"final_rate": 1.1}, "final_rate is 1.1; it must be from 0 to 1"),
        ({"beta2": 1.0}, "beta2 is 1; it must be at least 0 and below 1"),
        ({"target": 0.0}, "target is 0; it must be above 0, or none"),
    ],
)
def test_impossible_settings_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig(**values)
    assert message in str(caught.value)


def test_learning_rate_rises_then_falls_along_a_cosine() -> None:
    settings = TrainConfig(steps=200, warmup_steps=50, learning_rate=4e-3, final_rate=0.1)
    rates = [settings.rate(step) for step in range(1, 201)]
    assert rates[0] == pytest.approx(4e-3 / 50)
    assert max(rates) == rates[49] == pytest.approx(4e-3)
    assert rates[:50] == sorted(rates[:50])
    assert rates[49:] == sorted(rates[49:], reverse=True)
    assert rates[124] == pytest.approx(4e-3 * 0.55)
    assert rates[-1] == pytest.approx(4e-4)


def test_the_other_schedules_rise_alike() -> None:
    for schedule, middle, last in (("linear", 0.55, 0.1), ("constant", 1.0, 1.0)):
        settings = TrainConfig(steps=200, warmup_steps=50, learning_rate=4e-3, final_rate=0.1, schedule=schedule)
        rates = [settings.rate(step) for step in range(1, 201)]
        assert rates[:50] == [TrainConfig(steps=200, learning_rate=4e-3).rate(step) for step in range(1, 51)]
        assert rates[124] == pytest.approx(4e-3 * middle)
        assert rates[-1] == pytest.approx(4e-3 * last)


def test_learning_rate_without_warm_up_and_with_one_longer_than_the_run() -> None:
    assert TrainConfig(steps=10, warmup_steps=0).rate(1) < 3e-3
    short = TrainConfig(steps=5, warmup_steps=50)
    assert [short.rate(s) for s in (1, 5)] == pytest.approx([3e-3 / 50, 3e-4])


def test_settings_are_plain_values() -> None:
    settings = TrainConfig(target=0.99, clip=None, schedule="linear")
    assert TrainConfig(**json.loads(json.dumps(settings.to_dict()))) == settings


def test_worked_examples() -> None:
    assert doctest.testmod(config).failed == 0
