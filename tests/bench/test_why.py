"""The bench of explanations measures what it says, here of a small model."""

from __future__ import annotations

from bench.why import answer, asking, decoder, traced


def test_every_look_is_measured_beside_a_trace() -> None:
    one, other = (decoder(length=12, layers=2, width=16, heads=2) for _ in range(2))
    figures = {figure.figure: figure for figure in asking(one, other, rounds=1)}
    assert [figure.goal for figure in figures.values() if figure.goal] == [1.6, 0.15, 100]
    assert 0 < figures["memory held beside the trace"].value < 0.1
    assert len(traced(one).tokens) == 12
    assert answer(traced(one)) >= 0
