"""The numbers of the worked examples, through the calculator; and every step against an independent computation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch.nn import functional as F

from attnviz.calculator import PRESETS, Problem, solve, stages
from attnviz.calculator.presets import FIVE, PRODUCTS, TEN
from attnviz.calculator.solve import pooled, weighted_values, worked
from attnviz.trace import Trace
from tests.calculator.problems import problems


def near(values: object) -> object:
    return pytest.approx(np.array(values).flatten().tolist(), abs=5e-5)


def of(name: str) -> dict[str, torch.Tensor]:
    return stages(solve(PRESETS[name]))


def diagonal(on: float, off: float) -> list[list[float]]:
    return [[on if i == j else off for j in range(3)] for i in range(3)]


def test_one_hot_tokens() -> None:
    found = of("one-hot")
    assert found["scores"][0].equal(torch.eye(3))
    assert found["weights"].flatten().tolist() == near(diagonal(0.5761, 0.2119))
    assert found["context"].flatten().tolist() == near(diagonal(0.5761, 0.2119))
    assert found["result"].equal(found["context"][0])


def test_one_hot_tokens_scaled() -> None:
    assert of("one-hot-scaled")["weights"].flatten().tolist() == near(diagonal(0.4711, 0.2645))


def test_five_numbers_position_by_position() -> None:
    assert pytest.approx([0.05, 0.08, 0.09, 0.08, 0.05]) == PRODUCTS
    trace = solve(PRESETS["five-positions"])
    found = stages(trace)
    assert found["scores"].flatten().tolist() == near([0.05, 0.08, 0.09, 0.08, 0.05])
    assert found["weights"].flatten().tolist() == near([0.1960, 0.2020, 0.2040, 0.2020, 0.1960])
    weighted = weighted_values(trace, 0, 0).flatten()
    assert weighted.tolist() == near([0.1960, 0.4040, 0.6120, 0.8079, 0.9801])
    assert [weighted.sum().item(), weighted.mean().item(), weighted.max().item()] == near([3.0, 0.6, 0.9801])
    assert found["context"].flatten().tolist() == near([3.0])


def test_five_numbers_as_self_attention() -> None:
    found = of("five")
    outer = [[a * b for b in FIVE[::-1]] for a in FIVE]
    assert found["scores"].flatten().tolist() == near(outer)
    assert found["scaled"].equal(found["scores"])  # d_k = 1
    assert found["weights"][0, 0].tolist() == near([0.2040, 0.2020, 0.2000, 0.1980, 0.1960])
    assert found["weights"][0, -1].tolist() == near([0.2205, 0.2097, 0.1995, 0.1898, 0.1805])
    assert found["context"].flatten().tolist() == near([0.2980, 0.2960, 0.2940, 0.2920, 0.2900])


def test_ten_rows_of_three() -> None:
    found = of("ten-rows")
    assert found["scores"][0].flatten().tolist() == near(TEN)
    assert found["weights"].shape == (1, 10, 3)
    assert found["weights"][0, 0].tolist() == near([0.3660, 0.3261, 0.3078])
    assert found["weights"][0, 8].tolist() == near([0.3375, 0.2838, 0.3788])
    torch.testing.assert_close(found["weights"].sum(-1), torch.ones(1, 10))


def test_ten_tokens_have_ten_by_ten_scores() -> None:
    assert of("ten")["scores"].shape == (1, 10, 10)


@pytest.mark.parametrize("name", PRESETS)
def test_the_proof_of_every_preset_holds(name: str) -> None:
    (entry,) = solve(PRESETS[name]).proof()
    assert entry.exact
    assert entry.max_abs_error < 1e-6


@settings(max_examples=60)
@given(problems())
def test_the_proof_of_any_problem_holds(problem: Problem) -> None:
    (entry,) = solve(problem).proof()
    assert entry.max_abs_error < 1e-5, problem


def test_the_proof_sees_a_slip() -> None:
    trace = solve(PRESETS["self"])
    with torch.inference_mode():
        trace.sites[0].v[0, 0, 0] += 0.01
    assert not trace.proof()[0].exact


def test_heads_are_those_of_torch() -> None:
    """nn.MultiheadAttention with the same matrices, without biases."""
    problem = PRESETS["multi-head"]
    table = {name: torch.tensor(rows) for name, rows in problem.tables.items()}
    layer = torch.nn.MultiheadAttention(4, 2, bias=False, batch_first=True)
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.cat([table["w_q"].T, table["w_k"].T, table["w_v"].T]))
        layer.out_proj.weight.copy_(table["w_o"].T)
        output, weights = layer(*[table["x"][None]] * 3, average_attn_weights=False)
    found = stages(solve(problem))
    torch.testing.assert_close(found["weights"], weights[0], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found["output"], output[0], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found["result"], output[0] + table["x"], atol=1e-6, rtol=1e-5)


def test_scale_temperature_and_mask_are_those_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(n, d, generator=generator) for n, d in ((3, 5), (7, 5), (7, 2)))
    tables = {name: tuple(map(tuple, m.tolist())) for name, m in (("q", q), ("k", k), ("v", v))}
    problem = Problem(tables, given="qkv", scale=0.7, temperature=2.0, padding=(1, 6))
    allowed = torch.tensor([True, False, True, True, True, True, False])
    expected = F.scaled_dot_product_attention(
        q[None], k[None], v[None], attn_mask=allowed[None, None].expand(1, 3, 7), scale=0.35
    )
    torch.testing.assert_close(stages(solve(problem))["context"], expected)


def test_a_query_without_keys_reads_nothing() -> None:
    found = stages(solve(Problem(PRESETS["one-hot"].tables, causal=True, padding=(0,))))
    assert found["weights"][0, 0].tolist() == [0, 0, 0]
    assert found["result"][0].tolist() == [0, 0, 0]


def test_causal_and_window_count_positions_from_the_first_query_on() -> None:
    tables = {"q": ((1.0,),) * 2, "k": ((1.0,),) * 5, "v": ((1.0,),) * 5}
    weights = stages(solve(Problem(tables, given="qkv", causal=True)))["weights"][0]
    assert weights.tolist() == [[1, 0, 0, 0, 0], [0.5, 0.5, 0, 0, 0]]
    weights = stages(solve(Problem(tables, given="qkv", window=2)))["weights"][0]
    assert (weights > 0).int().tolist() == [[1, 1, 0, 0, 0], [1, 1, 1, 0, 0]]


def test_learned_positions_are_added_and_remain_in_the_residual() -> None:
    tables = {**PRESETS["one-hot"].tables, "p": ((1.0, 0.0, 0.0),) * 3}
    found = stages(solve(Problem(tables, positions="learned", residual=True)))
    assert found["x"][0].tolist() == [2, 0, 0]
    torch.testing.assert_close(found["result"] - found["output"], found["x"])


def test_rotary_scores_depend_on_the_distance_alone() -> None:
    row = (0.3, -0.7, 0.2, 0.5)
    tables = {"q": (row,) * 6, "k": (row,) * 6, "v": (row,) * 6}
    scores = stages(solve(Problem(tables, given="qkv", positions="rotary")))["scores"][0]
    for distance in range(-5, 6):
        diagonal_of = scores.diagonal(distance)
        torch.testing.assert_close(diagonal_of, diagonal_of[:1].expand_as(diagonal_of))


def test_pooling() -> None:
    for how in ("mean", "max", "last"):
        found = stages(solve(Problem(PRESETS["self"].tables, pooling=how)))
        expected = {"mean": found["result"].mean(0), "max": found["result"].max(0).values, "last": found["result"][-1]}
        torch.testing.assert_close(found["pooled"], expected[how])
    assert "pooled" not in of("self")
    assert pooled(torch.tensor([[1.0, 5.0], [3.0, 1.0]])).max.tolist() == [3, 5]


def test_additive_scores_as_a_loop() -> None:
    problem = PRESETS["additive"]
    table = {name: np.array(rows) for name, rows in problem.tables.items()}
    scores = stages(solve(problem))["scores"][0]
    for i, q in enumerate(table["x"]):
        for j, k in enumerate(table["x"]):
            inside = table["a_q"] @ q + table["a_k"] @ k
            expected = sum(w * math.tanh(x) for w, x in zip(table["a_v"][0], inside, strict=True))
            assert scores[i, j].item() == pytest.approx(expected, abs=1e-6)


def test_the_trace_is_like_any_other() -> None:
    trace = solve(PRESETS["decoder"])
    assert isinstance(trace, Trace)
    assert trace.tokens == ("x1", "x2", "x3", "x4")
    inputs = trace.inputs("hand.0.self")
    assert inputs is not None
    assert inputs.x.shape == (4, 4)
    assert trace.nbytes > 0
    with pytest.raises(ValueError, match="no outputs"):
        _ = trace.logits
    with pytest.raises(ValueError, match="no outputs"):
        next(worked(trace).logits())


def test_queries_and_keys_of_different_number_are_two_sequences() -> None:
    trace = solve(PRESETS["ten-rows"])
    (site,) = trace.sites
    assert site.kind == "cross"
    assert len(trace.sequences[site.queries]) == 10
    assert len(trace.sequences[site.keys]) == 3


def test_the_largest_problem_is_proved_in_time_and_without_overflow() -> None:
    """64 tokens, 16 heads, numbers of a million: everything stays finite."""
    wide = tuple(tuple(1e6 if (i + j) % 3 else -1e6 for j in range(64)) for i in range(64))
    problem = Problem(dict.fromkeys(("x", "w_q", "w_k", "w_v", "w_o"), wide), heads=16, project=True, residual=True)
    trace = solve(problem)
    assert all(tensor.isfinite().all() for tensor in stages(trace).values())
    assert math.isfinite(trace.proof()[0].max_abs_error)
