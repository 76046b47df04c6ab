"""The search for a token: the places are those that a head reads most, over all texts."""

from __future__ import annotations

import pytest
import torch

import attnviz
from attnviz.errors import NoTexts
from attnviz.heads import reads_of

TEXTS = ["a b c d a b c d", "e f g e f g", "b a d b a d b"]
SITE = "decoder.1.self"


def test_places_are_those_that_are_read_most_over_all_texts() -> None:
    model = attnviz.load_model("zoo/induction")
    found = reads_of(model, "b", SITE, 0, TEXTS)
    expected = []
    for index, text in enumerate(TEXTS):
        trace = attnviz.trace(model, text)
        weights = trace.site(SITE).weights(0)
        weights[0] = -1  # it may read one key alone
        for key, label in enumerate(trace.sequences["decoder"].labels):
            if label == "b":
                weight, query = torch.max(weights[:, key], 0)
                expected.append((index, int(query), key, float(weight)))
    expected.sort(key=lambda place: -place[3])
    assert [tuple(place) for place in found.places] == expected
    assert (found.n_texts, found.n_places) == (3, len(expected))
    assert set(found.labels) == {0, 2}
    assert found.labels[2][1] == tuple("badbadb")
    best = found.places[0]
    assert found.labels[best.text][0][best.query] in "ad"  # what stood before it: an induction head
    assert [tuple(place) for place in reads_of(model, "b", SITE, 0, TEXTS, most=2).places] == expected[:2]


def test_a_token_may_be_nowhere_and_a_head_must_be_somewhere() -> None:
    model = attnviz.load_model("zoo/induction")
    nowhere = reads_of(model, "q", SITE, 0, TEXTS)
    assert (nowhere.places, nowhere.n_places, nowhere.labels, nowhere.n_texts) == ([], 0, {}, 3)
    for site, head in (("decoder.7.self", 0), (SITE, 1), (SITE, -1)):
        with pytest.raises(KeyError, match="no head"):
            reads_of(model, "b", site, head, TEXTS)
    with pytest.raises(NoTexts):
        reads_of(model, "b", SITE, 0, [])


def test_texts_come_along_and_progress_is_told() -> None:
    steps: list[tuple[int, int]] = []
    found = reads_of(attnviz.load_model("zoo/reverse"), "c", "encoder.0.self", 0, progress=lambda *at: steps.append(at))
    assert found.places
    assert steps[-1] == (found.n_texts - 1, found.n_texts)
    place = found.places[0]
    assert found.labels[place.text][1][place.key] == "c"
