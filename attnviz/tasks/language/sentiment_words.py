"""Words and grammar of the opinions, in every language."""

from __future__ import annotations

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
        before: somebody else's opinion "{who}", "{opinion}", and one's own "{own}" after it.
        after: the same the other way round.
        neutral: sentences without any opinion.
        stop: between two sentences.
        space: between two words.
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

    @property
    def opinions(self) -> tuple[str, ...]:
        """All opinion words, negative ones first."""
        return self.negative + self.positive
