"""The applications there are, each with the models that do it and its view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from attnviz.tasks import Task
from attnviz.ui.applications import (
    comprehension,
    dialogue,
    digits,
    drawing,
    entities,
    extract,
    gridworld,
    language_model,
    pictures,
    sentiment,
    series,
    sessions,
    sliders,
    sound,
    translation,
)
from attnviz.ui.applications.case import Case

__all__ = ["APPLICATIONS", "Application"]


@dataclass(frozen=True)
class Application:
    """One use of attention.

    Attributes:
        name: name in addresses and messages.
        recipes: names of the recipes that do it, the first one to begin with; models of the zoo have the same names.
        view: places what is to be seen of a case.
        picture: returns a small picture of a case, for the card, as HTML.
        works: how much an example shows, see `first_example`; None: the task's own answers and patterns say so.
        enter: places another way to make an input than to type it, if it has one for a task.
        chinese: the recipe to begin with in Chinese; "": the same.
    """

    name: str
    recipes: tuple[str, ...]
    view: Callable[[Case], None]
    picture: Callable[[Case], str] = pictures.read
    works: Callable[[Case], int] | None = None
    enter: Callable[[Task], bool] | None = None
    chinese: str = ""


_ALL = (
    Application(
        "sentiment",
        (
            "sentiment-en",
            "sentiment-zh",
            "sentiment-far",
            "sentiment-far-last",
            "sentiment-far-mean",
            "sentiment-far-max",
            "sentiment-en-transformer",
            "own-labels",
        ),
        sentiment.view,
        chinese="sentiment-zh",
    ),
    Application("entities", ("entities", "entities-lstm", "own-entities"), entities.view, pictures.named),
    Application(
        "translation",
        ("translation", "translation-lstm", "dates", "dates-lstm", "own-pairs"),
        translation.view,
        pictures.alignment,
    ),
    Application("comprehension", ("comprehension", "comprehension-lstm"), comprehension.view, pictures.answered),
    Application("extract", ("extract",), extract.view),
    Application("headline", ("headline",), translation.view, pictures.alignment),
    Application("dialogue", ("dialogue",), dialogue.view),
    Application(
        "language",
        ("english", "english-lstm", "chinese", "own-text"),
        language_model.view,
        pictures.next_characters,
        chinese="chinese",
    ),
    Application("digits", ("digits", "digits-lstm"), digits.view, pictures.digit, enter=drawing.enter),
    Application(
        "series",
        ("series", "series-lstm", "series-periods", "own-series"),
        series.view,
        pictures.forecast,
        enter=sliders.enter,
    ),
    Application("sound", ("sound", "sound-lstm"), sound.view, pictures.spectrum, enter=sound.enter),
    Application("sessions", ("sessions", "sessions-lstm"), sessions.view),
    Application("gridworld", ("gridworld",), gridworld.view, pictures.walk, works=gridworld.pays),
)

APPLICATIONS: dict[str, Application] = {application.name: application for application in _ALL}
"""By name, in the order in which they are offered."""
