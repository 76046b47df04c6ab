"""Dialogue: a system books a table, a train or a hotel, and must remember what was said, and what was changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, takewhile
from random import Random

import torch
from torch import Generator, Tensor

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import IGNORE, Baseline, Batch, Split, Task, collate, draw, python_random, words
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["Dialogue", "reply"]

USER, SYSTEM = "user:", "system:"
VALUES = {
    "people": words("1 2 3 4 5 6 7 8"),
    "city": words("athens berlin cairo delhi dublin geneva lima lisbon london madrid oslo rome"),
    "day": words("monday tuesday wednesday thursday friday saturday sunday"),
    "time": words("8:00 9:00 10:30 11:00 12:30 14:00 15:30 16:00 17:30 18:00 19:30 20:00"),
}
SLOT_OF = {value: slot for slot, values in VALUES.items() for value in values}
SERVICES = {"table": ("people", "day", "time"), "train": ("city", "day", "time"), "hotel": ("city", "people", "day")}
"""What can be booked -> what must be known for it, in the order in which it is asked for."""
PREPOSITIONS = {"people": "for", "city": "in", "day": "on", "time": "at"}
SLOT_AFTER = {word: slot for slot, word in PREPOSITIONS.items()} | {"to": "city"}
QUESTIONS = {"people": "how many people ?", "city": "which city ?", "day": "which day ?", "time": "what time ?"}
REMINDERS = {slot: question.replace(" ?", " was it ?") for slot, question in QUESTIONS.items()}
GREETINGS = ((), ("hello", ","), ("good", "morning", ","))
WISHES = words("i need|i want|please book", "|")
MOST_CHANGES = 2


def phrase(service: str, slot: str, value: str) -> list[str]:
    """Return a value with the word that stands before it: "on friday", or "to oslo" of a train."""
    return ["to" if (service, slot) == ("train", "city") else PREPOSITIONS[slot], value]


def turns(text: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the span (begin, end) of each turn, its speaker included.

    Example:
        >>> list(turns("user: i need a table system: how many people ? user: 4".split()))
        [(0, 5), (5, 10), (10, 12)]
    """
    starts = [place for place, word in enumerate(text) if word in (USER, SYSTEM)]
    return pairwise([*starts, len(text)])


def said_last(text: Sequence[str]) -> dict[str, str]:
    """Return the slot -> the value that the user said last."""
    said = [word for start, end in turns(text) if text[start] == USER for word in text[start:end]]
    return {SLOT_OF[word]: word for word in said if word in SLOT_OF}


def said_first(text: Sequence[str]) -> dict[str, str]:
    """Return the slot -> the value that the user said first, whatever was changed."""
    return said_last(
        [word for start, end in [*turns(text)][::-1] for word in (text[start], *text[end - 1 : start : -1])]
    )


def reply(text: Sequence[str], memory: Callable[[Sequence[str]], dict[str, str]] = said_last) -> list[str]:
    """Return the system's next reply; [] if nothing that can be booked was named.

    Args:
        text: the dialogue up to the end of the user's turn.
        memory: which of the values that were said count.

    Example:
        >>> " ".join(reply("user: i need a table for 4".split()))
        'which day ?'
        >>> " ".join(reply("user: a table for 4 on friday system: what time ? user: at 9:00 , sorry , for 5".split()))
        'a table for 5 on friday at 9:00 ?'
    """
    service = next((word for word in text if word in SERVICES), None)
    if service is None:
        return []
    values = memory(text)
    last = list(text)[max(start for start, _ in turns(text)) :]
    for slot, question in REMINDERS.items():
        if slot in values and " ".join(last[1:]) == question:
            return [*phrase(service, slot, values[slot]), "."]
    missing = [slot for slot in SERVICES[service] if slot not in values]
    if missing:
        return QUESTIONS[missing[0]].split()
    if "yes" in last:
        return ["booked", "."]
    return ["a", service, *(word for slot in SERVICES[service] for word in phrase(service, slot, values[slot])), "?"]


class _User:
    """Somebody who wants something, tells it bit by bit, and changes their mind."""

    def __init__(self, service: str, wish: dict[str, str], random: Random) -> None:
        self._service, self._wish, self._random = service, wish, random
        changes = random.choices(range(MOST_CHANGES + 1), (2, 2, 1))[0]
        self._wrong = {slot: self._other(slot) for slot in random.sample(list(wish), k=changes)}
        self._told: set[str] = set()

    def _other(self, slot: str) -> str:
        return self._random.choice([value for value in VALUES[slot] if value != self._wish[slot]])

    def opening(self) -> list[str]:
        told = self._random.sample(list(self._wish), k=self._random.randint(0, len(self._wish)))
        start = [*self._random.choice(GREETINGS), *self._random.choice(WISHES).split(), "a", self._service]
        return start + [word for slot in told for word in self._say(slot)]

    def _say(self, slot: str) -> list[str]:
        self._told.add(slot)
        return phrase(self._service, slot, self._wrong.get(slot, self._wish[slot]))

    def _change(self) -> list[str]:
        """Return one change of mind: a value that was said and is no longer meant."""
        slot = self._random.choice(sorted(self._wrong.keys() & self._told))
        del self._wrong[slot]
        return self._say(slot)

    def answer(self, said: Sequence[str]) -> list[str]:
        """Answer a question for a slot, or confirm the repeated values."""
        if said[0] == "a":
            return ["no", ",", *self._change()] if self._wrong else ["yes", *self._random.choice(((), ("please",)))]
        slot = next(slot for slot, question in QUESTIONS.items() if question.split() == list(said))
        changing = bool(self._wrong.keys() & self._told) and self._random.random() < 0.7
        told = self._say(slot)[self._random.randrange(2) :]  # "on friday" or "friday"
        if changing:
            return [*told, ",", "sorry", ",", *self._change()]
        others = [slot for slot in self._wish if slot not in self._told]
        if others and self._random.random() < 0.3:
            return [*told, *self._say(self._random.choice(others))]
        return [*told, *self._random.choice(((), ("please",)))]


def converse(service: str, wish: dict[str, str], random: Random) -> list[str]:
    """Return a whole dialogue, at whose end the wish is booked."""
    user = _User(service, wish, random)
    text = [USER, *user.opening(), SYSTEM]
    while (said := reply(text[:-1])) != ["booked", "."]:
        text += [*said, USER, *user.answer(said), SYSTEM]
    text += said
    if random.random() < 0.5:
        text += [USER, *REMINDERS[random.choice(list(wish))].split(), SYSTEM]
        text += reply(text[:-1])
    return text


def _latest(text: Sequence[str], slot: str) -> list[int]:
    """Find the mentions of a slot's value since it last changed, the latest first."""
    said = [place for place in range(len(text))[::-1] if SLOT_OF.get(text[place]) == slot]
    return [*takewhile(lambda place: text[place] == text[said[0]], said)]


def replies(text: Sequence[str]) -> list[list[str]]:
    """Return the system's turns of a dialogue."""
    return [list(text[start + 1 : end]) for start, end in turns(text) if text[start] == SYSTEM]


@dataclass(frozen=True)
class Dialogue(Task):
    """A decoder reads a dialogue and writes the system's turns: it asks for what is missing, repeats all, and books.

        read    user: i need a train to oslo system: which day ? user: friday system: what ...
        write                                which   day ? <eos>              what    time

    Only the system's turns are scored, each up to its end, `<eos>`. Users say values in any order and change their
    mind; what was said last counts, and comes back many turns later.

    Example:
        >>> task = Dialogue()
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> print(task.tokenizer.decode(batch.tokens[0].tolist()).replace(" system:", "\\nsystem:"))
        user: i need a table on tuesday for 1 at 11:00
        system: a table for 1 on tuesday at 11:00 ? user: yes
        system: booked .
        >>> task.tokenizer.decode(batch.targets[0].clamp(min=0).tolist())
        'a table for 1 on tuesday at 11:00 ? booked .'
    """

    name = "dialogue"
    architecture = "decoder"
    metric = "exact match"
    typed = (  # dialogues to go on with: the system's turn is next
        "user: hello , i need a table for 4 system:",
        "user: please book a train to oslo at 9:00 system: which day ? user: friday , sorry , to rome system:",
        "user: i want a hotel on sunday system: which city ? user: lima system: how many people ? user: for 2 "
        "system: a hotel in lima for 2 on sunday ? user: no , on monday system:",
        "user: i need a table on friday for 2 at 18:00 system: a table for 2 on friday at 18:00 ? "
        "user: no , for 3 system: a table for 3 on friday at 18:00 ? user: yes system: booked . "
        "user: how many people was it ? system:",
    )

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The words of all dialogues, and who speaks."""
        phrases = [*QUESTIONS.values(), *REMINDERS.values(), *WISHES, *map(" ".join, GREETINGS)]
        others = words("a yes no , . please sorry booked")
        symbols = [USER, SYSTEM, *SLOT_OF, *SERVICES, *SLOT_AFTER, *" ".join(phrases).split(), *others]
        return Tokenizer("symbols", tuple(dict.fromkeys(symbols)))

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n dialogues. Split by what is booked in the end: the same values never come together on two sides."""
        chosen = draw(n, split, lambda count: self._candidates(count, generator))  # (B, 4): what, and three values
        random = python_random(generator)
        dialogues = [self._dialogue(row, random) for row in chosen.tolist()]
        tokens, padding = collate([self.tokenizer.encode_symbols(text) for text in dialogues])  # (B, T)
        targets, _ = collate([self._targets(text) for text in dialogues], IGNORE)  # (B, T)
        return Batch(tokens, targets, padding)

    def _candidates(self, count: int, generator: Generator) -> Tensor:
        sizes = torch.tensor([[len(VALUES[slot]) for slot in slots] for slots in SERVICES.values()])  # (services, 3)
        service = torch.randint(len(SERVICES), (count,), generator=generator)
        values = torch.rand(count, sizes.shape[1], generator=generator).mul(sizes[service]).long()
        return torch.cat((service[:, None], values), 1)

    def _dialogue(self, row: list[int], random: Random) -> list[str]:
        service = list(SERVICES)[row[0]]
        wish = {slot: VALUES[slot][value] for slot, value in zip(SERVICES[service], row[1:], strict=True)}
        return converse(service, wish, random)

    def _targets(self, text: list[str]) -> list[int]:
        """At each position of a turn of the system what comes next, at its end `<eos>`."""
        targets = [IGNORE] * len(text)
        for start, end in turns(text):
            if text[start] == SYSTEM:
                targets[start:end] = [*self.tokenizer.encode_symbols(text[start + 1 : end]), Tokenizer.eos_id]
        return targets

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect the word before a value of the system to attend to the last mention of that value."""
        text = [self.tokenizer.label(token) for token in tokens]
        pairs: list[tuple[int, int]] = []
        for start, end in turns(text):
            for place in range(start, end if text[start] == SYSTEM else start):
                if slot := SLOT_AFTER.get(text[place]):
                    pairs += [(place, key) for key in _latest(text[:start], slot)]
        return (Pattern.of("latest mention", pairs, tokens),)

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """The commonest reply to a first, second ... turn; and the right replies, but with the values said first."""
        generator = Generator().manual_seed(seed)
        counts: dict[int, Counter[str]] = {}
        for text in self._dialogues(2048, generator, "train"):
            for place, said in enumerate(replies(text)):
                counts.setdefault(place, Counter())[" ".join(said)] += 1
        commonest = {place: found.most_common(1)[0][0].split() for place, found in counts.items()}
        judged = self._dialogues(2048, generator, "test")
        frequent = sum(replies(text) == [commonest.get(at) for at in range(len(replies(text)))] for text in judged)
        first = sum(self._with_first(text) == replies(text) for text in judged)
        return (
            Baseline("most frequent reply", frequent / len(judged)),
            Baseline("values said first", first / len(judged)),
        )

    def _dialogues(self, n: int, generator: Generator, split: Split) -> list[list[str]]:
        return [self.tokenizer.decode(row).split() for row in self.sample(n, generator, split).tokens.tolist()]

    def _with_first(self, text: list[str]) -> list[list[str]]:
        return [reply(text[:start], said_first) for start, _ in turns(text) if text[start] == SYSTEM]

    def is_like(self, symbols: Sequence[str]) -> bool:
        """A dialogue that the user begins, with a turn of the system at its end."""
        speakers = [symbols[start] for start, _ in turns(symbols)]
        return symbols[0] == USER and speakers[-1] == SYSTEM and bool(reply(symbols[: [*turns(symbols)][-1][0]]))

    def mended(self, text: str) -> Iterable[str]:
        """With who speaks, and the system's turn at the end."""
        begun = text if text.startswith(USER) else f"{USER} {text}"
        return (begun, f"{begun} {SYSTEM}")

    def model_config(self) -> ModelConfig:
        """Return a network of two layers; rotary positions, because dialogues differ in length."""
        return self.transformer(112, d_model=64, d_ff=256, positions="rotary")
