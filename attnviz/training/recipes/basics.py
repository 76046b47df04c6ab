"""Recipes of the basic tasks: sequences that show what attention does, and little stories."""

from __future__ import annotations

from dataclasses import replace

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
    Parity,
    Recall,
    Reverse,
    RunningParity,
    ScratchpadParity,
    Sort,
    Stories,
)
from attnviz.tasks.language.stories import Language
from attnviz.training.recipes.recipe import Recipe, make_recipe, recurrent, training, until_learned

__all__ = ["BASICS"]

STORIES = training(3200, batch_size=8, validate_every=50, validation_size=48)


def _short_stories(name: str, language: Language, steps: int, target: float) -> Recipe:
    """Stories that are learned while somebody waits: a context of 128 characters."""
    settings = training(steps, batch_size=32, learning_rate=5e-3, validate_every=50, validation_size=128)
    return make_recipe(name, Stories(language, length=128), settings, target, test_size=512)


MODULAR = until_learned(1500, batch_size=512, learning_rate=5e-3, final_rate=1.0, weight_decay=1.0)

INDUCTION = training(1000, learning_rate=5e-3)

REMEMBERED = training(500, batch_size=32, learning_rate=5e-3, target=0.998)

BASICS: tuple[Recipe, ...] = (
    make_recipe("reverse", Reverse(), training(1500), 0.99),
    make_recipe("sort", Sort(), training(1500, learning_rate=5e-3), 0.99),
    make_recipe("induction", Induction(), INDUCTION, 0.99),
    make_recipe(
        "induction-one-layer",
        Induction(),
        INDUCTION,
        0.99,
        exempt=True,
        model=replace(Induction().model_config(), n_layers=1),
    ),
    make_recipe("recall", Recall(), training(1000, learning_rate=5e-3), 0.99),
    make_recipe("addition", Addition(), training(1500), 0.99),
    make_recipe("dates", Dates(), training(2000), 0.99),
    _short_stories("english-short", "en", 1200, 0.44),
    _short_stories("chinese-short", "zh", 1000, 0.70),
    make_recipe("english", Stories("en"), STORIES, 0.42, test_size=256),
    make_recipe(
        "english-lstm",
        Stories("en"),
        replace(STORIES, learning_rate=1e-2),
        0.50,
        test_size=256,
        model=recurrent(Stories("en"), d_model=108, embedding_std=0.25),  # as many parameters as the Transformer
    ),
    make_recipe("chinese", Stories("zh"), replace(STORIES, steps=1200, learning_rate=5e-3), 0.58, test_size=256),
    make_recipe("copy", Copy(), until_learned(1500), 0.99),
    make_recipe("needle", Needle(), until_learned(1000, learning_rate=5e-3), 0.99),
    make_recipe("histogram", Histogram(), until_learned(2500), 0.99),
    make_recipe("histogram-no-bos", Histogram(bos=False), until_learned(2500), 0.99, exempt=True),
    make_recipe("majority", Majority(), until_learned(500, learning_rate=5e-3), 0.99),
    make_recipe("brackets", Brackets(), training(2000, learning_rate=2e-3), 0.99),
    make_recipe("open-bracket", OpenBracket(), until_learned(2000), 0.99),
    make_recipe("parity", Parity(), until_learned(600), 0.99, exempt=True),
    make_recipe("parity-scratchpad", ScratchpadParity(), until_learned(1500), 0.99),
    make_recipe("addition-3", Addition(3), until_learned(2000), 0.99),
    make_recipe("addition-3-plain", Addition(3, reverse=False), until_learned(2500), 0.99),
    make_recipe("modular", ModularAddition(), MODULAR, 0.99),
    make_recipe("first-symbol", FirstSymbol(), REMEMBERED, 0.99),
    make_recipe("running-parity", RunningParity(), REMEMBERED, 0.99, model=RunningParity().recurrent_config()),
)
