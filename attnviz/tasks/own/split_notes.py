"""Facts of labels, and of files of their own for validation and test, to know before a model learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from attnviz.locale import visible
from attnviz.tasks.base import SPLITS, Note, Split
from attnviz.tasks.own.spelling import alike

__all__ = ["label_notes", "split_notes"]

T = TypeVar("T")
MOST_NAMED = 10  # labels


def split_notes(
    parts: Mapping[Split, Sequence[T]], text_of: Callable[[T], str], labels_of: Callable[[T], Sequence[str]]
) -> tuple[Note, ...]:
    """Return the sizes of the parts, how many held-out items are learned from as well, and labels that none teaches.

    Example:
        >>> parts = {"train": ["a", "b"], "validation": ["c"], "test": ["b", "d"]}
        >>> [(note.key, note.values.get("n")) for note in split_notes(parts, str, lambda item: ())]
        [('split.sizes', None), ('tuning.found.shared', '1')]
    """
    learned = set(map(text_of, parts["train"]))
    held = [item for split in SPLITS if split != "train" for item in parts[split]]
    shared = sum(text_of(item) in learned for item in held)
    taught, asked = ({label for item in items for label in labels_of(item)} for items in (parts["train"], held))
    unlearned = sorted(asked - taught)
    found = [
        (True, Note("split.sizes", {split: f"{len(parts[split]):,}" for split in SPLITS})),
        (shared, Note("tuning.found.shared", {"n": f"{shared:,}"}, True)),
        (unlearned, Note("tuning.found.unlearned", {"labels": _named(unlearned)}, True)),
    ]
    return tuple(note for said, note in found if said)


def label_notes(
    items: Sequence[T], text_of: Callable[[T], str], labels_of: Callable[[T], Sequence[str]]
) -> tuple[Note, ...]:
    """Return how many texts come with different labels, and the labels that look alike.

    Example:
        >>> [note.key for note in label_notes(["a", "A"], str.lower, lambda item: [item])]
        ['tuning.found.contradictory', 'tuning.found.alike']
    """
    said: dict[str, set[tuple[str, ...]]] = {}
    for item in items:
        said.setdefault(text_of(item), set()).add(tuple(labels_of(item)))
    contradictory = sum(len(labels) > 1 for labels in said.values())
    same = alike({label for found in said.values() for labels in found for label in labels})
    spelled = [f"{visible(label, 24)} {told}".rstrip() for label, told in same.items()]
    found = [
        (contradictory, Note("tuning.found.contradictory", {"n": f"{contradictory:,}"}, True)),
        (same, Note("tuning.found.alike", {"labels": _named(spelled)}, True)),
    ]
    return tuple(note for said, note in found if said)


def _named(labels: Sequence[str]) -> str:
    more = ", …" if len(labels) > MOST_NAMED else ""
    return ", ".join(visible(label, 40) for label in labels[:MOST_NAMED]) + more
