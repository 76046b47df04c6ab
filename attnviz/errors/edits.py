"""Errors of edits of a forward pass, and of asking for their effect."""

from __future__ import annotations

from collections.abc import Sequence

from attnviz.errors.base import AttnvizError

__all__ = [
    "EditError", "EditMeansNothing", "EditMisfit", "EditUnreadable", "NoProbabilities", "NoSuchHead", "NoSuchOutput",
    "NoSuchPosition", "NoSuchSite",
]  # fmt: skip


class EditError(AttnvizError, ValueError):
    """A forward pass cannot be changed in this way, or its change cannot be told."""


class NoSuchSite(EditError):
    site: str
    known: Sequence[str]


class NoSuchHead(EditError):
    """`last` is the greatest index of a head."""

    site: str
    head: int
    last: int


class NoSuchPosition(EditError):
    """`last` is the greatest position of the place, which is a site, a stream or the outputs."""

    place: str
    position: int
    last: int


class EditMisfit(EditError):
    """An edit is given a value that means nothing: `reason` says what is wanted."""

    edit: str
    reason: str


class EditUnreadable(EditError):
    """A text is not an edit: `reason` says how it is written."""

    edit: str
    reason: str


class EditMeansNothing(EditError):
    """A site or a model has not what an edit changes: `reason` says why."""

    place: str
    reason: str


class NoProbabilities(EditError):
    """A model ends without probabilities, so an edit has no effect on one."""

    name: str


class NoSuchOutput(EditError):
    token: str
    name: str
