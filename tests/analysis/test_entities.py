"""Precision, recall and F1 of entities: hand-worked numbers, and an explicit count."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.analysis.entities import EntityScore, entity_report

TRUE = [
    ["B-PER", "I-PER", "O", "B-LOC", "O"],
    ["B-ORG", "I-ORG", "O", "B-PER"],
    ["B-LOC", "O", "B-LOC", "I-LOC"],
    ["O", "O"],
]
SAID = [
    ["B-PER", "I-PER", "O", "B-ORG", "O"],  # PER right; ORG in place of LOC
    ["B-ORG", "O", "O", "B-PER"],  # ORG ends too early; PER right
    ["B-LOC", "O", "O", "O"],  # LOC right; LOC missed
    ["O", "B-PER"],  # one too many
]


def test_numbers_worked_by_hand() -> None:
    report = entity_report(TRUE, SAID)
    assert report.types == (
        EntityScore("LOC", 1.0, pytest.approx(1 / 3), pytest.approx(1 / 2), 3),
        EntityScore("ORG", 0.0, 0.0, 0.0, 1),
        EntityScore("PER", pytest.approx(2 / 3), 1.0, pytest.approx(4 / 5), 2),
    )
    assert report.micro == EntityScore("micro", pytest.approx(3 / 6), pytest.approx(3 / 6), pytest.approx(1 / 2), 6)
    assert report.macro == EntityScore(
        "macro", pytest.approx(5 / 9), pytest.approx(4 / 9), pytest.approx((0.5 + 0 + 0.8) / 3), 6
    )
    assert report.weighted == EntityScore(
        "weighted",
        pytest.approx((3 + 0 + 4 / 3) / 6),
        pytest.approx((1 + 0 + 2) / 6),
        pytest.approx((1.5 + 1.6) / 6),
        6,
    )
    assert report.averages == (report.micro, report.macro, report.weighted)


def test_all_right() -> None:
    report = entity_report(TRUE, TRUE)
    assert {score[1:4] for score in (*report.types, *report.averages)} == {(1.0, 1.0, 1.0)}


def test_one_type_alone() -> None:
    """scikit-learn reads a table of one column as one of two classes; the report must not."""
    report = entity_report([["B-A", "O", "B-A"]], [["B-A", "B-A", "O"]])
    assert report.types == (EntityScore("A", 0.5, 0.5, 0.5, 2),)
    assert report.micro[1:] == report.macro[1:] == report.weighted[1:] == (0.5, 0.5, 0.5, 2)


def test_a_type_that_does_not_occur() -> None:
    report = entity_report([["O"]], [["O"]], types=["PER"])
    assert report.types == (EntityScore("PER", 0.0, 0.0, 0.0, 0),)
    assert [score[1:] for score in report.averages] == [(0.0, 0.0, 0.0, 0)] * 3


def test_nothing_found_and_nothing_there() -> None:
    nothing = entity_report([["B-A"]], [["O"]])
    assert nothing.types == (EntityScore("A", 0.0, 0.0, 0.0, 1),)
    invented = entity_report([["O"]], [["B-A"]])
    assert invented.types == (EntityScore("A", 0.0, 0.0, 0.0, 0),)


def test_an_inside_without_a_beginning_begins() -> None:
    assert entity_report([["B-A", "I-A", "O"]], [["I-A", "I-A", "O"]]).micro.f1 == 1.0
    assert entity_report([["B-A", "I-A"]], [["B-A", "I-B"]]).micro[1:] == (0.0, 0.0, 0.0, 1)


@pytest.mark.parametrize(
    ("true", "said", "message"),
    [
        ([["O"]], [["O"], ["O"]], "the same tokens"),
        ([["O", "O"]], [["O"]], "the same tokens"),
        ([["O"]], [["O"]], "no entity, and no type"),
        ([], [], "no entity, and no type"),
    ],
)
def test_what_cannot_be_compared_is_refused(true: list[list[str]], said: list[list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        entity_report(true, said)


def entities(tags: list[str]) -> set[tuple[int, int, str]]:
    """Spans once more, from the end of the sentence: every B-, and every I- that nothing of its type is before."""
    found = set()
    end = len(tags)
    for start in range(len(tags) - 1, -1, -1):
        if tags[start] == "O":
            end = start
            continue
        kind = tags[start][2:]
        goes_on = tags[start][0] == "I" and start > 0 and tags[start - 1][2:] == kind
        if not goes_on:
            found.add((start, end, kind))
            end = start
    return found


TAGS = st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B", "B-C"])
PAIRS = st.lists(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=8), min_size=1, max_size=5)


@settings(max_examples=60)
@given(PAIRS)
def test_against_an_explicit_count(sentences: list[list[tuple[str, str]]]) -> None:
    true = [[tag for tag, _ in sentence] for sentence in sentences]
    said = [[tag for _, tag in sentence] for sentence in sentences]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = entity_report(true, said, types=["A"])

    places = [{(i, *span) for i, tags in enumerate(side) for span in entities(tags)} for side in (true, said)]
    kinds = sorted({place[3] for side in places for place in side} | {"A"})
    rows = []
    for kind in kinds:
        there, found = ({place for place in side if place[3] == kind} for side in places)
        rows.append(scores(len(there & found), len(found), len(there)))
    assert [score.name for score in report.types] == kinds
    assert [score[1:] for score in report.types] == [pytest.approx(row) for row in rows]
    assert report.micro[1:] == pytest.approx(scores(len(places[0] & places[1]), len(places[1]), len(places[0])))
    macro = [sum(column) / len(rows) for column in list(zip(*rows, strict=True))[:3]]
    assert report.macro[1:4] == pytest.approx(macro)
    support = sum(row[3] for row in rows)
    weighted = [sum(row[i] * row[3] for row in rows) / support if support else 0.0 for i in range(3)]
    assert report.weighted[1:4] == pytest.approx(weighted)


def scores(right: int, found: int, there: int) -> tuple[float, float, float, int]:
    precision = right / found if found else 0.0
    recall = right / there if there else 0.0
    f1 = 2 * right / (found + there) if found + there else 0.0
    return precision, recall, f1, there
