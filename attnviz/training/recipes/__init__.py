"""Recipes: the tasks, how each is trained, and what it must reach."""

from attnviz.training.recipes.applications import APPLICATIONS
from attnviz.training.recipes.basics import BASICS
from attnviz.training.recipes.own import (
    OWN,
    OWN_ENTITIES,
    OWN_LABELS,
    OWN_PAIRS,
    OWN_SERIES,
    OWN_TEXT,
    own_entities,
    own_labels,
    own_pairs,
    own_series,
    own_text,
)
from attnviz.training.recipes.recipe import OwnRecipe, Recipe

__all__ = [
    "OWN",
    "OWN_ENTITIES",
    "OWN_LABELS",
    "OWN_PAIRS",
    "OWN_SERIES",
    "OWN_TEXT",
    "RECIPES",
    "OwnRecipe",
    "Recipe",
    "own_entities",
    "own_labels",
    "own_pairs",
    "own_series",
    "own_text",
]

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (*BASICS, *APPLICATIONS)}
"""By name; those of applications come last."""
