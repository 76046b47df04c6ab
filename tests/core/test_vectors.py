"""Numbers as text: what is written is read again, and what cannot be read is named."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attnviz.errors import ConfigError, EmptyText, NotNumbers
from attnviz.vectors import NUMBER_ID, Vectors, reader_from_dict
from tests.refused import refused

SERIES = Vectors("series", low=-5, high=5)
PATCHES = Vectors("patches", grid=(2, 3), patch=(1, 2), decimals=4, add_bos=True)
FRAMES = Vectors("frames", bands=3, add_bos=True)


@given(st.lists(st.lists(st.integers(0, 100), min_size=3, max_size=3), min_size=1, max_size=9))
def test_what_is_written_is_read_again(hundredths: list[list[int]]) -> None:
    features = torch.cat((torch.zeros(1, 3), torch.tensor(hundredths) / 100))
    ids = [FRAMES.bos_id] + [NUMBER_ID] * len(hundredths)
    text = FRAMES.decode(ids, features)
    assert FRAMES.encode(text) == ids
    assert torch.equal(FRAMES.features(text), features)


def test_without_bos_there_is_no_row_of_zeros() -> None:
    assert SERIES.encode("1 -2.5 0") == [NUMBER_ID] * 3
    assert SERIES.features("1 -2.5 0").tolist() == [[1], [-2.5], [0]]


def test_zero_is_written_without_a_sign_or_point() -> None:
    assert SERIES.decode([3, 3, 3], torch.tensor([[-0.001], [10.0], [0.0]])) == "0 10 0"
    assert Vectors("series", high=20, decimals=0).decode([3, 3], torch.tensor([[10.0], [0.4]])) == "10 0"


def test_white_space_behind_commas_is_no_end_of_a_token() -> None:
    assert FRAMES.features("0, .5,1\n 1 ,0,0").tolist() == [[0, 0, 0], [0, 0.5, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("vectors", "text", "error"),
    [
        (SERIES, "1 two 3", NotNumbers("two", 2, 1, -5, 5)),
        (SERIES, "1 5.01", NotNumbers("5.01", 2, 1, -5, 5)),
        (SERIES, "nan", NotNumbers("nan", 1, 1, -5, 5)),
        (SERIES, "1e999", NotNumbers("1e999", 1, 1, -5, 5)),
        (SERIES, "1,2", NotNumbers("1,2", 1, 1, -5, 5)),
        (FRAMES, "0,0,0 0,0", NotNumbers("0,0", 2, 3, 0.0, 1.0)),
        (FRAMES, "0,,0", NotNumbers("0,,0", 1, 3, 0.0, 1.0)),
    ],
)
def test_what_cannot_be_read_is_named(vectors: Vectors, text: str, error: NotNumbers) -> None:
    with refused(error):
        vectors.encode(text)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_nothing_is_not_read(text: str) -> None:
    with pytest.raises(EmptyText):
        SERIES.features(text)


def test_labels() -> None:
    assert SERIES.labels([3, 3], torch.tensor([[1.0], [-0.25]])) == ("1", "-0.25")
    assert PATCHES.labels([1, 3, 3, 3, 3], torch.zeros(5, 2)) == ("<bos>", "1,1", "1,2", "1,3", "2,1")
    assert FRAMES.labels([1, 3, 3], torch.zeros(3, 3)) == ("<bos>", "1", "2")


def test_a_picture_is_put_together() -> None:
    features = PATCHES.features("0,.1 .2,.3 .4,.5 .6,.7 .8,.9 1,1")
    expected = torch.tensor([[0, 0.1, 0.2, 0.3, 0.4, 0.5], [0.6, 0.7, 0.8, 0.9, 1, 1]])
    assert torch.equal(PATCHES.picture(features), expected)


@pytest.mark.parametrize("vectors", [SERIES, PATCHES, FRAMES])
def test_it_survives_json(vectors: Vectors) -> None:
    assert reader_from_dict(json.loads(json.dumps(vectors.to_dict()))) == vectors


def test_a_layout_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="layout is words; choose one of 'series', 'patches', 'frames'"):
        Vectors("words")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="two whole numbers each for patches"):
        Vectors("patches", grid=(2, 2))
    with pytest.raises(ConfigError, match="two whole numbers each for patches"):
        Vectors("series", patch=(2, 2))
