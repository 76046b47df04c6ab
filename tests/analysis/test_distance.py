"""Alignment of tokens, and how far apart two heads read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import attnviz
from attnviz.analysis.alignment import Block, equal_blocks
from attnviz.analysis.distance import head_distance, head_distances, jensen_shannon
from attnviz.edits import temperature


def written_out(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """1/2 KL(p || m) + 1/2 KL(q || m) in bits, term by term; 0 log 0 is 0."""
    m = (p + q) / 2

    def kl(a: np.ndarray) -> np.ndarray:
        return np.array(np.sum(np.where(a > 0, a * np.log2(np.where(a > 0, a, 1) / np.where(m > 0, m, 1)), 0), axis=-1))

    return (kl(p) + kl(q)) / 2


WORDS = st.lists(st.sampled_from("abc"), max_size=12)


@given(WORDS, WORDS)
def test_blocks_are_equal_tokens_in_order(a: list[str], b: list[str]) -> None:
    blocks = equal_blocks(a, b)
    for first, second, size in blocks:
        assert size > 0
        assert a[first : first + size] == b[second : second + size]
    for block, following in itertools.pairwise(blocks):
        assert block.first + block.size <= following.first
        assert block.second + block.size <= following.second
    assert [block.size for block in equal_blocks(a, a)] == ([len(a)] if a else [])


def test_the_longest_run_is_found_between_what_differs() -> None:
    assert equal_blocks(["x", "the", "cat", "y"], ["z", "z", "the", "cat"]) == [Block(1, 2, 2)]
    assert equal_blocks([], ["a"]) == []


def test_it_is_the_divergence_term_by_term() -> None:
    p, q = torch.rand(2, 5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    p, q = p / p.sum(-1, keepdim=True), q / q.sum(-1, keepdim=True)
    np.testing.assert_allclose(jensen_shannon(p, q).numpy(), written_out(p.numpy(), q.numpy()), atol=1e-12)


def test_keys_of_one_text_alone_are_outcomes_of_their_own() -> None:
    p, q = torch.tensor([[0.5, 0.25, 0.25]]), torch.tensor([[0.5, 0.5]])
    found = head_distance(p, q, [Block(0, 0, 1)], [Block(0, 0, 1)])
    assert found.item() == pytest.approx(written_out(np.array([0.5, 0.5, 0.0]), np.array([0.5, 0.0, 0.5])))


def test_what_a_sink_takes_is_an_outcome() -> None:
    p, q = torch.tensor([[0.25, 0.25]]), torch.tensor([[0.5, 0.5]])
    found = head_distance(p, q, [Block(0, 0, 1)], [Block(0, 0, 2)])
    assert found.item() == pytest.approx(written_out(np.array([0.25, 0.25, 0.5]), np.array([0.5, 0.5, 0.0])))


def test_only_a_query_with_a_partner_has_a_distance() -> None:
    weights = torch.eye(3)
    found = head_distance(weights, weights, equal_blocks("abc", "xbc"), equal_blocks("abc", "xbc"))
    assert torch.isnan(found[0])
    assert found[1:].tolist() == [0, 0]
    assert torch.isnan(head_distance(weights, weights, [], [])).all()


def test_the_edited_head_is_the_one_that_differs() -> None:
    model = attnviz.load_model("zoo/reverse")
    plain = attnviz.trace(model, "c a b")
    edited = attnviz.trace(model, "c a b", edits=[temperature(plain.sites[1].name, head=0, value=4.0)])
    found = head_distances(edited, plain)
    assert found[plain.sites[0].name].max() == 0
    assert found[plain.sites[1].name][0].mean() > 0.01
    assert found[plain.sites[1].name][1:].max() == 0


def test_every_head_against_one_is_nothing_for_itself_alone() -> None:
    trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "a b c")
    name = trace.sites[1].name
    found = head_distances(trace, trace, pin=(name, 1))
    assert found[name][1].max() == 0
    assert found[trace.sites[0].name].min() > 0
