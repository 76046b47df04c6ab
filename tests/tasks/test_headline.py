"""One line from a record: an independent writer agrees, teams that meet in a test never met in training."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import torch
from torch import Generator

from attnviz.tasks.base import SPLITS, Split
from attnviz.tasks.language.headline import NEEDED, TEAMS, VALUES, Headline, headline, read_record

GOLD = (  # written by hand
    ("team : lions | rival : bears | goals : 3 | against : 1", "lions beat bears 3 : 1"),
    ("against : 3 | cards : 9 | goals : 1 | rival : bears | team : lions", "lions lose to bears 1 : 3"),
    ("goals : 1 | against : 0 | day : sunday | team : stars | rival : foxes", "stars edge foxes 1 : 0 on sunday"),
    ("city : oslo | against : 2 | goals : 2 | team : stars | rival : foxes", "stars draw with foxes 2 : 2 in oslo"),
    (
        "day : monday | corners : 1 | city : rome | team : rovers | rival : united | goals : 6 | against : 2",
        "rovers crush united 6 : 2 in rome on monday",
    ),
)


def records(n: int, split: Split = "train", seed: int = 5) -> list[tuple[str, str]]:
    task = Headline()
    batch = task.sample(n, Generator().manual_seed(seed), split)
    assert batch.source is not None
    sources = [task.source_tokenizer.decode(row) for row in batch.source.tolist()]
    return list(zip(sources, map(task.tokenizer.decode, batch.tokens.tolist()), strict=True))


def field(record: str, name: str) -> str:
    found = re.search(rf"(?:^|\| ){name} : (\w+)", record)
    return found[1] if found else ""


def by_expressions(record: str) -> str:
    """The line from a record, found field by field."""
    goals, against = int(field(record, "goals")), int(field(record, "against"))
    margin = max(-1, min(4, goals - against))
    verb = {-1: "lose to", 0: "draw with", 1: "edge", 2: "beat", 3: "beat", 4: "crush"}[margin]
    line = f"{field(record, 'team')} {verb} {field(record, 'rival')} {goals} : {against}"
    city, day = field(record, "city"), field(record, "day")
    return line + (f" in {city}" if city else "") + (f" on {day}" if day else "")


@pytest.mark.parametrize(("record", "line"), GOLD)
def test_lines_written_by_hand(record: str, line: str) -> None:
    text = record.split()
    said = {name: text[place] for name, place in read_record(text).items()}
    assert " ".join(word for word, _ in headline(said)) == line
    assert by_expressions(record) == line


def test_another_writer_agrees() -> None:
    found = records(2000)
    assert all(by_expressions(record) == line for record, line in found)
    assert all(field(record, "team") != field(record, "rival") for record, _ in found)
    verbs = Counter(line.split()[1] for _, line in found)
    assert verbs.keys() == {"edge", "beat", "crush", "draw", "lose"}
    assert min(verbs.values()) > 100
    firsts = Counter(record.split()[0] for record, _ in found)
    assert firsts.keys() == VALUES.keys(), "fields come in any order"
    assert {len(record.split(" | ")) for record, _ in found} == set(range(len(NEEDED), len(VALUES) + 1))


def test_two_teams_are_on_one_side_only() -> None:
    met = {
        split: {frozenset((field(record, "team"), field(record, "rival"))) for record, _ in records(3000, split)}
        for split in SPLITS
    }
    assert not met["train"] & met["test"]
    assert not met["train"] & met["validation"]
    assert not met["validation"] & met["test"]
    assert frozenset().union(*met["train"]) == set(TEAMS)


def reads(record: str, line: str) -> tuple[list[str], list[str]]:
    """For both patterns: the words of the record that each position of the decoder should read, and their fields."""
    task = Headline()
    source, tokens = task.source_tokenizer.encode(record), task.tokenizer.encode(line)
    patterns = task.expected(tokens, source)
    assert [pattern.name for pattern in patterns] == ["value of the field", "both scores"]
    assert all(pattern.kind == "cross" for pattern in patterns)
    words = record.split()
    values, scores = (
        [
            " ".join(f"{words[key - 2]}={words[key]}" for key in row.nonzero().flatten().tolist())
            for row in pattern.reads
        ]
        for pattern in patterns
    )
    return values, scores


def test_every_value_is_read_where_it_stands() -> None:
    record = "against : 2 | city : oslo | corners : 2 | goals : 2 | rival : foxes | team : stars"
    values, scores = reads(record, "stars draw with foxes 2 : 2 in oslo")
    assert values == ["team=stars", "", "", "rival=foxes", "goals=2", "", "against=2", "", "city=oslo", ""]
    assert scores == ["", "against=2 goals=2", *[""] * 8]


def test_nothing_is_expected_behind_a_word_that_is_not_the_headline() -> None:
    record = "team : stars | rival : foxes | goals : 1 | against : 0"
    assert reads(record, "stars beat foxes")[0] == ["team=stars", "", "", ""]
    assert reads(record, "stars edge")[0] == ["team=stars", "", "rival=foxes"]
    assert reads("team : stars | rival : foxes | goals : 1", "stars")[0] == ["", ""]


@pytest.mark.parametrize(
    "text", ["", "team", "team : oslo", "team : lions |", "team : lions | team : bears", "lions : team", "| : |"]
)
def test_what_is_no_record_has_no_fields(text: str) -> None:
    assert read_record(text.split()) == {}


def test_who_does_not_compare_is_wrong_at_times() -> None:
    (baseline,) = Headline().baselines()
    verbs = Counter(" ".join(line.split()[1:2]) for _, line in records(4000, "test"))
    assert baseline.name == "fields without comparing"
    assert baseline.score == pytest.approx(max(verbs.values()) / 4000, abs=0.04)


def test_the_generator_decides_alone() -> None:
    state = torch.get_rng_state()
    assert records(40) == records(40)
    assert records(40) != records(40, seed=6)
    assert torch.equal(state, torch.get_rng_state())
