"""attention.py against PyTorch's own kernels, and the properties its docstrings state. Sizes are distinct primes."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from attnviz import attention
from attnviz.attention import Mask

B, H, TQ, TK, D, DV = 2, 3, 5, 7, 11, 13


def qkv(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(B, H, n, d, generator=generator) for n, d in ((TQ, D), (TK, D), (TK, DV)))  # type: ignore


def test_attend_equals_fused_attention() -> None:
    q, k, v = qkv()
    context, weights = attention.attend(q, k, v)
    torch.testing.assert_close(context, F.scaled_dot_product_attention(q, k, v), atol=1e-6, rtol=1e-5)
    assert context.shape == (B, H, TQ, DV)
    assert weights.shape == (B, H, TQ, TK)


def test_causal_mask_equals_fused_attention() -> None:
    q, k, v = torch.randn(3, B, H, TQ, D, generator=torch.Generator().manual_seed(1))
    context, _ = attention.attend(q, k, v, Mask(causal=True))
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(context, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("mask", [Mask(window=3), Mask(causal=True, window=2), Mask(keys=torch.arange(TK) < 4)])
def test_masks_equal_fused_attention_with_the_same_matrix(mask: Mask) -> None:
    q, k, v = qkv(2)
    context, weights = attention.attend(q, k, v, mask)
    allowed = mask.allowed(TQ, TK)
    torch.testing.assert_close(
        context, F.scaled_dot_product_attention(q, k, v, attn_mask=allowed), atol=1e-6, rtol=1e-5
    )
    assert (weights[..., ~allowed] == 0).all()


def test_multi_head_equals_pytorch_multihead_attention() -> None:
    d_model, n_heads = 12, 3
    torch.manual_seed(0)
    oracle = nn.MultiheadAttention(d_model, n_heads, batch_first=True).eval()
    x = torch.randn(1, TQ, d_model)
    expected, expected_weights = oracle(x, x, x, average_attn_weights=False)
    q, k, v = F.linear(x[0], oracle.in_proj_weight, oracle.in_proj_bias).chunk(3, dim=-1)
    d_head = d_model // n_heads
    output = oracle.out_proj.bias.expand(TQ, d_model).clone()
    for head in range(n_heads):
        part = slice(head * d_head, (head + 1) * d_head)
        context, weights = attention.attend(q[:, part], k[:, part], v[:, part])
        torch.testing.assert_close(weights, expected_weights[0, head], atol=1e-6, rtol=1e-5)
        output += attention.head_output(context, oracle.out_proj.weight[:, part].T)
    torch.testing.assert_close(output, expected[0], atol=1e-6, rtol=1e-5)


def test_additive_scores_equal_the_formula_written_with_loops() -> None:
    generator = torch.Generator().manual_seed(3)
    q, k = torch.randn(TQ, D, generator=generator), torch.randn(TK, DV, generator=generator)
    w_q, w_k = torch.randn(17, D, generator=generator), torch.randn(17, DV, generator=generator)
    w_v = torch.randn(17, generator=generator)
    scores = attention.additive_scores(q, k, w_q, w_k, w_v)
    assert scores.shape == (TQ, TK)
    for i in range(TQ):
        for j in range(TK):
            expected = w_v @ torch.tanh(w_q @ q[i] + w_k @ k[j])
            torch.testing.assert_close(scores[i, j], expected, atol=1e-5, rtol=1e-5)
    assert (scores.abs() <= w_v.abs().sum()).all()


def test_fully_masked_row_has_zero_weights_and_zero_context() -> None:
    q, k, v = qkv()
    context, weights = attention.attend(q, k, v, Mask(keys=torch.zeros(TK, dtype=torch.bool)))
    assert (weights == 0).all()
    assert (context == 0).all()


def test_a_partly_masked_matrix_keeps_its_open_rows() -> None:
    masked = torch.tensor([[1.0, 1.0], [-torch.inf, -torch.inf], [-torch.inf, 5.0]])
    assert attention.softmax_weights(masked).tolist() == [[0.5, 0.5], [0.0, 0.0], [0.0, 1.0]]


def test_sink_takes_its_share_and_softcap_bounds() -> None:
    weights = attention.softmax_weights(torch.zeros(2, 3), sink=0.0)
    torch.testing.assert_close(weights, torch.full((2, 3), 0.25))
    capped = attention.scaled_scores(torch.tensor([[1000.0, -1000.0]]), scale=1.0, softcap=30.0)
    assert capped.tolist() == [[30.0, -30.0]]
    biased = attention.scaled_scores(torch.ones(2, 2), scale=0.5, bias=torch.eye(2))
    assert biased.tolist() == [[1.5, 0.5], [0.5, 1.5]]


def test_mask_positions_of_the_last_queries() -> None:
    assert Mask(causal=True).allowed(2, 5).tolist() == [[True] * 4 + [False], [True] * 5]
    assert Mask(window=2).allowed(3, 3).int().tolist() == [[1, 1, 0], [1, 1, 1], [0, 1, 1]]


scores = st.lists(st.lists(st.floats(-50, 50, width=32), min_size=TK, max_size=TK), min_size=1, max_size=TQ).map(
    torch.tensor
)


@given(scores, st.floats(-30, 30))
def test_softmax_rows_sum_to_one_and_ignore_a_shift(scores: torch.Tensor, shift: float) -> None:
    weights = attention.softmax_weights(scores)
    torch.testing.assert_close(weights.sum(-1), torch.ones(len(scores)))
    assert ((weights >= 0) & (weights <= 1)).all()
    torch.testing.assert_close(attention.softmax_weights(scores + shift), weights, atol=1e-4, rtol=1e-4)


@given(scores, st.integers(1, TK), st.booleans())
def test_masked_keys_have_no_weight_and_the_rest_sums_to_one(scores: torch.Tensor, window: int, causal: bool) -> None:
    mask = Mask(causal=causal, window=window)
    weights = attention.softmax_weights(attention.masked_scores(scores, mask))
    allowed = mask.allowed(*scores.shape)
    assert (weights[~allowed] == 0).all()
    torch.testing.assert_close(weights.sum(-1), allowed.any(-1).float())


@settings(max_examples=30)
@given(st.permutations(range(TK)), st.integers(0, 2**16))
def test_permuting_key_value_pairs_leaves_the_context(order: list[int], seed: int) -> None:
    q, k, v = qkv(seed)
    expected, _ = attention.attend(q, k, v)
    context, _ = attention.attend(q, k[:, :, order], v[:, :, order])
    torch.testing.assert_close(context, expected, atol=1e-5, rtol=1e-4)


@settings(max_examples=30)
@given(st.integers(0, 2**16))
def test_context_lies_inside_the_values(seed: int) -> None:
    q, k, v = qkv(seed)
    context, _ = attention.attend(q, k, v)
    low, high = v.amin(-2, keepdim=True) - 1e-5, v.amax(-2, keepdim=True) + 1e-5
    assert ((context >= low) & (context <= high)).all()
