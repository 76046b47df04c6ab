"""The applications there are, each with the models that do it and its view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from attnviz.ui.applications import (
    dialogue,
    digits,
    entities,
    extract,
    gridworld,
    language_model,
    sentiment,
    series,
    sessions,
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
    """

    name: str
    recipes: tuple[str, ...]
    view: Callable[[Case], None]


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
    ),
    Application("entities", ("entities", "entities-lstm", "own-entities"), entities.view),
    Application("translation", ("translation", "translation-lstm", "dates", "dates-lstm"), translation.view),
    Application("extract", ("extract",), extract.view),
    Application("headline", ("headline",), translation.view),
    Application("dialogue", ("dialogue",), dialogue.view),
    Application("language", ("english", "english-lstm", "chinese", "own-text"), language_model.view),
    Application("digits", ("digits", "digits-lstm"), digits.view),
    Application("series", ("series", "series-lstm", "series-periods", "own-series"), series.view),
    Application("sound", ("sound", "sound-lstm"), sound.view),
    Application("sessions", ("sessions", "sessions-lstm"), sessions.view),
    Application("gridworld", ("gridworld",), gridworld.view),
)

APPLICATIONS: dict[str, Application] = {application.name: application for application in _ALL}
"""By name, in the order in which they are offered."""
