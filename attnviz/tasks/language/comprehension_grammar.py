"""Short texts about who handed what to whom, where or when, and questions about them: their parts, and their reading.

A sentence tells one fact. A question names some parts of a fact in another order and asks for one that it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from attnviz.tasks.base import words

__all__ = [
    "FRAMES",
    "NOUNS",
    "OBJECTS",
    "PEOPLE",
    "QUESTIONS",
    "SYMBOLS",
    "THIRDS",
    "VERBS",
    "Answer",
    "Fact",
    "answers",
    "asked",
    "phrase",
    "sentences",
    "told",
]

PEOPLE = words("anna boris clara david elena felix greta hassan")
NOUNS = words("lamp map book ring coat clock drum basket")
KINDS = ("", "old ", "red ", "old red ")
OBJECTS = {noun: tuple(f"the {kind}{noun}" for kind in KINDS) for noun in NOUNS}
"""Noun -> the ways to name it; a question says "the lamp" of each."""
PLACES = words(
    "in the garden|in the library|at the station|at school|near the bridge|in paris|on the hill|at home", "|"
)
TIMES = words("on monday|on friday|on sunday|in the morning|at noon|at midnight|yesterday|last week", "|")
THIRDS = {"R": PEOPLE, "P": PLACES, "T": TIMES}
"""Third part of a fact, beside who does it (S) and the object (O): the other person, the place or the time."""

VERBS = tuple(
    (base, past, participle, preposition)
    for preposition, forms in (
        ("to", "give gave given|sell sold sold|show showed shown|send sent sent"),
        ("from", "buy bought bought|borrow borrowed borrowed|take took taken|steal stole stolen"),
    )
    for base, past, participle in map(str.split, forms.split("|"))
)
"""Each as base, past, participle, and what stands before the other person."""

FRAMES = (
    "{S} {past} {O} {X}",
    "{X} {S} {past} {O}",
    "{O} was {participle} by {S} {X}",
    "{O} was {participle} {X} by {S}",
    "{X} {O} was {participle} by {S}",
    "it was {S} who {past} {O} {X}",
)
"""Ways to tell a fact; {X} is the other person with "to" or "from", the place or the time."""

QUESTIONS = tuple(
    (role, text)
    for role, texts in {
        "S": "who {past} {O}|who {past} {O} {X}|by whom was {O} {participle}|by whom was {O} {participle} {X}",
        "O": "what did {S} {base}|what did {S} {base} {X}|what was {participle} by {S}|"
        "what was {participle} by {S} {X}",
        "R": "{to} whom did {S} {base} {O}|{to} whom was {O} {participle}|{to} whom was {O} {participle} by {S}",
        "P": "where did {S} {base} {O}|where was {O} {participle}|where was {O} {participle} by {S}",
        "T": "when did {S} {base} {O}|when was {O} {participle}|when was {O} {participle} by {S}",
    }.items()
    for text in texts.split("|")
)
"""Ways to ask, each with the part of a fact that it asks for."""

LEMMAS = {form: verb[0] for verb in VERBS for form in verb[:3]}
BEFORE = {"by": "S", "to": "R", "from": "R"}  # what a person is, by the word before
ASKED = {"who": "S", "by": "S", "to": "R", "from": "R", "what": "O", "where": "P", "when": "T"}  # by the first word
SPOTTED = {
    tuple(text.split()): role
    for role, texts in {
        "S": PEOPLE,
        "O": [text for texts in OBJECTS.values() for text in texts],
        "P": PLACES,
        "T": TIMES,
    }.items()
    for text in texts
}
LONGEST = max(map(len, SPOTTED))
SYMBOLS = tuple(
    dict.fromkeys(
        word
        for text in (
            "? . by to from",
            *(" ".join(verb[:3]) for verb in VERBS),
            *(" ".join(found) for found in SPOTTED),
            *FRAMES,
            *(question for _, question in QUESTIONS),
        )
        for word in text.split()
        if not word.startswith("{")
    )
)
"""All words, and the two signs."""


@dataclass(frozen=True)
class Fact:
    """Parts of a fact: told by a sentence, or named by a question.

    Attributes:
        verb: base form; "" where there is none.
        parts: what each named part is, by its role: a person, a noun, a place, a time.
        spans: where the words of each part are, as begin and end.
    """

    verb: str
    parts: Mapping[str, str]
    spans: Mapping[str, tuple[int, int]]


class Answer(NamedTuple):
    """A sentence that answers the question of its text.

    Attributes:
        fact: what it tells.
        sentence: its begin and its end, the full stop included.
        span: begin and end of the words that answer.
    """

    fact: Fact
    sentence: tuple[int, int]
    span: tuple[int, int]


def phrase(template: str, verb: Sequence[str], parts: Mapping[str, str]) -> list[str]:
    """Return the words of a template with the forms of a verb and the parts of a fact."""
    base, past, participle, to = verb
    return template.format(base=base, past=past, participle=participle, to=to, **parts).split()


def told(text: Sequence[str], begin: int, end: int) -> Fact:
    """Return what a sentence or a question says: its verb, and all parts that it names.

    Example:
        >>> fact = told("on monday the red lamp was sold by anna".split(), 0, 9)
        >>> fact.verb, fact.parts
        ('sell', {'T': 'on monday', 'O': 'lamp', 'S': 'anna'})
    """
    verb, place = "", begin
    parts: dict[str, str] = {}
    spans: dict[str, tuple[int, int]] = {}
    while place < end:
        sizes = (
            size for size in range(min(LONGEST, end - place), 0, -1) if tuple(text[place : place + size]) in SPOTTED
        )
        size = next(sizes, 0)
        if size:
            found = text[place : place + size]
            role = SPOTTED[tuple(found)]
            if role == "S" and place > begin:
                role = BEFORE.get(text[place - 1], "S")
            if role not in parts:
                parts[role], spans[role] = found[-1] if role == "O" else " ".join(found), (place, place + size)
        elif text[place] in LEMMAS:
            verb = LEMMAS[text[place]]
        place += size or 1
    return Fact(verb, parts, spans)


def asked(text: Sequence[str]) -> tuple[str, Fact, int] | None:
    """Return the role that a question asks for, what it names, and where it ends; None: it is no question.

    Example:
        >>> role, fact, end = asked("to whom did anna sell the lamp ?".split())
        >>> role, fact.verb, fact.parts, end
        ('R', 'sell', {'S': 'anna', 'O': 'lamp'}, 8)
    """
    if "?" not in text:
        return None
    end = list(text).index("?")
    role, fact = ASKED.get(text[0], ""), told(text, 0, end)
    return (role, fact, end + 1) if role and fact.verb and role not in fact.parts else None


def sentences(text: Sequence[str], begin: int) -> Iterator[tuple[int, int]]:
    """Yield the span of each sentence, with its full stop."""
    for place in range(begin, len(text)):
        if text[place] == ".":
            yield begin, place + 1
            begin = place + 1


def answers(text: Sequence[str]) -> list[Answer]:
    """Return what answers the question at the front of a text: facts of its verb with all parts that it names.

    Example:
        >>> text = "when did anna sell the lamp ? last week anna sold the old lamp ."
        >>> [(answer.sentence, answer.span) for answer in answers(text.split())]
        [((7, 15), (7, 9))]
    """
    question = asked(text)
    if question is None:
        return []
    role, named, end = question
    found = []
    for sentence in sentences(text, end):
        fact = told(text, *sentence)
        if fact.verb == named.verb and named.parts.items() <= fact.parts.items() and role in fact.spans:
            found.append(Answer(fact, sentence, fact.spans[role]))
    return found
