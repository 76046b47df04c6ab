"""The bench of explanations measures what it says, here of a small model, and finds the circuit of induction."""

from __future__ import annotations

import pytest

import attnviz
from bench.why import TEXTS, answer, asking, circuits, decoder, induction, traced


def test_every_look_is_measured_beside_a_trace() -> None:
    one, other = (decoder(length=12, layers=2, width=16, heads=2) for _ in range(2))
    figures = {figure.figure: figure for figure in asking(one, other, rounds=1)}
    assert [figure.goal for figure in figures.values() if figure.goal] == [1.6, 0.15, 100]
    assert 0 < figures["memory held beside the trace"].value < 0.1
    assert len(traced(one).tokens) == 12
    assert answer(traced(one)) >= 0


def test_the_keys_of_induction_are_read_for_the_token_before() -> None:
    assert circuits(attnviz.load_model("zoo/induction")) == TEXTS


@pytest.mark.parametrize("seed", range(1, 6))
def test_so_are_those_of_models_that_are_trained_here(seed: int) -> None:
    assert circuits(induction(seed, steps=150)) == TEXTS
