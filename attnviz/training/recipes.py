"""Recipes: the tasks, how each is trained, and what it must reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from attnviz.models.recurrent_config import AnyConfig
from attnviz.tasks import (
    Addition,
    Brackets,
    Copy,
    Dates,
    FirstSymbol,
    Histogram,
    Induction,
    Majority,
    ModularAddition,
    Needle,
    OpenBracket,
    OwnEntities,
    OwnLabelled,
    OwnSeries,
    OwnText,
    Parity,
    Recall,
    Reverse,
    RunningParity,
    ScratchpadParity,
    Sort,
    Stories,
    Task,
)
from attnviz.tasks.columns import series_layout
from attnviz.tasks.conll import conll_layout
from attnviz.tasks.labelled_rows import labelled_layout
from attnviz.tasks.own_labelled import Unit
from attnviz.tasks.stories import Language
from attnviz.training.recipe import OwnRecipe, Recipe, make_recipe, recurrent, training, until_learned
from attnviz.training.recipes_applications import APPLICATIONS

__all__ = [
    "OWN",
    "OWN_ENTITIES",
    "OWN_LABELS",
    "OWN_SERIES",
    "OWN_TEXT",
    "RECIPES",
    "OwnRecipe",
    "Recipe",
    "own_entities",
    "own_labels",
    "own_series",
    "own_text",
]

OWN_TEXT = "own-text"
"""Name of the recipe that `own_text` makes."""

OWN_SERIES = "own-series"
"""Name of the recipe that `own_series` makes."""

OWN_LABELS = "own-labels"
"""Name of the recipe that `own_labels` makes."""

OWN_ENTITIES = "own-entities"
"""Name of the recipe that `own_entities` makes."""


def own_text(text: str, length: int = 64) -> Recipe:
    """The recipe for a text of one's own; its target is what the frequencies of its characters alone would give.

    Raises:
        InputError: the text is empty, repeats one character, or is shorter than four times the context.
    """
    task = OwnText(text, length)
    settings = training(400, batch_size=32, validation_size=128)  # more learns a short text by heart
    return make_recipe(OWN_TEXT, "Your own text", task, settings, task.frequency_loss, test_size=256, exempt=True)


def own_series(text: str, length: int = 32, **reading: Any) -> Recipe:
    """The recipe for a column of numbers of one's own.

    Args:
        text: of a CSV file.
        length: points that the model reads.
        reading: what the data do not tell, such as `decimal="comma"`; see `OwnSeries`.

    Raises:
        InputError: the text is no such column; see `attnviz.tasks.columns`.
    """
    return _own(OWN_SERIES, "Your own series", OwnSeries(text, length, **reading))


def own_labels(text: str, unit: Unit = "words", **reading: Any) -> Recipe:
    """The recipe for texts of one's own with their labels.

    Args:
        text: of a CSV file.
        unit: what the model reads.
        reading: what the data do not tell, such as `header="yes"`; see `OwnLabelled`.

    Raises:
        InputError: the text is no such table; see `OwnLabelled`.
    """
    task = OwnLabelled(text, unit, **reading)
    return _own(OWN_LABELS, "Your own labelled texts", task, recurrent(task))


def own_entities(text: str, **reading: Any) -> Recipe:
    """The recipe for tagged sentences of one's own.

    Args:
        text: in CoNLL's format.
        reading: what the data do not tell, such as `word_column=2`; see `OwnEntities`.

    Raises:
        InputError: the text is not in CoNLL's format; see `OwnEntities`.
    """
    task = OwnEntities(text, **reading)
    return _own(OWN_ENTITIES, "Your own entities", task, recurrent(task))


def _own(name: str, title: str, task: Task, model: AnyConfig | None = None) -> Recipe:
    """A short training, of which nobody knows what it can reach."""
    settings = training(400, batch_size=32, validation_size=128)
    return make_recipe(name, title, task, settings, None, test_size=256, exempt=True, model=model)


STORIES = training(3200, batch_size=8, validate_every=50, validation_size=48)


def _short_stories(name: str, title: str, language: Language, steps: int, target: float) -> Recipe:
    """Stories that are learned while somebody waits: a context of 128 characters."""
    settings = training(steps, batch_size=32, learning_rate=5e-3, validate_every=50, validation_size=128)
    return make_recipe(name, title, Stories(language, length=128), settings, target, test_size=512)


MODULAR = until_learned(1500, batch_size=512, learning_rate=5e-3, final_rate=1.0, weight_decay=1.0)

REMEMBERED = training(500, batch_size=32, learning_rate=5e-3, target=0.998)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        make_recipe("reverse", "Reverse a sequence", Reverse(), training(1500), 0.99),
        make_recipe("sort", "Sort letters", Sort(), training(1500, learning_rate=5e-3), 0.99),
        make_recipe("induction", "Continue a pattern", Induction(), training(1000, learning_rate=5e-3), 0.99),
        make_recipe("recall", "Recall a value by its key", Recall(), training(1000, learning_rate=5e-3), 0.99),
        make_recipe("addition", "Add two numbers", Addition(), training(1500), 0.99),
        make_recipe("dates", "Normalise a date", Dates(), training(2000), 0.99),
        _short_stories("english-short", "Short stories (English)", "en", 1200, 0.44),
        _short_stories("chinese-short", "Short stories (Chinese)", "zh", 1000, 0.70),
        make_recipe("english", "Little stories (English)", Stories("en"), STORIES, 0.42, test_size=256),
        make_recipe(
            "english-lstm",
            "Little stories (English), LSTM",
            Stories("en"),
            replace(STORIES, learning_rate=1e-2),
            0.50,
            test_size=256,
            model=recurrent(Stories("en"), d_model=108, embedding_std=0.25),  # as many parameters as the Transformer
        ),
        make_recipe("chinese", "Little stories (Chinese)", Stories("zh"), STORIES, 0.58, test_size=256),
        make_recipe("copy", "Copy a sequence", Copy(), until_learned(1500), 0.99),
        make_recipe("needle", "Find the needle", Needle(), until_learned(1000, learning_rate=5e-3), 0.99),
        make_recipe("histogram", "Count each letter", Histogram(), until_learned(2500), 0.99),
        make_recipe(
            "histogram-no-bos",
            "Count each letter without <bos>",
            Histogram(bos=False),
            until_learned(2500),
            0.99,
            exempt=True,
        ),
        make_recipe("majority", "Find the majority", Majority(), until_learned(500, learning_rate=5e-3), 0.99),
        make_recipe("brackets", "Check brackets", Brackets(), training(2000, learning_rate=2e-3), 0.99),
        make_recipe("open-bracket", "Name the open bracket", OpenBracket(), until_learned(2000), 0.99),
        make_recipe("parity", "Parity at once", Parity(), until_learned(600), 0.99, exempt=True),
        make_recipe("parity-scratchpad", "Parity step by step", ScratchpadParity(), until_learned(1500), 0.99),
        make_recipe("addition-3", "Add three digits", Addition(3), until_learned(2000), 0.99),
        make_recipe(
            "addition-3-plain", "Add, first digit first", Addition(3, reverse=False), until_learned(2500), 0.99
        ),
        make_recipe("modular", "Add modulo 53", ModularAddition(), MODULAR, 0.99),
        make_recipe("first-symbol", "Recall the first symbol", FirstSymbol(), REMEMBERED, 0.99),
        make_recipe(
            "running-parity",
            "Odd or even so far",
            RunningParity(),
            REMEMBERED,
            0.99,
            model=RunningParity().recurrent_config(),
        ),
        *APPLICATIONS,
    )
}
"""By name; those of applications come last."""

OWN: dict[str, OwnRecipe] = {
    OWN_TEXT: OwnRecipe(own_text, OwnText, "ab" * 512),
    OWN_LABELS: OwnRecipe(
        own_labels,
        OwnLabelled,
        "\n".join(f"{n} is {('even', 'odd')[n % 2]},{n % 2}" for n in range(60)),
        labelled_layout,
    ),
    OWN_ENTITIES: OwnRecipe(
        own_entities, OwnEntities, "\n\n".join(f"{chr(97 + n)} B-PER\nsings O" for n in range(26)), conll_layout
    ),
    OWN_SERIES: OwnRecipe(own_series, OwnSeries, "\n".join(str(n * n % 23) for n in range(1100)), series_layout),
}
"""Recipes that are not among RECIPES, since they need data."""
