"""W_Q, W_K and W_V of a layer make its q, k and v of what it reads, or they are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from attnviz import locale
from attnviz.errors import ModelChanged
from attnviz.huggingface import trace_inputs, wrap
from attnviz.huggingface.sample import sample
from attnviz.trace import AttentionSite, LayerInputs, Trace
from attnviz.view.payload import bundle, overview
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.sweep import build

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}
IDS = {"input_ids": torch.tensor([[5, 9, 30, 4, 7, 11]])}


def traced(network: Any) -> Trace:
    model = wrap(network)
    with model.running():
        inputs, _ = sample(network, model.parameters, "tiny")
    return trace_inputs(model, inputs)


def made(site: AttentionSite, read: LayerInputs, head: int) -> tuple[Tensor, Tensor, Tensor]:
    weights = site.input_weights(head)
    assert weights is not None
    biases = [0.0 if bias is None else bias for bias in weights[3:]]
    return tuple(
        x @ weight + bias
        for x, weight, bias in zip((read.x, read.memory, read.memory), weights[:3], biases, strict=True)
    )  # type: ignore[return-value]


@pytest.mark.parametrize("name", ["GPT-2", "BERT", "T5", "BART", "ViT", "Wav2Vec2"])
def test_the_matrices_make_q_k_and_v_of_what_the_layer_reads(name: str) -> None:
    trace = traced(BUILD[name]())
    inputs = trace.forward_pass.inputs()
    for site in trace.sites:
        assert site.projection is not None
        assert site.no_inputs == ""
        for head in range(site.n_heads):
            group = site.group(head)
            parts = zip(made(site, inputs[site.name], head), (site.q[head], site.k[group], site.v[group]), strict=True)
            for one, own in parts:
                torch.testing.assert_close(one, own, atol=1e-5, rtol=1e-4)
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5


@pytest.mark.parametrize(
    ("name", "qk_norm"),
    [
        ("Llama", False),
        ("Phi", False),
        ("Phi-3", False),
        ("GPT-NeoX", False),
        ("gpt-oss", False),
        ("SmolLM3", False),
        ("Qwen3", True),
        ("OLMo 2", True),
        ("Gemma 3", True),
    ],
)
def test_rotated_and_normed_queries_and_keys_are_made_before_that(name: str, qk_norm: bool) -> None:
    network = BUILD[name]()
    own: dict[str, list[Tensor]] = {}
    handles = [
        module.register_forward_hook(lambda _, args, output, path=path: own.setdefault(path, []).append(output[0]))
        for path, module in network.named_modules()
        if path.endswith(("q_proj", "qkv_proj", "query_key_value"))
    ]
    with torch.inference_mode():
        network(**IDS)
    for handle in handles:
        handle.remove()
    trace = trace_inputs(wrap(network), IDS)
    inputs = trace.forward_pass.inputs()
    for site, outputs in zip(trace.sites, own.values(), strict=True):
        assert site.projection is not None
        assert site.projection.qk_norm == qk_norm
        for head in range(site.n_heads):
            q, _, v = made(site, inputs[site.name], head)
            torch.testing.assert_close(v, site.v[site.group(head)], atol=1e-5, rtol=1e-4)
            width = site.d_head
            first = 3 * width * head if name == "GPT-NeoX" else width * head
            torch.testing.assert_close(q, outputs[0][:, first : first + width], atol=1e-5, rtol=1e-4)


def wrapped(network: Any) -> None:
    class Wrapper(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor) -> Any:
            return self.inner(x) * 1.01

    layer = network.model.layers[0].self_attn
    layer.q_proj = Wrapper(layer.q_proj)


def clamped(network: Any) -> None:
    """Writes into what the linear layer made, after it."""
    norm = network.model.layers[0].self_attn
    own = norm.v_proj.forward
    norm.v_proj.forward = lambda x: own(x).clamp_(-0.1, 0.1)


@pytest.mark.parametrize(
    ("name", "change", "letters"),
    [("OPT", lambda _: None, "Q"), ("Whisper", lambda _: None, "Q"), ("Llama", wrapped, "Q"), ("Llama", clamped, "V")],
)
def test_what_no_linear_layer_makes_is_refused_with_a_reason(
    name: str, change: Callable[[Any], None], letters: str
) -> None:
    network = BUILD[name]()
    change(network)
    trace = traced(network)
    site = trace.sites[0]
    assert site.input_weights(0) is None
    assert site.projection is None
    assert str(site.no_inputs) == locale.t("en", "error.why.not-projected", letters=letters)
    choice = {"site": 0, "head": 0, "query": None, "key": None, "locked": False}
    payload = overview(trace, choice=choice, lang="zh")
    header = json.loads(payload[8 : 8 + int.from_bytes(payload[4:8], "little")])
    assert header["sites"][0]["no_inputs"] == locale.t("zh", "error.why.not-projected", letters=letters)
    assert "w_q" not in header["sites"][0]["stages"]
    assert all(entry.exact for entry in trace.proof())


def test_a_layer_may_be_given_rotations_for_several_kinds_of_layers() -> None:
    trace = traced(build("deepseek_v4", "DeepseekV4ForCausalLM"))
    assert all(site.projection is None and site.no_inputs for site in trace.sites)  # it turns one tensor at a time
    assert all(entry.exact for entry in trace.proof())


def test_matrices_that_were_changed_are_not_mixed_with_the_trace() -> None:
    network = BUILD["BERT"]()
    trace = trace_inputs(wrap(network), IDS)
    assert b"encoder.0.self/0/w_q" in bundle(trace, "encoder.0.self", [0], ["w_q"])
    network.bert.encoder.layer[1].attention.self.key.weight.data.mul_(2)
    trace.sites[0].input_weights(0)
    with pytest.raises(ModelChanged, match=r"layer\.1\.attention\.self\.key"):
        trace.sites[1].input_weights(0)
