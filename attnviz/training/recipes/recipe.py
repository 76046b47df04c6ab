"""Recipes: everything it takes to train a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from torch import nn

from attnviz.locale import t
from attnviz.models.bundle import SequenceModel
from attnviz.models.recurrent_config import AnyConfig, RecurrentConfig
from attnviz.tasks import Baseline, Task
from attnviz.tasks.own.data import OwnTask
from attnviz.tasks.own.readers.delimited import Layout
from attnviz.training.engine.config import TrainConfig

__all__ = ["OwnRecipe", "Recipe", "make_recipe", "recurrent", "training", "until_learned"]


@dataclass(frozen=True)
class Recipe:
    """A task, a model and how to train it.

    Attributes:
        name: name of the recipe and of the model it makes.
        task: what it learns.
        model: its shape.
        training: steps, learning rate, seed ...
        target: value of the task's metric that the model must reach on test data; None where nobody knows one.
        test_size: sequences on which the trained model is judged; of a finite collection, all are taken.
        exempt: the target is not expected: a contrast, in which a network fails and its task says why, or a text
            of which nobody knows what can be reached.
    """

    name: str
    task: Task
    model: AnyConfig
    training: TrainConfig
    target: float | None
    test_size: int = 2048
    exempt: bool = False

    @property
    def title(self) -> str:
        """Title of the model, in English; the message has it in other languages."""
        return t("en", f"task.{self.name}.title")

    @property
    def seed(self) -> int:
        """Seed of the first weights and of all data."""
        return self.training.seed

    def changed(self, steps: int | None = None, seed: int | None = None) -> Recipe:
        """Return the recipe with other steps or another seed."""
        training = self.training
        if steps is not None:
            training = replace(training, steps=steps)
        if seed is not None:
            training = replace(training, seed=seed)
        return replace(self, training=training)

    def bundle(
        self,
        network: nn.Module,
        score: float,
        baselines: Sequence[Baseline] = (),
        judged: int = 0,
        interval: tuple[float, float] | None = None,
    ) -> SequenceModel:
        """Return the trained network with its tokenizers and a card that says where it comes from.

        Args:
            network: trained.
            score: score of the metric, on test data.
            baselines: what can be had there without a network, where that was computed.
            judged: sequences that the score was computed on, where that is known.
            interval: 95 % interval of the score, where it has one.
        """
        return self.task.bundle(
            network,
            name=self.name,
            title=self.title,
            recipe=self.name,
            seed=self.seed,
            score=score,
            baselines=tuple((each.name, each.score) for each in baselines),
            judged=judged,
            interval=interval,
        )


def make_recipe(
    name: str, task: Task, training: TrainConfig, target: float | None, model: AnyConfig | None = None, **rest: Any
) -> Recipe:
    """Return a recipe; the model is the task's own where none is given."""
    return Recipe(name, task, model or task.model_config(), training, target, **rest)


def recurrent(task: Task, **settings: Any) -> RecurrentConfig:
    """Return the recurrent network of a task, with other settings."""
    return replace(task.recurrent_config(), **settings)


def training(steps: int, **settings: Any) -> TrainConfig:
    """Return a configuration that validates every 25 steps, in less than a tenth of the time of training."""
    return TrainConfig(steps=steps, **{"validate_every": 25, "validation_size": 256, **settings})


def until_learned(steps: int, **settings: Any) -> TrainConfig:
    """Return a configuration that stops at 0.998 on validation data, so that the test set reaches 0.99."""
    return training(steps, target=0.998, validation_size=384, **settings)


@dataclass(frozen=True)
class OwnRecipe:
    """A recipe for data of one's own.

    Attributes:
        of: makes it of the data as text, and of the task's parameters; raises InputError for data that are none.
        kind: kind of task that it makes.
        sample: data that nobody brought: the settings of its recipe are those of all.
        layout: how data are laid out, of their text and of the task's choices about reading; None: a text is a text.
    """

    of: Callable[..., Recipe]
    kind: type[OwnTask]
    sample: str
    layout: Callable[..., Layout] | None = None

    @cached_property
    def example(self) -> Recipe:
        """The recipe for the sample."""
        return self.of(self.sample)
