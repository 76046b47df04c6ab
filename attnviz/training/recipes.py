"""Recipes: all it takes to train a model, those of the zoo and more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from attnviz.models.bundle import ModelCard, SequenceModel
from attnviz.models.network import Network
from attnviz.models.recurrent_config import AnyConfig, RecurrentConfig
from attnviz.tasks import (
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
    OwnText,
    Parity,
    Recall,
    Reverse,
    ScratchpadParity,
    Sort,
    Stories,
    Task,
)
from attnviz.tasks.stories import Language
from attnviz.training.config import TrainConfig

__all__ = ["OWN", "OWN_TEXT", "RECIPES", "OwnRecipe", "Recipe", "own_text"]

OWN_TEXT = "own-text"
"""Name of the recipe that `own_text` makes."""


@dataclass(frozen=True)
class Recipe:
    """A task, a model and how to train it.

    Attributes:
        name: of the recipe and of the model it makes.
        title: of that model.
        task: what it learns.
        model: its shape.
        training: steps, learning rate, seed ...
        target: value of the task's metric that the model must reach on test data.
        test_size: sequences on which the trained model is judged.
        exempt: the target is not expected: a contrast, in which a network fails and its task says why, or a text
            of which nobody knows what can be reached.
    """

    name: str
    title: str
    task: Task
    model: AnyConfig
    training: TrainConfig
    target: float
    test_size: int = 2048
    exempt: bool = False

    @property
    def seed(self) -> int:
        """Of the first weights and of all data."""
        return self.training.seed

    def changed(self, steps: int | None = None, seed: int | None = None) -> Recipe:
        """The recipe with other steps or another seed."""
        training = self.training
        if steps is not None:
            training = replace(training, steps=steps)
        if seed is not None:
            training = replace(training, seed=seed)
        return replace(self, training=training)

    def bundle(self, network: Network, score: float) -> SequenceModel:
        """The trained network with its tokenizers and a card that says where it comes from."""
        card = ModelCard(
            name=self.name,
            title=self.title,
            task=self.task.name,
            examples=self.task.examples(),
            recipe=self.name,
            seed=self.seed,
            metric=self.task.metric,
            score=score,
        )
        task = self.task
        return SequenceModel(network, task.tokenizer, card, task.source_tokenizer, task.labels)


def _recipe(
    name: str,
    title: str,
    task: Task,
    training: TrainConfig,
    target: float,
    test_size: int = 2048,
    exempt: bool = False,
    model: AnyConfig | None = None,
) -> Recipe:
    return Recipe(name, title, task, model or task.model_config(), training, target, test_size, exempt)


def _lstm(task: Task, **settings: Any) -> RecurrentConfig:
    """The task's recurrent network with other settings."""
    return replace(task.recurrent_config(), **settings)


def own_text(text: str, length: int = 64) -> Recipe:
    """The recipe for a text of one's own; its target is what the frequencies of its characters alone would give.

    Raises:
        InputError: the text is empty, repeats one character, or is shorter than four times the context.
    """
    task = OwnText(text, length)
    training = _training(400, batch_size=32, validation_size=128)  # more learns a short text by heart
    return _recipe(OWN_TEXT, "Your own text", task, training, task.frequency_loss, test_size=256, exempt=True)


def _training(steps: int, **settings: Any) -> TrainConfig:
    """A training that is looked at often enough for a curve that lives, for less than a tenth of its time."""
    return TrainConfig(steps=steps, **{"validate_every": 25, "validation_size": 256, **settings})


def _until_learned(steps: int, **settings: Any) -> TrainConfig:
    """A training that stops when it is better than the 0.99 it must reach, for the test is another set."""
    return _training(steps, target=0.998, validation_size=384, **settings)


STORIES = _training(3200, batch_size=8, validate_every=50, validation_size=48)


def _short_stories(name: str, title: str, language: Language, steps: int, target: float) -> Recipe:
    """Stories that are learned while somebody waits: a context of 128 characters."""
    training = _training(steps, batch_size=32, learning_rate=5e-3, validate_every=50, validation_size=128)
    return _recipe(name, title, Stories(language, length=128), training, target, test_size=512)


MODULAR = _until_learned(1500, batch_size=512, learning_rate=5e-3, final_rate=1.0, weight_decay=1.0)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _recipe("reverse", "Reverse a sequence", Reverse(), _training(1500), 0.99),
        _recipe("sort", "Sort letters", Sort(), _training(1500, learning_rate=5e-3), 0.99),
        _recipe("induction", "Continue a pattern", Induction(), _training(1000, learning_rate=5e-3), 0.99),
        _recipe("recall", "Recall a value by its key", Recall(), _training(1000, learning_rate=5e-3), 0.99),
        _recipe("addition", "Add two numbers", Addition(), _training(1500), 0.99),
        _recipe("dates", "Normalise a date", Dates(), _training(2000), 0.99),
        _short_stories("english-short", "Short stories (English)", "en", 1200, 0.44),
        _short_stories("chinese-short", "Short stories (Chinese)", "zh", 1000, 0.70),
        _recipe("english", "Little stories (English)", Stories("en"), STORIES, 0.42, test_size=256),
        _recipe(
            "english-lstm",
            "Little stories (English), LSTM",
            Stories("en"),
            STORIES,
            0.48,
            test_size=256,
            model=_lstm(Stories("en"), d_model=108, embedding_std=0.25),  # as many parameters as the Transformer
        ),
        _recipe("chinese", "Little stories (Chinese)", Stories("zh"), STORIES, 0.58, test_size=256),
        _recipe("copy", "Copy a sequence", Copy(), _until_learned(1500), 0.99),
        _recipe("needle", "Find the needle", Needle(), _until_learned(1000, learning_rate=5e-3), 0.99),
        _recipe("histogram", "Count each letter", Histogram(), _until_learned(2500), 0.99),
        _recipe(
            "histogram-no-bos",
            "Count each letter without <bos>",
            Histogram(bos=False),
            _until_learned(2500),
            0.99,
            exempt=True,
        ),
        _recipe("majority", "Find the majority", Majority(), _until_learned(500, learning_rate=5e-3), 0.99),
        _recipe("brackets", "Check brackets", Brackets(), _training(2000, learning_rate=2e-3), 0.99),
        _recipe("open-bracket", "Name the open bracket", OpenBracket(), _until_learned(2000), 0.99),
        _recipe("parity", "Parity at once", Parity(), _until_learned(600), 0.99, exempt=True),
        _recipe("parity-scratchpad", "Parity step by step", ScratchpadParity(), _until_learned(1500), 0.99),
        _recipe("addition-3", "Add three digits", Addition(3), _until_learned(2000), 0.99),
        _recipe("addition-3-plain", "Add, first digit first", Addition(3, reverse=False), _until_learned(2500), 0.99),
        _recipe("modular", "Add modulo 53", ModularAddition(), MODULAR, 0.99),
    )
}


@dataclass(frozen=True)
class OwnRecipe:
    """A recipe for data of one's own.

    Attributes:
        of: makes it of the data as text, and of the task's parameters; raises InputError for data that are none.
        example: made of data that nobody brought: its settings are those of all.
    """

    of: Callable[..., Recipe]
    example: Recipe


OWN: dict[str, OwnRecipe] = {OWN_TEXT: OwnRecipe(own_text, own_text("ab" * 512))}
"""Recipes that are not among RECIPES, since they need data."""
