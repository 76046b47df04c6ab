"""Content of a run's config.json: task, model, training and recording."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from typing import Any, cast

from attnviz.errors.settings import check_whole
from attnviz.models.recurrent_config import AnyConfig, config_from_dict
from attnviz.tasks import Task
from attnviz.tasks.choice import parameters
from attnviz.training.engine.config import LARGEST_SEED, MOST, TrainConfig
from attnviz.training.recipes import Recipe

__all__ = ["Recording", "RunConfig"]

FORMAT = 1
BESIDE = ("format", "created", "recipe", "recording")  # what decides nothing of the result
TUNED = ("TunedLabels", "TunedTags")  # families that register when a run of theirs is opened
MOST_LETTERS = 100  # of a recipe's name and a time


@dataclass(frozen=True)
class Recording:
    """Settings of what a run records, and how often.

    Attributes:
        every: steps between two snapshots of attention, and between two saved states to resume from: what is computed
            again after a crash.
        sequences: sequences on which attention is watched.
        seed: seed that chose them.

    Raises:
        ConfigError: a value that is not a whole number above 0 (seed: at least 0).
    """

    every: int = 10
    sequences: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("every", self.every, 1, MOST)
        check_whole("sequences", self.sequences, 1, 1024)
        check_whole("seed", self.seed, 0, LARGEST_SEED)


@dataclass(frozen=True)
class RunConfig:
    """All that decides what a run computes, and when it was made.

    Attributes:
        task: what is learned.
        model: shape of the network.
        training: steps, learning rate, seed ...
        recording: what is written down how often.
        recipe: name of the recipe it comes from; "" when there is none.
        created: when, ISO 8601 with the time zone.

    Raises:
        ConfigError: the model does not read or write the symbols of the task.
    """

    task: Task
    model: AnyConfig
    training: TrainConfig
    recording: Recording = field(default_factory=Recording)
    recipe: str = ""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def __post_init__(self) -> None:
        self.task.check_model(self.model)

    @classmethod
    def of_recipe(cls, recipe: Recipe, recording: Recording | None = None) -> RunConfig:
        """Return the run that trains a recipe."""
        return cls(recipe.task, recipe.model, recipe.training, recording or Recording(), recipe.name)

    @cached_property
    def digest(self) -> str:
        """Hash of all that decides the result: runs with the same one have the same weights, on the same machine."""
        deciding = {name: value for name, value in self.to_dict().items() if name not in BESIDE}
        return sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "format": FORMAT,
            "created": self.created,
            "recipe": self.recipe,
            "seed": self.training.seed,
            "task": {"family": type(self.task).__name__, "parameters": parameters(self.task)},
            "model": self.model.to_dict(),
            "training": self.training.to_dict(),
            "recording": asdict(self.recording),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """Return the configuration that `to_dict` described.

        Raises:
            ValueError, TypeError, KeyError: it is none, or one of a newer version; ConfigError is a ValueError.
        """
        if values.get("format") != FORMAT:
            raise ValueError(f"format {values.get('format')!r} is unknown, this version reads {FORMAT}")
        config = cls(
            task=_task(values["task"]["family"], values["task"]["parameters"]),
            model=config_from_dict(values["model"]),
            training=TrainConfig(**values["training"]),
            recording=Recording(**values["recording"]),
            recipe=str(values["recipe"])[:MOST_LETTERS],
            created=datetime.fromisoformat(values["created"]).isoformat(),
        )
        hash(config)  # a list in place of a value is a TypeError now, and not where somebody looks the run up
        return config


def _task(family: str, parameters: Mapping[str, Any]) -> Task:
    """Return a task from its JSON: lists come back as tuples; a value of another type than the default's is refused."""
    if family in TUNED:  # what opens it needs much that others do without
        import_module("attnviz.finetuning.tasks")
    if family not in Task.families:
        raise ValueError(f"the task family {family!r} is unknown; there are {', '.join(sorted(Task.families))}")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()}
    for parameter in fields(cast(Any, Task.families[family])):
        value = values.get(parameter.name, parameter.default)
        if isinstance(parameter.default, int | str) and type(value) is not type(parameter.default):
            raise ValueError(f"{parameter.name} of the task {family} is {value!r}; like {parameter.default!r}, please")
    return Task.families[family].stored(**values)
