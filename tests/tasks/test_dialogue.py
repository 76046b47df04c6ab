"""Booking by dialogue: an independent system says the same, what is booked is on one side only."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Generator

from attnviz.tasks.base import IGNORE, SPLITS, Split
from attnviz.tasks.language.dialogue import (
    SERVICES,
    SLOT_AFTER,
    SLOT_OF,
    VALUES,
    Dialogue,
    reply,
    said_first,
    said_last,
)
from attnviz.tokenizers import Tokenizer

GOLD = (  # written by hand
    ("user: i need a table", "how many people ?"),
    ("user: hello , i want a train on friday", "which city ?"),
    ("user: please book a hotel in rome on monday", "how many people ?"),
    ("user: please book a hotel in rome on monday for 3", "a hotel in rome for 3 on monday ?"),
    (
        "user: i need a table for 2 system: which day ? user: friday , sorry , for 3 system: what time ? user: at 9:00",
        "a table for 3 on friday at 9:00 ?",
    ),
    (
        "user: i want a train to oslo at 9:00 on friday system: a train to oslo on friday at 9:00 ? user: no , to lima "
        "system: a train to lima on friday at 9:00 ? user: yes please",
        "booked .",
    ),
    (
        "user: i want a train to oslo at 9:00 on friday system: a train to oslo on friday at 9:00 ? user: no , to lima "
        "system: a train to lima on friday at 9:00 ? user: yes system: booked . user: which city was it ?",
        "to lima .",
    ),
)


def dialogues(n: int, split: Split = "train", seed: int = 5) -> list[str]:
    task = Dialogue()
    return [task.tokenizer.decode(row) for row in task.sample(n, Generator().manual_seed(seed), split).tokens.tolist()]


def last_said(text: str, slot: str) -> str:
    """The value of a slot that the user said last, found by expressions."""
    by_user = " ".join(re.findall(r"user:(.*?)(?=system:|$)", text))
    said = re.findall("(?<!\\S)(" + "|".join(VALUES[slot]) + ")(?!\\S)", by_user)
    return said[-1] if said else ""


def by_expressions(text: str) -> str:
    """What the system should say, as a decision table."""
    service = re.search("table|train|hotel", text)
    assert service
    asked = {"table": "people day time", "train": "city day time", "hotel": "city people day"}[service[0]].split()
    values = {slot: last_said(text, slot) for slot in asked}
    to = "to" if service[0] == "train" else "in"
    said = {"people": f"for {values.get('people')}", "city": f"{to} {values.get('city')}"}
    said |= {"day": f"on {values.get('day')}", "time": f"at {values.get('time')}"}
    last = text.split("user: ")[-1]
    for slot, question in {
        "people": "how many people",
        "city": "which city",
        "day": "which day",
        "time": "what time",
    }.items():
        if last == f"{question} was it ?":
            return said[slot] + " ."
        if slot in asked and not values[slot] and slot == next(name for name in asked if not values[name]):
            return question + " ?"
    return "booked ." if "yes" in last else f"a {service[0]} {' '.join(said[slot] for slot in asked)} ?"


@pytest.mark.parametrize(("text", "answer"), GOLD)
def test_replies_written_by_hand(text: str, answer: str) -> None:
    assert " ".join(reply(text.split())) == answer
    assert by_expressions(text) == answer


def test_another_system_says_the_same() -> None:
    found = dialogues(1000)
    n_changed = 0
    for text in found:
        for turn in re.finditer(" system: (.*?)(?= user:|$)", text):
            assert turn[1] == by_expressions(text[: turn.start()]), text
        n_changed += any(last_said(text, slot) != said_first(text.split()).get(slot, "") for slot in VALUES)
    assert 300 < n_changed < 900
    assert any(", sorry ," in text for text in found), "values change half-way"
    assert any("was it" in text for text in found)
    assert all(text.count("booked .") == 1 for text in found)
    assert {re.findall("table|train|hotel", text)[0] for text in found} == SERVICES.keys()


def test_the_system_alone_is_scored_and_its_turns_end() -> None:
    task = Dialogue()
    batch = task.sample(100, Generator().manual_seed(1))
    for tokens, targets in zip(batch.tokens.tolist(), batch.targets.tolist(), strict=True):
        words = [task.tokenizer.label(token) for token in tokens if token]
        speaker = ""
        for place, word in enumerate(words):
            speaker = word if word.endswith("er:") or word == "system:" else speaker
            follows = words[place + 1] if place + 1 < len(words) else "user:"
            due = IGNORE
            if speaker == "system:":
                due = Tokenizer.eos_id if follows == "user:" else task.tokenizer.encode(follows)[0]
            assert targets[place] == due


def booked(text: str) -> tuple[str, ...]:
    return tuple(
        word for word in re.findall("system: (a [^?]*)", text)[-1].split() if word in SLOT_OF or word in SERVICES
    )


def test_what_is_booked_is_on_one_side_only() -> None:
    found = {split: {booked(text) for text in dialogues(2000, split)} for split in SPLITS}
    assert not found["train"] & found["test"]
    assert not found["train"] & found["validation"]
    assert not found["validation"] & found["test"]
    assert len(found["test"]) > 150
    values = {word for words in found["train"] for word in words}
    assert values == SLOT_OF.keys() | SERVICES.keys(), "a value of the test was never booked"


def test_a_value_belongs_to_one_slot() -> None:
    assert len(SLOT_OF) == sum(map(len, VALUES.values()))
    assert SLOT_AFTER.keys() == {"for", "in", "to", "on", "at"}
    text = "user: on friday , sorry , on monday system: on monday ? user: on sunday system: on saturday"
    assert said_last(text.split()) == {"day": "sunday"}
    assert said_first(text.split()) == {"day": "friday"}


def read(text: str) -> dict[int, list[int]]:
    """Positions that read something, and what."""
    task = Dialogue()
    tokens = task.tokenizer.encode(text)
    (pattern,) = task.expected(tokens)
    assert pattern.name == "latest mention"
    assert pattern.kind == "self"
    assert not pattern.reads.triu(1).any(), "nothing reads what comes later"
    return {query: row.nonzero().flatten().tolist() for query, row in enumerate(pattern.reads) if row.any()}


def test_a_value_is_read_where_it_was_said_last() -> None:
    text = (
        "user: i need a table for 2 system: which day ? user: friday , sorry , for 3 system: what time ? user: at 9:00"
    )
    text += " system: a table for 3 on"
    words = text.split()
    for_, on = len(words) - 3, len(words) - 1
    assert read(text) == {for_: [words.index("3")], on: [words.index("friday")]}


def test_what_was_repeated_since_may_be_read_as_well() -> None:
    text = "user: a table for 2 system: a table for 2 ? user: no , for 3 system: a table for 3 ? user: no system: for"
    words = text.split()
    threes = [place for place, word in enumerate(words) if word == "3"]
    assert read(text)[len(words) - 1] == threes
    assert read("user: for 2 on friday") == {}
    assert read("for 2 system: at") == {}


def test_without_a_memory_there_are_no_right_dialogues() -> None:
    frequent, first = Dialogue().baselines()
    unchanged = [
        all(
            by_expressions(text[: turn.start()]).split() == reply(text[: turn.start()].split(), said_first)
            for turn in re.finditer(" system: ", text)
        )
        for text in dialogues(2000, "test")
    ]
    assert (frequent.name, first.name) == ("most frequent reply", "values said first")
    assert frequent.score < 0.01
    assert first.score == pytest.approx(sum(unchanged) / 2000, abs=0.05)
    assert 0.2 < first.score < 0.6


def test_openings_are_answered() -> None:
    for text in Dialogue().texts():
        assert isinstance(text, str)
        assert text.endswith(" system:")
        assert by_expressions(text.removesuffix(" system:")).split() == reply(text.split()[:-1])
    assert reply(["user:", "hello"]) == []


def test_the_generator_decides_alone() -> None:
    state = torch.get_rng_state()
    assert dialogues(40) == dialogues(40)
    assert dialogues(40) != dialogues(40, seed=6)
    assert torch.equal(state, torch.get_rng_state())
