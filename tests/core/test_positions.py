"""Positional encodings against their formulas and invariants."""

import math

import pytest
import torch

from attnviz.errors import ConfigError
from attnviz.positions import alibi_bias, alibi_slopes, relative_buckets, rotary_angles, rotate, sinusoidal


def test_sinusoidal_equals_the_formula() -> None:
    encoding = sinusoidal(7, 10)
    assert encoding.shape == (7, 10)
    for t in range(7):
        for i in range(5):
            angle = t / 10000 ** (2 * i / 10)
            assert encoding[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert encoding[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_sinusoidal_similarity_depends_on_distance_alone() -> None:
    similarity = sinusoidal(11, 14) @ sinusoidal(11, 14).T
    for lag in range(5):
        torch.testing.assert_close(similarity.diagonal(lag), similarity[0, lag].expand(11 - lag), atol=1e-5, rtol=1e-5)


def test_rotation_keeps_lengths_and_scores_depend_on_distance_alone() -> None:
    q, k = torch.randn(2, 1, 6, generator=torch.Generator().manual_seed(0))
    cos, sin = rotary_angles(13, 6)
    queries, keys = rotate(q.expand(13, 6), cos, sin), rotate(k.expand(13, 6), cos, sin)
    torch.testing.assert_close(queries.norm(dim=-1), q.norm().expand(13))
    scores = queries @ keys.T
    for lag in range(-4, 5):
        diagonal = scores.diagonal(lag)
        torch.testing.assert_close(diagonal, diagonal[0].expand_as(diagonal), atol=1e-5, rtol=1e-5)


def test_position_zero_is_not_rotated() -> None:
    x = torch.randn(3, 1, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(rotate(x, *rotary_angles(1, 8)), x)


@pytest.mark.parametrize("encode", [sinusoidal, rotary_angles])
def test_odd_width_is_refused_with_a_way_out(encode: object) -> None:
    with pytest.raises(ConfigError, match="width is 7; it must be even"):
        encode(3, 7)  # type: ignore[operator]


def test_slopes_are_the_geometric_sequence_of_the_paper() -> None:
    torch.testing.assert_close(alibi_slopes(8), torch.tensor([2.0**-h for h in range(1, 9)]))
    slopes = alibi_slopes(12)
    torch.testing.assert_close(slopes[1:] / slopes[:-1], (2 ** (-8 / 12) * torch.ones(11)))
    assert slopes[-1].item() == pytest.approx(2**-8)
    with pytest.raises(ConfigError, match="at least 1"):
        alibi_slopes(0)


def test_a_linear_bias_falls_with_distance() -> None:
    bias = alibi_bias(7, 0.25)
    for i in range(7):
        for j in range(7):
            assert bias[i, j].item() == -0.25 * abs(i - j)


@pytest.mark.parametrize(("n_buckets", "max_distance"), [(32, 128), (16, 50), (8, 16), (4, 7)])
@pytest.mark.parametrize("causal", [False, True])
def test_buckets_are_those_of_t5(n_buckets: int, max_distance: int, causal: bool) -> None:
    from transformers.models.t5.modeling_t5 import T5Attention

    n = 150
    distance = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    expected = T5Attention._relative_position_bucket(
        distance, bidirectional=not causal, num_buckets=n_buckets, max_distance=max_distance
    )
    assert torch.equal(relative_buckets(n, n_buckets, max_distance, causal), expected)


@pytest.mark.parametrize(("given", "words"), [({"n_buckets": 6}, "multiple of 4"), ({"max_distance": 8}, "at least 9")])
def test_buckets_that_cannot_be_are_refused(given: dict[str, int], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        relative_buckets(10, **given)
