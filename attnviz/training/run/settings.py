"""Settings of runs by name: which a sweep may change, and in which some runs differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from hashlib import sha256
from typing import Any, TypeAlias

from attnviz.errors import UnknownSetting
from attnviz.models.network_config import OF_THE_TASK
from attnviz.models.recurrent_config import AnyConfig
from attnviz.models.tuned_config import TunedConfig
from attnviz.training.engine.config import TrainConfig
from attnviz.training.run.config import RunConfig

__all__ = ["Value", "changed", "differing", "kind_of", "settings_of", "sweepable"]

Value: TypeAlias = int | float | str | bool | None

LONG = 80  # characters of a value that is told
TRAINING = tuple(field.name for field in fields(TrainConfig) if field.name != "seed")


def sweepable(model: AnyConfig) -> list[str]:
    """Return the names of the settings that a sweep may change; the seed has a place of its own."""
    if isinstance(model, TunedConfig):
        return [*TRAINING, "method"]
    return [*TRAINING, *(field.name for field in fields(model) if field.name not in OF_THE_TASK)]


def kind_of(name: str, model: AnyConfig) -> type:
    """Return the class whose field a setting is.

    Raises:
        UnknownSetting: no sweep may change it.
    """
    if name not in sweepable(model):
        raise UnknownSetting(name, sweepable(model))
    return TrainConfig if name in TRAINING else type(model)


def changed(config: RunConfig, values: Mapping[str, Value], seed: int) -> RunConfig:
    """Return the run with other settings and another seed, made now.

    Raises:
        ConfigError: a setting that is none, or a combination that cannot be built.
    """
    of_training = {name: value for name, value in values.items() if kind_of(name, config.model) is TrainConfig}
    of_model = {name: value for name, value in values.items() if name not in of_training}
    training = replace(config.training, seed=seed, **of_training)  # type: ignore[arg-type]
    model = config.task.adjusted(config.model, **of_model) if of_model else config.model
    return RunConfig(config.task, model, training, config.recording, config.recipe)


def settings_of(config: RunConfig) -> dict[str, Value]:
    """Return all that decides the result, by name; a task's parameters begin with "task.".

    A long text, such as data of one's own, is told by its hash and length.

    Example:
        >>> from attnviz.training import RECIPES
        >>> found = settings_of(RunConfig.of_recipe(RECIPES["copy"]))
        >>> found["task"], found["task.max_length"], found["learning_rate"], found["n_layers"]
        ('Copy', 10, 0.003, 2)
    """
    values = config.to_dict()
    parameters = {f"task.{name}": value for name, value in values["task"]["parameters"].items()}
    found = {"task": values["task"]["family"], **parameters, **values["model"], **values["training"]}
    return {name: _told(value) for name, value in found.items()}


def _told(value: Any) -> Value:
    if isinstance(value, list | tuple):
        return _told(", ".join(map(str, value)))
    if isinstance(value, str) and len(value) > LONG:
        return f"{sha256(value.encode()).hexdigest()[:12]} ({len(value):,} characters)"
    return value if isinstance(value, int | float | str | bool) or value is None else str(value)


def differing(configs: Sequence[RunConfig]) -> dict[str, tuple[Value, ...]]:
    """Return the settings in which some runs differ, each with its value in every run; None where a run has none.

    Example:
        >>> from attnviz.training import RECIPES
        >>> base = RunConfig.of_recipe(RECIPES["copy"])
        >>> differing([base, changed(base, {"learning_rate": 0.01}, seed=1)])
        {'learning_rate': (0.003, 0.01), 'seed': (0, 1)}
    """
    settings = [settings_of(config) for config in configs]
    names = dict.fromkeys(name for found in settings for name in found)
    columns = {name: tuple(found.get(name) for found in settings) for name in names}
    return {name: values for name, values in columns.items() if any(value != values[0] for value in values)}
