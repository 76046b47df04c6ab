"""Recipes for data of one's own: a text, a series, labelled texts, tagged sentences, pairs of texts."""

from __future__ import annotations

from typing import Any

from attnviz.models.recurrent_config import AnyConfig
from attnviz.tasks import OwnEntities, OwnLabelled, OwnPairs, OwnSeries, OwnText, Task
from attnviz.tasks.own.labelled import Unit
from attnviz.tasks.own.pairs import PairUnit
from attnviz.tasks.own.readers.columns import series_layout
from attnviz.tasks.own.readers.conll import conll_layout
from attnviz.tasks.own.readers.labelled_rows import labelled_layout
from attnviz.tasks.own.readers.pair_rows import pair_layout
from attnviz.training.recipes.recipe import OwnRecipe, Recipe, make_recipe, recurrent, training

__all__ = [
    "OWN",
    "OWN_ENTITIES",
    "OWN_LABELS",
    "OWN_PAIRS",
    "OWN_SERIES",
    "OWN_TEXT",
    "own_entities",
    "own_labels",
    "own_pairs",
    "own_series",
    "own_text",
]

OWN_TEXT, OWN_SERIES, OWN_LABELS, OWN_ENTITIES = "own-text", "own-series", "own-labels", "own-entities"
OWN_PAIRS = "own-pairs"
"""Names of the recipes that `own_text`, `own_series`, `own_labels`, `own_entities` and `own_pairs` make."""


def own_text(text: str, length: int = 64) -> Recipe:
    """Return the recipe for a text of one's own; its target is what the frequencies of its characters alone would give.

    Raises:
        InputError: the text is empty, repeats one character, or is shorter than four times the context.
    """
    task = OwnText(text, length)
    settings = training(400, batch_size=32, validation_size=128)  # more learns a short text by heart
    return make_recipe(OWN_TEXT, task, settings, task.frequency_loss, test_size=256, exempt=True)


def own_series(text: str, length: int = 32, **reading: Any) -> Recipe:
    """Return the recipe for a column of numbers of one's own.

    Args:
        text: text of a CSV file.
        length: points that the model reads.
        reading: what the data do not tell, such as `decimal="comma"`; see `OwnSeries`.

    Raises:
        InputError: the text is no such column; see `attnviz.tasks.own.readers.columns`.
    """
    return _own(OWN_SERIES, OwnSeries(text, length, **reading))


def own_labels(text: str, unit: Unit = "words", **reading: Any) -> Recipe:
    """Return the recipe for texts of one's own with their labels.

    Args:
        text: text of a CSV file.
        unit: what the model reads.
        reading: what the data do not tell, such as `header="yes"`; see `OwnLabelled`.

    Raises:
        InputError: the text is no such table; see `OwnLabelled`.
    """
    task = OwnLabelled(text, unit, **reading)
    return _own(OWN_LABELS, task, recurrent(task))


def own_entities(text: str, **reading: Any) -> Recipe:
    """Return the recipe for tagged sentences of one's own.

    Args:
        text: text in CoNLL's format.
        reading: what the data do not tell, such as `word_column=2`; see `OwnEntities`.

    Raises:
        InputError: the text is not in CoNLL's format; see `OwnEntities`.
    """
    task = OwnEntities(text, **reading)
    return _own(OWN_ENTITIES, task, recurrent(task))


def own_pairs(text: str, unit: PairUnit = "words", **settings: Any) -> Recipe:
    """Return the recipe for sources and targets of one's own.

    Args:
        text: text of a CSV file, or of JSON lines.
        unit: what the model reads and writes.
        settings: of the task, such as `turns=3`, and what the data do not tell, such as `header="yes"`; see `OwnPairs`.

    Raises:
        InputError: the text is no such table; see `OwnPairs`.
    """
    return _own(OWN_PAIRS, OwnPairs(text, unit, **settings), steps=800)


def _own(name: str, task: Task, model: AnyConfig | None = None, steps: int = 400) -> Recipe:
    """Return a short training, of which nobody knows what it can reach."""
    settings = training(steps, batch_size=32, validation_size=128)
    return make_recipe(name, task, settings, None, test_size=256, exempt=True, model=model)


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
    OWN_PAIRS: OwnRecipe(
        own_pairs,
        OwnPairs,
        "\n".join(f"{n} and {n * 7 % 30}{' please' * (n % 3)}\t{n * 7 % 30} {n}" for n in range(60)),
        pair_layout,
    ),
    OWN_SERIES: OwnRecipe(own_series, OwnSeries, "\n".join(str(n * n % 23) for n in range(1100)), series_layout),
}
"""Recipes that are not among RECIPES, since they need data."""
