"""A head as a table: the site's own numbers, a row for each pair."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import attnviz
from attnviz.attention import Mask
from attnviz.trace import Tokens, Trace


@pytest.fixture(scope="module")
def dates() -> Trace:
    return attnviz.trace(attnviz.load_model("zoo/dates"), "3rd of March 2021", "2021-03")


@pytest.fixture(scope="module")
def sums() -> Trace:
    return attnviz.trace(attnviz.load_model("zoo/addition"), "27+58=")


def test_every_pair_has_the_numbers_of_the_site(dates: Trace) -> None:
    site = dates.site("decoder.0.cross")
    table = dates.to_dataframe(layer=0, head=2, kind="cross")
    n_queries, n_keys = len(dates.tokens), len(dates.source_tokens or ())
    assert list(table) == ["query", "key", "query_token", "key_token", "score", "scaled", "masked", "weight", "allowed"]
    assert len(table) == n_queries * n_keys
    for column, stage in (("score", "scores"), ("scaled", "scaled"), ("masked", "masked"), ("weight", "weights")):
        np.testing.assert_array_equal(
            table[column].to_numpy(np.float32).reshape(n_queries, n_keys), getattr(site, stage)(2)
        )
    np.testing.assert_array_equal(table.pivot(index="query", columns="key", values="weight"), site.weights(2))
    assert table.allowed.all()


def test_tokens_stand_beside_their_positions(dates: Trace) -> None:
    table = dates.to_dataframe(0, 0, kind="cross")
    row = table[(table["query"] == 2) & (table["key"] == 5)].iloc[0]
    assert (row.query_token, row.key_token) == (dates.tokens[2], (dates.source_tokens or ())[5])
    assert table.key_token.cat.categories.is_unique  # the same token twice is one category


def test_masked_pairs_are_rows_too_and_say_so(sums: Trace) -> None:
    table = sums.to_dataframe(0, 1)
    later = table[table.key > table["query"]]
    assert len(later)
    assert not later.allowed.any()
    assert np.isneginf(later.masked).all()
    assert (later.weight == 0).all()
    assert np.isfinite(later.scaled).all()
    assert table[table.key <= table["query"]].allowed.all()


def test_a_query_that_may_read_nothing_weighs_nothing(sums: Trace) -> None:
    hidden = replace(sums.sites[0], mask=Mask(causal=True, keys=torch.arange(len(sums.tokens)) > 1))
    table = replace(sums, sites=(hidden,)).to_dataframe(0, 0)
    first = table[table["query"] < 2]
    assert not first.allowed.any()
    assert (first.weight == 0).all()


def test_a_long_text_makes_as_many_rows_as_it_has_pairs(sums: Trace) -> None:
    length = 2048
    numbers = torch.randn(3, sums.sites[0].n_heads, length, sums.sites[0].d_head)
    q, k, v = numbers
    site = replace(sums.sites[0], q=q, k=k, v=v)
    tokens = Tokens((), tuple(f"t{i % 7}" for i in range(length)))
    table = replace(sums, sites=(site,), sequences={sums.main: tokens}).to_dataframe(0, 0)
    assert len(table) == length**2
    assert int(table.allowed.sum()) == length * (length + 1) // 2
    assert table.memory_usage(deep=True).sum() < 32 * length**2  # bytes a row: no Python objects


def test_the_decoder_is_meant_unless_said_otherwise(dates: Trace) -> None:
    assert dates.find(0).name == "decoder.0.self"
    assert dates.find(0, kind="cross").name == "decoder.0.cross"
    assert dates.find(0, stack="encoder").name == "encoder.0.self"
    assert [site.name for site in dates.find_all(stack="decoder")] == ["decoder.0.self", "decoder.0.cross"]


def test_of_several_parts_the_first_is_meant(sums: Trace) -> None:
    windows = tuple(replace(sums.sites[0], name=f"decoder.0.self.{part}", part=part) for part in range(3))
    trace = replace(sums, sites=windows)
    assert trace.find(0).part == 0
    assert trace.find(0, part=2).part == 2


def test_what_is_not_there_is_named_with_what_there_is(dates: Trace) -> None:
    there_is = (
        "encoder self-attention in layer 0; decoder self-attention in layer 0; decoder cross-attention in layer 0"
    )
    with pytest.raises(KeyError, match=f"no attention at layer 3, kind 'cross'; there is {there_is}"):
        dates.to_dataframe(3, 0, kind="cross")
    with pytest.raises(IndexError, match="no head 9"):
        dates.to_dataframe(0, 9)
