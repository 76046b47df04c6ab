"""BIO tags: which tokens belong to an entity of which type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["OUTSIDE", "Span", "entity_types", "is_tag", "spans", "tag_names"]

OUTSIDE = "O"


class Span(NamedTuple):
    """An entity: tokens from `start` up to, not including, `end`."""

    start: int
    end: int
    type: str


def spans(tags: Sequence[str]) -> list[Span]:
    """Return the entities of one sentence, from its tags.

    "B-PER" begins an entity, "I-PER" goes on with it, "O" is outside of all. An I- that goes on with nothing (after O,
    at the start, or after another type) begins an entity itself.

    Example:
        >>> spans(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])
        [Span(start=0, end=2, type='PER'), Span(start=3, end=4, type='LOC'), Span(start=4, end=5, type='LOC')]

    Source:
        The rule of conlleval, the script of the shared tasks: Tjong Kim Sang and De Meulder 2003, "Introduction to the
        CoNLL-2003 Shared Task".
    """
    found: list[Span] = []
    for position, tag in enumerate(tags):
        if tag == OUTSIDE:
            continue
        mark, kind = tag.split("-", 1)
        if mark == "I" and found and found[-1].end == position and found[-1].type == kind:
            found[-1] = found[-1]._replace(end=position + 1)
        else:
            found.append(Span(position, position + 1, kind))
    return found


def is_tag(tag: str) -> bool:
    """Whether this is a BIO tag: "O", or "B-" or "I-" and a type.

    Example:
        >>> [is_tag(tag) for tag in ("O", "B-PER", "I-LOC", "PER", "B-", "o")]
        [True, True, True, False, False, False]
    """
    return tag == OUTSIDE or (tag[:2] in ("B-", "I-") and len(tag) > 2)


def tag_names(types: Iterable[str]) -> tuple[str, ...]:
    """Return all tags of some types: "O" first, then "B-" and "I-" of each.

    Example:
        >>> tag_names(["LOC", "PER"])
        ('O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER')
    """
    return (OUTSIDE, *(f"{mark}-{kind}" for kind in types for mark in "BI"))


def entity_types(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the types that some tags speak of, each once, in their order.

    Example:
        >>> entity_types(("O", "B-LOC", "I-LOC", "B-PER"))
        ('LOC', 'PER')
    """
    return tuple(dict.fromkeys(label[2:] for label in labels if label != OUTSIDE))
