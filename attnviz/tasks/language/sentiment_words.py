"""Words and grammar of the opinions, in every language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["Denial", "OpinionWords"]


class Denial(NamedTuple):
    """A clause that turns an opinion round, with a place for "{subject}" and one for "{opinion}".

    Attributes:
        text: "i do not think {subject} was {opinion}".
        negation: the words in it that do so, "do not".
    """

    text: str
    negation: str


class OpinionWords(NamedTuple):
    """The words and clauses of a language.

    Attributes:
        subjects: what an opinion is about.
        positive: opinion words.
        negative: opinion words, as many.
        modifiers: what stands before them, such as "very".
        negations: what stands before them and turns them round, such as "not at all".
        clauses: one's own opinion, with a place for "{subject}" and one for "{opinion}".
        denials: the same, turned round.
        others: somebody else, whose opinion does not count.
        said: the words before somebody else's opinion.
        before: somebody else's opinion "{who}", "{opinion}", perhaps "{subject}", and one's own "{own}" after it.
        after: the same the other way round.
        neutral: sentences without any opinion.
        stop: between two sentences.
        space: between two words.
        end: after the last sentence.
        again: stands for a subject that was named before; "": it is named again.
        suits: the subjects of opinion words that are not said of all.
    """

    subjects: tuple[str, ...]
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    modifiers: tuple[str, ...]
    negations: tuple[str, ...]
    clauses: tuple[str, ...]
    denials: tuple[Denial, ...]
    others: tuple[str, ...]
    said: str
    before: str
    after: str
    neutral: tuple[str, ...]
    stop: str
    space: str
    end: str = ""
    again: str = ""
    suits: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    @property
    def opinions(self) -> tuple[str, ...]:
        """All opinion words, negative ones first."""
        return self.negative + self.positive

    def about(self, opinion: int) -> tuple[str, ...]:
        """Return what an opinion word can be said of."""
        return self.suits.get(self.opinions[opinion], self.subjects)
