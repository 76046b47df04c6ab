"""Errors of what is given to a model to read."""

from __future__ import annotations

from collections.abc import Sequence

from attnviz.errors.base import AttnvizError

__all__ = [
    "DoesNotWrite", "EmptyText", "ImageGone", "ImageNeeded", "ImageNotAllowed", "ImageUnreadable", "InputError",
    "InputNeeded", "InputsDoNotFit", "NoImages", "NoRow", "NoTexts", "NotLearned", "NotNumbers", "NotText",
    "NotTextAlone", "NotUnicode",
    "PlanMisfit", "TargetNeeded", "TargetNotAllowed", "TextOverLimit", "TextRefused", "TextTooLong", "TextsUnreadable",
    "TokensOutside", "UnknownSymbols", "WritesNumbers",
]  # fmt: skip


class InputError(AttnvizError, ValueError):
    """A model cannot read this input."""


class EmptyText(InputError):
    """A text holds nothing but white space."""


class NotText(InputError, TypeError):
    kind: str


class NotUnicode(InputError):
    """A text holds one of a pair of surrogates, which stand for one character together.

    Args:
        half: code of the lone surrogate, such as "U+D83D".
        place: its place in the text, counted from 1.
    """

    half: str
    place: int


class UnknownSymbols(InputError):
    """Symbols outside the vocabulary: all are named, each once, in order of appearance; none is dropped."""

    symbols: Sequence[str]
    known: Sequence[str]


class NotLearned(InputError):
    """A text is nothing at all of what a model has learned."""

    task: str


class NotNumbers(InputError):
    """A token is not the list of numbers that a model of series, pictures or sounds reads.

    Args:
        token: the token as typed.
        place: its place in the text, counted from 1.
        width: numbers in a token.
        low: least number.
        high: greatest number.
    """

    token: str
    place: int
    width: int
    low: float
    high: float


class TextTooLong(InputError):
    length: int
    limit: int


class TextOverLimit(TextTooLong):
    """A text has more tokens than a page shows, whatever the model can read; nothing is cut."""


class PlanMisfit(InputError):
    """A text cannot be written in this way: `reason` says what to give for `setting`."""

    setting: str
    reason: str


class WritesNumbers(InputError):
    """A model says numbers, so there are no tokens to choose from."""

    name: str


class TargetNotAllowed(InputError):
    architecture: str


class TargetNeeded(InputError):
    name: str
    kind: str


class ImageNeeded(InputError):
    name: str


class ImageNotAllowed(InputError):
    name: str


class ImageUnreadable(InputError):
    reason: str


class ImageGone(InputError):
    """An uploaded image is no longer kept."""


class InputNeeded(InputError):
    """A model reads something other than text and images: `what` says what, such as "sound"."""

    name: str
    what: str


class InputsDoNotFit(InputError):
    """Inputs were prepared by the caller, and not as this model takes them; `takes` are the names of its inputs."""

    name: str
    reason: str
    takes: Sequence[str]


class TokensOutside(InputError, IndexError):
    """A model has no embedding for the id `given`; `last` is its greatest id."""

    name: str
    given: int
    last: int


class NoRow(InputError, IndexError):
    row: int
    batch: int


class DoesNotWrite(InputError):
    name: str
    kind: str


class NoTexts(InputError):
    """Heads are looked for in texts, and there are none for this model."""

    name: str


class NoImages(InputError):
    """Heads are looked for in images, and none come with this model."""

    name: str


class NotTextAlone(InputError):
    """Heads are looked for in texts, and this model reads something else, or something more."""

    name: str


class TextRefused(InputError):
    """A model cannot read one of many texts: the one with this `number`, counted from 1."""

    number: int
    reason: str


class TextsUnreadable(InputError):
    """A file of texts cannot be used: `reason` says why."""

    file: str
    reason: str
