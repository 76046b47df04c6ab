"""What positional encodings do to similarity, and to the order of tokens."""

from __future__ import annotations

import pytest
import torch

from attnviz import load_model
from attnviz.analysis.positions import KINDS, bias_alone, learned_tables, permuted, rotated, similarity, untrained
from attnviz.models import SequenceModel
from attnviz.positions import alibi_bias, sinusoidal


@pytest.mark.parametrize(("n_tokens", "d"), [(4, 4), (17, 14), (128, 128)])
def test_without_positions_the_order_of_tokens_is_lost_and_with_any_it_is_not(n_tokens: int, d: int) -> None:
    entries = permuted(n_tokens, d)
    assert [entry.kind for entry in entries] == list(KINDS)
    lost = {entry.kind: entry.difference / entry.largest for entry in entries}
    assert lost.pop("none") < 1e-5
    assert min(lost.values()) > 1e-3, lost


@pytest.mark.parametrize("vectors", [sinusoidal(13, 10), rotated(13, 10)], ids=["sinusoidal", "rotary"])
def test_similarity_depends_on_distance_alone(vectors: torch.Tensor) -> None:
    alike = similarity(vectors)
    assert alike.shape == (13, 13)
    torch.testing.assert_close(alike.diagonal(), torch.ones(13))
    for lag in range(1, 13):
        torch.testing.assert_close(alike.diagonal(lag), alike[0, lag].expand(13 - lag), atol=1e-5, rtol=0)
    torch.testing.assert_close(alike, alike.T)


def test_an_untrained_table_is_random_and_always_the_same() -> None:
    table = untrained(400, 30)
    assert torch.equal(table, untrained(400, 30))
    assert float(table.std()) == pytest.approx(0.5, rel=0.05)


def test_learned_tables_are_those_of_the_model() -> None:
    model = load_model("zoo/dates")
    assert isinstance(model, SequenceModel)
    tables = learned_tables(model)
    assert set(tables) == {"encoder", "decoder"}
    assert tables["decoder"].shape == (model.config.max_len, 64)
    assert torch.equal(tables["encoder"], model.network.state_dict()["encoder.position_embedding.weight"])
    rotary = load_model("zoo/recall")
    assert isinstance(rotary, SequenceModel)
    assert learned_tables(rotary) == {}


def test_a_bias_alone_weighs_near_keys_more() -> None:
    weights = bias_alone(alibi_bias(9, 0.5))
    torch.testing.assert_close(weights.sum(1), torch.ones(9))
    assert torch.equal(weights, weights.tril())
    ratio = weights[8, 1:] / weights[8, :-1]
    torch.testing.assert_close(ratio, torch.full((8,), 0.5).exp())  # each step nearer: e^slope more
