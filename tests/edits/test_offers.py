"""The edits that each kind of model takes, and why not the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import transformers

import attnviz
from attnviz.edits import read_edits
from attnviz.edits.offers import offers
from attnviz.errors import EditMeansNothing, NoProbabilities
from attnviz.errors.base import Why
from attnviz.huggingface import wrap
from attnviz.huggingface.sample import sample
from attnviz.trace import Trace
from tests.huggingface.architectures import ARCHITECTURES

BY_NAME = {architecture.name: architecture for architecture in ARCHITECTURES}


def of_transformers(network: Any) -> Trace:
    model = wrap(network)
    return attnviz.trace_inputs(model, dict(sample(model.network, model.parameters)[0]))


def of_ours(name: str, text: str) -> Trace:
    return attnviz.trace(attnviz.load_model(f"zoo/{name}"), text)


MODELS: dict[str, tuple[Callable[[], Trace], dict[str, str]]] = {
    "an encoder without outputs": (
        lambda: of_transformers(transformers.BertModel(BY_NAME["BERT"].build().config)),
        {"no-mask": "no-mask", "effect": ""},
    ),
    "a vision model": (
        lambda: of_transformers(BY_NAME["ViT"].build()),
        {"no-positions": "positions-texts", "no-mask": "no-mask"},
    ),
    "two encoders": (
        lambda: of_transformers(BY_NAME["CLIP"].build()),
        {"no-positions": "positions-texts", "effect": ""},
    ),
    "no scale": (lambda: of_transformers(BY_NAME["T5"].build()), {"no-scale": "no-scale"}),
    "a causal decoder": (lambda: of_transformers(BY_NAME["GPT-2"].build()), {}),
    "a recurrent network": (
        lambda: of_ours("sentiment-far", "a good film"),
        {"no-positions": "no-positions", "no-mask": "no-mask", "no-scale": "no-scale"},
    ),
    "a recurrent network without attention": (
        lambda: of_ours("sentiment-far-last", "a good film"),
        {"no-positions": "no-positions"} | dict.fromkeys(("no-mask", "no-scale", "patch"), "no-attention"),
    ),
}


@pytest.mark.parametrize("kind", MODELS)
def test_each_kind_of_model_says_what_can_be_edited_and_why_not_the_rest(kind: str) -> None:
    make, reasons = MODELS[kind]
    trace = make()
    found = offers(trace)
    assert {name for name, offer in found.items() if offer.refused} == reasons.keys()
    for name, reason in reasons.items():
        refusal = found[name].refused
        if reason:
            assert isinstance(refusal, EditMeansNothing)
            assert repr(refusal) == repr(EditMeansNothing(refusal.place, Why(reason)))
        else:
            assert isinstance(refusal, NoProbabilities)
    for name in ("no-positions", "no-scale", "no-mask"):
        edits = read_edits(found[name].edits)
        assert bool(edits) is (name not in reasons)
        if edits:
            edited = trace.with_edits(edits)
            assert edited.edits, name
            assert max(entry.max_abs_error for entry in edited.proof()) <= 1e-5
