"""A trace tells what the model computed: exact, small, and only when asked."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import attnviz
from attnviz.attention import Mask
from attnviz.errors import EmptyText, ModelChanged, TargetNotAllowed, TextTooLong, UnknownSymbols
from attnviz.models import AttentionCall, SequenceModel
from attnviz.trace import AttentionSite
from attnviz.trace.site import Additive
from tests.refused import refused

Make = Callable[..., SequenceModel]
KINDS = [
    ("encoder", {}),
    ("decoder", {"positions": "rotary"}),
    ("decoder", {"norm": "post", "window": 3, "scoring": "dot"}),
    ("decoder", {"n_kv_heads": 2}),
    ("encoder-decoder", {"positions": "rotary", "n_kv_heads": 1}),
]


def take(model: SequenceModel) -> attnviz.Trace:
    return attnviz.trace(model, "abc hg fed" if model.source_tokenizer else "a b c d e", target=None)


@pytest.mark.parametrize(("architecture", "changes"), KINDS)
def test_every_site_recomputes_to_what_the_model_computed(
    make_model: Make, architecture: str, changes: dict[str, object]
) -> None:
    trace = take(make_model(architecture, **changes))
    proof = trace.proof()
    assert [entry.name for entry in proof] == [site.name for site in trace.sites]
    assert 0 < max(entry.max_abs_error for entry in proof) < 1e-6


@pytest.mark.parametrize(("architecture", "changes"), KINDS)
def test_logits_and_inputs_are_those_of_a_plain_forward_pass(
    make_model: Make, architecture: str, changes: dict[str, object]
) -> None:
    model = make_model(architecture, **changes)
    trace = take(model)
    source = None if trace.source_ids is None else torch.tensor([trace.source_ids])
    assert torch.equal(trace.logits, model.network(torch.tensor([trace.token_ids]), source)[0])
    site = trace.sites[-1]
    x, memory = trace.inputs(site.name)
    attention = model.network.decoder or model.network.encoder
    layer = attention.blocks[-1].cross_attention or attention.blocks[-1].attention
    n_q = site.n_heads * site.d_head
    q = x @ layer.project_in.weight[:n_q].T + layer.project_in.bias[:n_q]
    if not site.rotary or site.kind == "cross":
        torch.testing.assert_close(q.unflatten(-1, (site.n_heads, -1)).transpose(0, 1), site.q, atol=1e-5, rtol=1e-4)
    assert memory.shape == (site.k.shape[1], site.d_model)


def test_shapes_with_grouped_keys_and_values(make_model: Make) -> None:
    site = take(make_model(n_kv_heads=2)).sites[1]
    assert (site.name, site.layer, site.stack, site.kind, site.scoring) == (
        "decoder.1.self",
        1,
        "decoder",
        "self",
        "scaled_dot",
    )
    assert (site.n_heads, site.n_kv_heads) == (4, 2)
    assert (site.q.shape, site.k.shape, site.v.shape) == ((4, 6, 6), (2, 6, 6), (2, 6, 6))
    for name in ("scores", "scaled", "masked", "weights"):
        assert getattr(site, name)(3).shape == (6, 6)
        assert getattr(site, name)(3).dtype == torch.float32
    assert site.context(3).shape == (6, 6)
    assert site.output(3).shape == (6, 24)
    torch.testing.assert_close(site.scores(3), site.q[3] @ site.k[1].T)


def test_chain_equals_the_single_steps(make_model: Make) -> None:
    for site in take(make_model("encoder-decoder")).sites:
        chain = site.chain(2)
        for name in chain._fields:
            assert torch.equal(getattr(chain, name), getattr(site, name)(2)), name


@pytest.mark.parametrize("rows", [1, 2, 64])
@pytest.mark.parametrize(("architecture", "changes"), KINDS)
def test_blocks_of_all_heads_equal_the_heads_one_by_one(
    make_model: Make, architecture: str, changes: dict[str, object], rows: int
) -> None:
    for site in take(make_model(architecture, **changes)).sites:
        blocks = [weights.clone() for _, weights in site.weight_blocks(rows)]
        expected = torch.stack([site.weights(head) for head in range(site.n_heads)])
        torch.testing.assert_close(torch.cat(blocks, dim=1), expected, atol=1e-6, rtol=1e-5)


def test_causal_weights_are_zero_above_the_diagonal_and_rows_sum_to_one(make_model: Make) -> None:
    weights = take(make_model()).sites[0].weights(0)
    assert (weights.triu(1) == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(len(weights)))


def test_heads_outputs_and_bias_sum_to_the_layers_output(make_model: Make) -> None:
    model = make_model(n_layers=1)
    trace = take(model)
    calls: list[AttentionCall] = []
    model.network(torch.tensor([trace.token_ids]), record=calls.append)
    total = sum((trace.sites[0].output(h) for h in range(4)), start=calls[0].layer.project_out.bias)
    torch.testing.assert_close(total, calls[0].output[0], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("architecture", "changes"), KINDS)
def test_a_trace_holds_little_more_than_q_k_v(make_model: Make, architecture: str, changes: dict[str, object]) -> None:
    trace = take(make_model(architecture, **({"n_layers": 6} | changes)))
    qkv = sum(tensor.nbytes for site in trace.sites for tensor in (site.q, site.k, site.v))
    assert trace.nbytes - trace.forward_pass.nbytes == qkv


def test_the_model_is_left_as_it_was(make_model: Make) -> None:
    model = make_model()
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    take(model).proof()
    assert all(torch.equal(before[name], tensor) for name, tensor in model.network.state_dict().items())
    assert not any(module._forward_hooks for module in model.network.modules())


def test_proof_shows_numbers_that_are_not_the_models(make_model: Make) -> None:
    trace = take(make_model())
    first, second = trace.sites
    errors = trace.forward_pass.proof([first, replace(second, v=1.5 * second.v)])
    assert errors[0].max_abs_error < 1e-6
    assert errors[1].max_abs_error > 1e-3
    assert not errors[1].exact


def test_no_proof_of_a_model_that_was_changed_since(make_model: Make) -> None:
    model = make_model()
    trace = take(model)
    with torch.no_grad():
        model.network.decoder.blocks[1].attention.project_in.weight.mul_(1.5)  # type: ignore[union-attr]
    with pytest.raises(ModelChanged, match="project_in"):
        trace.proof()


def test_tokens_of_both_stacks_and_a_target_written_by_the_model(make_model: Make) -> None:
    model = make_model("encoder-decoder")
    own = attnviz.trace(model, "ab c", "b a")
    assert own.source_tokens == ("a", "b", " ", "c")
    assert own.tokens == ("<bos>", "b", "a")
    assert not own.target_generated
    assert own.site("decoder.0.cross").weights(0).shape == (3, 4)
    written = attnviz.trace(model, "ab c")
    assert written.target_generated
    assert written.target == attnviz.generate(model, "ab c")


@pytest.mark.parametrize("head", [-1, 4])
def test_a_head_that_does_not_exist_is_refused(make_model: Make, head: int) -> None:
    with pytest.raises(IndexError, match=rf"no head {head}: decoder\.0\.self has 4, counted from 0"):
        take(make_model()).sites[0].output(head)


def test_wrong_texts_are_refused(make_model: Make) -> None:
    model, both = make_model(), make_model("encoder-decoder")
    with pytest.raises(EmptyText):
        attnviz.trace(model, "  ")
    with pytest.raises(UnknownSymbols, match="'<script>'"):
        attnviz.trace(model, "a <script>")
    with pytest.raises(TextTooLong, match="100,001 tokens"):
        attnviz.trace(model, "a " * 100_000)
    with refused(TargetNotAllowed("decoder")):
        attnviz.trace(model, "a", "b")
    with refused(TextTooLong(18, 17)):
        attnviz.trace(both, "a" * 18)
    with refused(TextTooLong(14, 13)):
        attnviz.trace(both, "a", "a " * 13)
    with pytest.raises(UnknownSymbols, match="'z'"):
        attnviz.trace(both, "a", "z")
    with pytest.raises(KeyError, match=r"decoder\.0\.self, decoder\.1\.self"):
        attnviz.trace(model, "a").site("decoder.7.self")


def test_one_token_is_enough(make_model: Make) -> None:
    trace = attnviz.trace(make_model("encoder-decoder"), "a", "b")
    assert trace.sites[0].weights(0).tolist() == [[1.0]]


def test_npz_holds_everything(make_model: Make, tmp_path: Path) -> None:
    trace = take(make_model("encoder-decoder"))
    trace.to_npz(tmp_path / "trace.npz")
    with np.load(tmp_path / "trace.npz") as archive:
        assert tuple(archive["tokens"]) == trace.tokens
        assert tuple(archive["source_tokens"]) == trace.source_tokens
        np.testing.assert_array_equal(archive["logits"], trace.logits)
        for site in trace.sites:
            np.testing.assert_array_equal(archive[f"{site.name}/q"], site.q)
            np.testing.assert_array_equal(archive[f"{site.name}/weights"][1], site.weights(1))
        contents = json.loads(str(archive["contents"]))
    assert contents["text"] == "abc hg fed"
    assert contents["left_out"] == []


def test_npz_says_what_it_leaves_out(make_model: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[attnviz.Trace.__module__], "NPZ_LIMIT", 10)
    trace = take(make_model())
    trace.to_npz(tmp_path / "trace.npz")
    with np.load(tmp_path / "trace.npz") as archive:
        assert "decoder.0.self/q" in archive
        assert "decoder.0.self/weights" not in archive
        assert json.loads(str(archive["contents"]))["left_out"] == ["scores", "masked", "weights"]


def site(**changes: object) -> AttentionSite:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(n, t, 5, generator=generator) for n, t in ((4, 3), (2, 7), (2, 7)))
    w_o = torch.randn(20, 11, generator=generator)
    return AttentionSite("s", 0, "decoder", "cross", "decoder", "encoder", "scaled_dot", q, k, v, w_o, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"bias": torch.randn(4, 3, 7, generator=torch.Generator().manual_seed(1))},
        {"sinks": torch.arange(4.0)},
        {"mask": Mask(causal=True, keys=torch.arange(7) > 1)},
        {"mask": Mask(window=2, first_query=1)},
        {"mask": Mask(causal=True)},
        {"mask": Mask(causal=True, first_query=0)},
        {"mask": Mask(causal=True, first_query=-1)},  # a query before the first key reads nothing
        {"mask": Mask(pairs=torch.rand(3, 7, generator=torch.Generator().manual_seed(2)) > 0.5)},
        {"softcap": 0.5},
        {"additive": Additive(torch.ones(2, 5), torch.eye(5)[:2], torch.tensor([1.0, -2.0]))},
    ],
)
def test_blocks_know_every_kind_of_score(changes: dict[str, object]) -> None:
    plain = site(**changes)
    blocks = [weights.clone() for _, weights in plain.weight_blocks(rows=2)]
    torch.testing.assert_close(torch.cat(blocks, dim=1), torch.stack([plain.weights(head) for head in range(4)]))


def test_bias_softcap_sinks_and_additive_scoring_are_data() -> None:
    plain = site(scale=0.5)
    biased = site(scale=0.5, bias=torch.ones(1, 3, 7))
    torch.testing.assert_close(biased.scaled(1), plain.scaled(1) + 1)
    torch.testing.assert_close(biased.weights(1), plain.weights(1))
    assert site(softcap=0.1).scaled(0).abs().max() <= 0.1
    assert (site(sinks=torch.full((4,), 3.0)).weights(2).sum(-1) < 1).all()
    padded = site(mask=Mask(keys=torch.zeros(7, dtype=torch.bool)))
    assert (padded.output(0) == 0).all()
    w_q, w_k, w_v = torch.randn(3, 5), torch.randn(3, 5), torch.randn(3)
    additive = site(additive=Additive(w_q, w_k, w_v))
    expected = w_v @ torch.tanh(w_q @ additive.q[3, 2] + w_k @ additive.k[1, 6])
    torch.testing.assert_close(additive.scores(3)[2, 6], expected)
