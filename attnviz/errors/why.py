"""Errors of splitting a score into who wrote it."""

from __future__ import annotations

from attnviz.errors.base import AttnvizError

__all__ = ["NotSplit"]


class NotSplit(AttnvizError):
    """A score or a logit is no sum of what earlier parts wrote, or is not shown to be one: `reason` says why."""

    place: str
    reason: str
