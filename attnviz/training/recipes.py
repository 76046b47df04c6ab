"""Recipes: all it takes to train a model of the zoo again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from attnviz.models.bundle import ModelCard, SequenceModel
from attnviz.models.config import ModelConfig
from attnviz.models.transformer import Transformer
from attnviz.tasks import Addition, Dates, Induction, Recall, Reverse, Sort, Stories, Task
from attnviz.training.config import TrainConfig

__all__ = ["RECIPES", "Recipe"]


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
    """

    name: str
    title: str
    task: Task
    model: ModelConfig
    training: TrainConfig
    target: float
    test_size: int = 2048

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

    def bundle(self, network: Transformer, score: float) -> SequenceModel:
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
        return SequenceModel(network, self.task.tokenizer, card, self.task.source_tokenizer)


def _recipe(name: str, title: str, task: Task, training: TrainConfig, target: float, test_size: int = 2048) -> Recipe:
    return Recipe(name, title, task, task.model_config(), training, target, test_size)


STORIES = TrainConfig(steps=3200, batch_size=8, validation_size=64)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _recipe("reverse", "Reverse a sequence", Reverse(), TrainConfig(steps=1500), 0.99),
        _recipe("sort", "Sort letters", Sort(), TrainConfig(steps=1500, learning_rate=5e-3), 0.99),
        _recipe("induction", "Continue a pattern", Induction(), TrainConfig(steps=1000, learning_rate=5e-3), 0.99),
        _recipe("recall", "Recall a value by its key", Recall(), TrainConfig(steps=1000, learning_rate=5e-3), 0.99),
        _recipe("addition", "Add two numbers", Addition(), TrainConfig(steps=1500), 0.99),
        _recipe("dates", "Normalise a date", Dates(), TrainConfig(steps=2000), 0.99),
        _recipe("english", "Little stories (English)", Stories("en"), STORIES, 0.42, test_size=256),
        _recipe("chinese", "Little stories (Chinese)", Stories("zh"), STORIES, 0.58, test_size=256),
    )
}
