"""Facts of somebody's pairs that a person should know before they are learned from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attnviz.tasks.base import SPLITS, Note, Split
from attnviz.tasks.own.readers.pair_rows import Pair

__all__ = ["PairFacts", "Sizes", "pair_notes"]

APART = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Sizes:
    """Sizes of one side, the sources or the targets.

    Attributes:
        longest: tokens of the longest one, as far as it is read.
        known: different tokens that the model knows.
        dropped: different tokens of training pairs beyond the limit of the vocabulary.
        cut: pairs of which it is cut.
        unknown: test pairs in which it has a token that the model does not know.
    """

    longest: int
    known: int
    dropped: int
    cut: int
    unknown: int


@dataclass(frozen=True)
class PairFacts:
    """Facts of pairs.

    Attributes:
        parts: pairs of each split.
        dialogues: whether whole dialogues are read, and divided by.
        files: whether validation, test or both have data of their own.
        limit: tokens of a side at most.
        source: sizes of the sources.
        target: sizes of the targets.
    """

    parts: dict[Split, list[Pair]]
    dialogues: bool
    files: bool
    limit: int
    source: Sizes
    target: Sizes

    @property
    def repeated(self) -> int:
        """Pairs of which an equal one stands before in the same part."""
        return sum(len(pairs) - len({pair[:2] for pair in pairs}) for pairs in self.parts.values())

    @property
    def contradictory(self) -> int:
        """Different sources that come with more than one target."""
        targets: dict[str, set[str]] = {}
        for pairs in self.parts.values():
            for source, target, _ in pairs:
                targets.setdefault(source, set()).add(target)
        return sum(len(found) > 1 for found in targets.values())

    @property
    def shared(self) -> int:
        """Pairs of validation and test that are training pairs but for capitals, punctuation and blanks."""
        learned = set(_alike(self.parts["train"]))
        held: Sequence[Pair] = [*self.parts["validation"], *self.parts["test"]]
        return sum(pair in learned for pair in _alike(held))


def _alike(pairs: Iterable[Pair]) -> Iterable[tuple[str, ...]]:
    return (tuple(APART.sub("", side.casefold()) or side for side in pair[:2]) for pair in pairs)


def pair_notes(facts: PairFacts) -> tuple[Note, ...]:
    """Return what to say of pairs: their numbers, then what may be wrong with them.

    Example:
        >>> parts = {"train": [Pair("a", "b", "a")] * 2, "validation": [], "test": []}
        >>> sizes = Sizes(longest=1, known=1, dropped=0, cut=0, unknown=0)
        >>> [note.key for note in pair_notes(PairFacts(parts, False, False, 64, sizes, sizes))]
        ['pairs.sizes.source', 'pairs.tokens', 'pairs.repeated']
    """
    by = "dialogue" if facts.dialogues else "source"
    source, target, limit = facts.source, facts.target, f"{facts.limit:,}"
    sizes: dict[str, str] = {split: f"{len(facts.parts[split]):,}" for split in SPLITS}
    tokens = {
        f"{name}{what}": f"{n:,}"
        for name, side in (("source", source), ("target", target))
        for what, n in (("", side.longest), ("_known", side.known))
    }

    def both(name: str) -> dict[str, str]:
        return {"sources": f"{getattr(source, name):,}", "targets": f"{getattr(target, name):,}"}

    found = [
        (True, Note(f"pairs.sizes.{'file' if facts.files else by}", sizes)),
        (True, Note("pairs.tokens", tokens)),
        (source.dropped + target.dropped, Note("pairs.dropped", both("dropped"), True)),
        (source.cut + target.cut, Note(f"pairs.cut.{by}", {"limit": limit, **both("cut")}, True)),
        (facts.repeated, Note("pairs.repeated", {"n": f"{facts.repeated:,}"}, True)),
        (facts.contradictory, Note("pairs.contradictory", {"n": f"{facts.contradictory:,}"}, True)),
        (facts.shared, Note("pairs.shared", {"n": f"{facts.shared:,}"}, True)),
        (source.unknown + target.unknown, Note("pairs.unknown", both("unknown"), True)),
    ]
    return tuple(note for said, note in found if said)
