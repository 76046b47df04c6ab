"""Facts of files of their own for validation and test that a person should know before a model learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from attnviz.locale import visible
from attnviz.tasks.base import SPLITS, Note, Split

__all__ = ["split_notes"]

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
    named = ", ".join(visible(label, 24) for label in unlearned[:MOST_NAMED])
    more = ", …" if len(unlearned) > MOST_NAMED else ""
    found = [
        (True, Note("split.sizes", {split: f"{len(parts[split]):,}" for split in SPLITS})),
        (shared, Note("tuning.found.shared", {"n": f"{shared:,}"}, True)),
        (unlearned, Note("tuning.found.unlearned", {"labels": named + more}, True)),
    ]
    return tuple(note for said, note in found if said)
