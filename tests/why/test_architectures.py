"""Every supported architecture: which scores and logits are sums of what earlier parts wrote."""

from __future__ import annotations

import pytest
import torch

import attnviz
from attnviz.errors import NoProbabilities, NotSplit
from attnviz.huggingface import wrap
from attnviz.huggingface.sample import sample
from attnviz.trace import AttentionSite, Trace
from tests.huggingface.architectures import ARCHITECTURES, NO_SPLIT, held_to

BY_NAME = {architecture.name: architecture for architecture in ARCHITECTURES}


def traced(name: str, dtype: torch.dtype = torch.float32) -> Trace:
    """A trace whose norms and biases are no longer what a new model has."""
    network = BY_NAME[name].build()
    generator = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        if parameter.ndim == 1:
            parameter.data.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    model = wrap(network.to(dtype))
    inputs = sample(model.network, model.parameters)[0]
    return attnviz.trace_inputs(
        model, {key: one.to(dtype) if one.is_floating_point() else one for key, one in inputs.items()}
    )


@pytest.mark.parametrize("name", BY_NAME)
def test_every_architecture(name: str) -> None:
    trace = traced(name)
    for site in trace.sites[-2:]:
        n, m = site.q.shape[1], site.k.shape[1]
        keys = site.mask.allowed(n, m)[n - 1].nonzero().flatten().tolist()
        if name in NO_SPLIT["scores"]:
            with pytest.raises(NotSplit) as caught:
                trace.why(site.name, 1, n - 1, keys[0])
            assert caught.value.place == site.name
            continue
        found = trace.why(site.name, 1, n - 1, keys[len(keys) // 2])
        limits = held_to(name)
        assert found.proof.sum_error <= limits["sum error"]
        assert found.proof.linearity_error <= limits["linearity error"]
        for side, numbers in zip(found._split.sides.values(), (site.q, site.k), strict=True):
            assert torch.allclose(side.whole[side.row], numbers, rtol=1e-4, atol=1e-4)  # its norms computed anew
        check_one_key(trace, site)
        part = next((part for part in found.keys if part.kind == "head"), None)
        if part is not None:
            assert sum(one.share for one in found.sources(part)) == pytest.approx(part.share, abs=1e-3)
    check_logit(trace, name)
    check_lens(trace, name)


def check_one_key(trace: Trace, site: AttentionSite) -> None:
    """Nothing is above the mean where a query may read one key alone."""
    if site.mask.allowed(site.q.shape[1], site.k.shape[1])[0].sum() == 1:
        found = trace.why(site.name, 1, 0, 0)
        assert found.score == pytest.approx(found.row_mean, abs=1e-5)
        assert all(abs(part.share) <= 1e-5 for part in (*found.queries, *found.keys))
        assert all(abs(pair.share) <= 1e-5 for pair in found.pairs())


def check_lens(trace: Trace, name: str) -> None:
    if name in NO_SPLIT["lens"]:
        with pytest.raises((NotSplit, NoProbabilities)):
            trace.lens()
        return
    found = trace.lens(k=2)
    ids, probabilities = trace.top_outputs(2)
    assert found.ids.shape == found.probabilities.shape == (len(found.ids), *ids.shape)
    assert torch.allclose(found.probabilities[-1], probabilities, atol=1e-4)
    assert not torch.allclose(found.probabilities[0], probabilities, atol=1e-4)


def check_logit(trace: Trace, name: str) -> None:
    if name in NO_SPLIT["logits"]:
        with pytest.raises((NotSplit, NoProbabilities), match="gelu makes of it" if name == "BERT" else None):
            trace.logit_parts(-1)
        return
    found = trace.logit_parts(-1, 0, against=1)
    assert sum(part.share for part in found.parts) == pytest.approx(found.logit, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", ["GPT-2", "Llama", "BERT"])
def test_sixteen_bits_are_split_within_their_rounding(name: str) -> None:
    trace = traced(name, torch.bfloat16)
    found = trace.why(trace.sites[-1].name, 0, 4, 2)
    assert 1e-5 < found.proof.sum_error <= 0.02 < found.proof.limit


def test_padding_is_no_part_of_a_row() -> None:
    """A row of a padded batch is split as it is alone."""
    model = wrap(BY_NAME["GPT-2"].build())
    ids = torch.arange(5, 11)[None]
    alone = attnviz.trace_inputs(model, {"input_ids": ids}).why("decoder.1.self", 2, 5, 3)
    padded = torch.cat([torch.zeros(1, 2, dtype=torch.long), ids], 1)
    batch = {
        "input_ids": torch.cat([torch.arange(20, 28)[None], padded]),
        "attention_mask": torch.cat([torch.ones(1, 8), torch.tensor([[0.0] * 2 + [1.0] * 6])]).long(),
        "position_ids": torch.stack([torch.arange(8), torch.tensor([0, 0, *range(6)])]),
    }
    among = attnviz.trace_inputs(model, batch, row=1).why("decoder.1.self", 2, 7, 5)
    assert among.score == pytest.approx(alone.score, abs=1e-3)
    assert among.row_mean == pytest.approx(alone.row_mean, abs=1e-3)
    shares = [{part.name: part.share for part in one.keys} for one in (alone, among)]
    assert shares[0] == pytest.approx(shares[1], abs=1e-3)
