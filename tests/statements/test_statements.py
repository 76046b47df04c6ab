"""What the catalogues say of models, heads and limits is so, of the shipped weights and on data nobody trained on."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from attnviz import locale
from tests.statements.statement import ROWS, Bound, Computation, Row
from tests.statements.table import HELD_ELSEWHERE, NO_CLAIM, claims

ROOT = Path(__file__).parents[2]


@cache
def computed(computes: Computation) -> list[Bound]:
    """Computed once, however many statements it holds."""
    return list(computes())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.key}:{row.computes.__name__}")
def test_a_statement_holds(row: Row) -> None:
    for language, words in (("en", row.claims), ("zh", row.chinese)):
        text = locale.catalogue(language)[row.key]
        assert words in text, f"{row.key} ({language}) was written anew: does {row.computes.__name__} still hold it?"
    bounds = computed(row.computes)
    assert bounds, f"{row.computes.__name__} computes nothing"
    wrong = [str(bound) for bound in bounds if not bound.holds]
    assert not wrong, f"{row.key} says “{row.claims}”, but " + "; ".join(wrong)


def test_every_claim_is_sorted() -> None:
    """A new message is held by a computation here, by a named test, or has a reason why there is nothing to compute."""
    sorted_ones = {row.key for row in ROWS} | HELD_ELSEWHERE.keys() | NO_CLAIM.keys()
    assert set(claims()) <= sorted_ones, "not in the table"
    assert sorted_ones <= locale.catalogue("en").keys(), "no such message"
    assert not HELD_ELSEWHERE.keys() & NO_CLAIM.keys()
    assert not HELD_ELSEWHERE.keys() & {row.key for row in ROWS}


@pytest.mark.parametrize("test", sorted(set(HELD_ELSEWHERE.values())))
def test_what_holds_a_statement_elsewhere_exists(test: str) -> None:
    path, name = test.split("::")
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_a_false_statement_is_noticed() -> None:
    """The table can fail: a bound that does not hold, a claim that is not in the text, a message that is not sorted."""
    assert not Bound("largest weight", 0.5, low=0.9).holds
    assert not Bound("not a number", float("nan"), low=0.0).holds
    assert "zoo.reverse.about" in claims()
    assert "zoo.reverse.title" not in claims()
