"""Recording leaves a model as it was, belongs to its thread, and refuses what cannot be shown truly."""

from __future__ import annotations

import copy
import inspect
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from torch import nn
from transformers import AttentionInterface
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

import attnviz
from attnviz.errors import (
    AttentionDiffers,
    AttentionHidden,
    AttentionUnseen,
    CannotShow,
    ModelFailed,
    NotAModel,
    OutOfMemory,
)
from attnviz.huggingface import trace_inputs, wrap
from attnviz.huggingface.interface import listening
from tests.huggingface.architectures import ARCHITECTURES, SMALL

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}
IDS = {"input_ids": torch.tensor([[5, 9, 30, 4, 7]])}


def state(model: nn.Module) -> dict[str, Any]:
    """Everything of a model that recording might have touched."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_forward_hooks_with_kwargs")
    return {
        "config": copy.deepcopy(model.config.to_dict()),
        "implementation": model.config._attn_implementation,
        "hooks": [len(getattr(module, hook)) for module in model.modules() for hook in hooks],
        "training": [module.training for module in model.modules()],
        "attributes": [sorted(vars(module)) for module in model.modules()],
        "weights": [parameter.sum().item() for parameter in model.parameters()],
        "interface": AttentionInterface.get_interface,
        "functions": dict(ALL_ATTENTION_FUNCTIONS),
    }


@pytest.mark.parametrize("name", ["GPT-2", "BERT", "T5", "CLIP", "Gemma 2"])
def test_a_model_comes_back_unchanged(name: str) -> None:
    network = BUILD[name]()
    network.train()
    before = state(network)
    from attnviz.huggingface.sample import sample

    model = wrap(network)
    trace = trace_inputs(model, sample(network, model.parameters)[0])
    trace.proof()
    trace.inputs(trace.sites[0].name)
    assert state(network) == before


def test_a_model_comes_back_unchanged_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    network = BUILD["GPT-2"]()
    model = wrap(network)
    trace_inputs(model, IDS)
    network.train()
    before = state(network)
    with monkeypatch.context() as patch:
        patch.setattr(network.transformer.h[1].mlp, "forward", lambda x: 1 / 0)
        with pytest.raises(ModelFailed, match="division by zero"):
            trace_inputs(model, IDS)
    assert state(network) == before
    assert len(trace_inputs(model, IDS).sites) == 2


def test_outputs_are_those_of_an_evaluated_model_even_while_training() -> None:
    network = BUILD["GPT-2"](attn_pdrop=0.5, resid_pdrop=0.5)
    own = network(**IDS).logits[0]
    network.train()
    trace = trace_inputs(wrap(network), IDS)
    torch.testing.assert_close(trace.logits, own.detach(), atol=1e-5, rtol=1e-5)
    assert trace.logits.shape == (5, 97)


def test_two_threads_record_each_their_own() -> None:
    network = BUILD["Llama"]()
    model = wrap(network)
    texts = [torch.randint(4, 97, (1, length)) for length in (5, 9, 7, 11)] * 4
    alone = [trace_inputs(model, {"input_ids": ids}) for ids in texts]
    found: list[Any] = [None] * len(texts)
    plain: list[torch.Tensor] = []
    done = threading.Event()

    def run(index: int) -> None:
        found[index] = trace_inputs(model, {"input_ids": texts[index]})

    def run_plainly() -> None:  # not recorded, and not disturbed
        with torch.inference_mode():
            while not done.is_set():
                plain.append(network(**IDS).logits)

    other = threading.Thread(target=run_plainly)
    other.start()
    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    other.join()
    assert plain
    assert all(torch.equal(logits, plain[0]) for logits in plain)
    for one, two in zip(alone, found, strict=True):
        assert [site.q.shape for site in one.sites] == [site.q.shape for site in two.sites]
        assert all(torch.equal(a.q, b.q) and torch.equal(a.k, b.k) for a, b in zip(one.sites, two.sites, strict=True))


def test_a_model_that_runs_elsewhere_is_understood_all_the_same() -> None:
    network = BUILD["GPT-2"]()
    done, started = threading.Event(), threading.Event()

    def run_plainly() -> None:
        with torch.inference_mode():
            while not done.is_set():
                network(**IDS)
                started.set()

    other = threading.Thread(target=run_plainly)
    other.start()
    started.wait()
    structures = [wrap(BUILD["GPT-2"]()).structure, wrap(network).structure]
    done.set()
    other.join()
    assert [structure.ends_plainly for structure in structures] == [True, True]
    assert list(structures[0].places) == list(structures[1].places)


def test_the_interface_is_its_own_again_when_nobody_listens() -> None:
    own = AttentionInterface.get_interface
    with listening(lambda call, context: None):
        with listening(lambda call, context: None):
            assert AttentionInterface.get_interface is not own
        assert AttentionInterface.get_interface is not own
    assert AttentionInterface.get_interface is own


@pytest.mark.parametrize("name", ["GPT-2", "BERT", "Llama", "Gemma 2", "gpt-oss"])
def test_bfloat16_within_its_own_precision(name: str) -> None:
    trace = trace_inputs(wrap(BUILD[name]().to(torch.bfloat16)), IDS)
    assert trace.sites[0].q.dtype == torch.bfloat16
    assert trace.sites[0].weights(0).dtype == torch.float32
    proof = trace.proof()
    assert 1e-4 < max(entry.max_abs_error for entry in proof) < 4 * torch.finfo(torch.bfloat16).eps
    assert all(entry.exact for entry in proof)


def test_a_proof_finds_numbers_that_are_not_the_models() -> None:
    trace = trace_inputs(wrap(BUILD["BERT"]()), IDS)
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5
    wrong = replace(trace.sites[1], q=1.1 * trace.sites[1].q)
    first, second = trace.forward_pass.proof([trace.sites[0], wrong])
    assert first.max_abs_error < 1e-5
    assert first.exact
    assert not second.exact


def test_memory_is_that_of_queries_keys_and_values() -> None:
    network = BUILD["GPT-2"](n_layer=4)
    trace = trace_inputs(wrap(network), {"input_ids": torch.randint(4, 97, (1, 60))})
    qkv = sum(tensor.nbytes for site in trace.sites for tensor in (site.q, site.k, site.v))
    assert qkv < trace.nbytes <= 1.1 * qkv


def test_an_archive_holds_all_that_turns_scores_into_weights(tmp_path: Path) -> None:
    inputs = {"input_ids": torch.randint(4, 97, (1, 9)), "attention_mask": torch.tensor([[1] * 6 + [0] * 3])}
    trace = trace_inputs(wrap(BUILD["T5"]()), {**inputs, "decoder_input_ids": torch.tensor([[0, 7, 8]])})
    trace.to_npz(tmp_path / "t5.npz")
    with np.load(tmp_path / "t5.npz") as archive:
        site = trace.site("encoder.0.self")
        rules = json.loads(str(archive["contents"]))["sites"][site.name]
        scores = archive[f"{site.name}/q"] @ archive[f"{site.name}/k"].transpose(0, 2, 1) * rules["scale"]
        masked = np.where(archive[f"{site.name}/allowed"], scores + archive[f"{site.name}/bias"], -np.inf)
        weights = np.exp(masked - masked.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        np.testing.assert_allclose(weights, archive[f"{site.name}/weights"], atol=1e-5)
    trace = trace_inputs(wrap(BUILD["gpt-oss"]()), IDS)
    trace.to_npz(tmp_path / "oss.npz")
    with np.load(tmp_path / "oss.npz") as archive:
        assert archive["decoder.0.self/sinks"].shape == (4,)
        assert archive["logits"].shape == (5, 97)


def test_a_compiled_model_is_traced_as_what_it_was() -> None:
    network = BUILD["GPT-2"]()
    trace = attnviz.trace_inputs(torch.compile(network, backend="eager"), IDS)
    assert len(trace.sites) == 2


def test_what_is_no_model_of_transformers_is_refused() -> None:
    with pytest.raises(NotAModel, match="A model of attnviz or transformers is expected, not Linear"):
        attnviz.trace(nn.Linear(2, 2), "a")


OWN_WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "Deberta": ("deberta.encoder.layer.0.attention.self", SMALL),
    "DebertaV2": ("deberta.encoder.layer.0.attention.self", SMALL),
    "MPNet": ("mpnet.encoder.layer.0.attention.attn", SMALL),
    "Bloom": ("transformer.h.0.self_attention", {**SMALL, "n_layer": 2, "n_head": 4}),
    "GPTJ": ("transformer.h.0.attn", {"vocab_size": 97, "n_embd": 48, "n_layer": 2, "n_head": 4, "rotary_dim": 4}),
    "Falcon": ("transformer.h.0.self_attention", {**SMALL, "alibi": True}),
    "Mpt": ("transformer.blocks.0.attn", {"vocab_size": 97, "d_model": 48, "n_layers": 2, "n_heads": 4}),
    "XLNet": (
        "transformer.layer.0.rel_attn",
        {"vocab_size": 97, "d_model": 48, "n_layer": 2, "n_head": 4, "d_inner": 56},
    ),
    "Longformer": ("longformer.encoder.layer.0.attention.self", {**SMALL, "attention_window": 4}),
    "Mamba": ("backbone.layers.0.mixer", {"vocab_size": 97, "hidden_size": 48, "num_hidden_layers": 2}),
    "RecurrentGemma": ("model.layers.0.temporal_block.rg_lru", {**SMALL, "num_key_value_heads": 2, "lru_width": 48}),
    "Qwen3Next": (
        "model.layers.0.linear_attn",
        {
            **SMALL,
            "num_key_value_heads": 2,
            "head_dim": 12,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "linear_key_head_dim": 8,
            "linear_value_head_dim": 8,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 16,
            "shared_expert_intermediate_size": 16,
            "layer_types": ["linear_attention", "full_attention"],
        },
    ),
}


@pytest.mark.parametrize("name", OWN_WAYS)
def test_attention_off_the_interface_is_refused_by_layer(name: str) -> None:
    layer, values = OWN_WAYS[name]
    kind = next(
        getattr(hf, f"{name}{ending}")
        for ending in ("ForMaskedLM", "ForCausalLM", "LMHeadModel")
        if hasattr(hf, f"{name}{ending}")
    )
    network = kind(getattr(hf, f"{name}Config")(**values)).eval()
    if "ALL_ATTENTION_FUNCTIONS" in inspect.getsource(type(network.get_submodule(layer))):  # in this version of theirs
        assert all(entry.exact for entry in trace_inputs(wrap(network), IDS).proof())
        return
    with pytest.raises(CannotShow) as caught:
        trace_inputs(wrap(network), IDS)
    assert isinstance(caught.value, AttentionHidden)
    assert caught.value.details["layer"] == layer
    assert layer in str(caught.value)


def test_weights_that_cannot_be_computed_again_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network = BUILD["BERT"]()
    attention = network.bert.encoder.layer[1].attention.self

    def sharper(module: nn.Module, query: Any, key: Any, value: Any, mask: Any, **kwargs: Any) -> Any:
        twist = 2.0 if module is attention else 1.0  # something that no argument tells
        return ALL_ATTENTION_FUNCTIONS["sdpa"](module, query * twist, key, value, mask, **kwargs)

    AttentionInterface.register("sharper", sharper)
    try:
        network.config._attn_implementation = "sharper"
        with pytest.raises(AttentionDiffers, match=r"bert\.encoder\.layer\.1\.attention\.self"):
            trace_inputs(wrap(network), IDS)
    finally:
        AttentionInterface._global_mapping.pop("sharper")


def test_a_model_without_attention_is_refused() -> None:
    network = hf.ResNetForImageClassification(
        hf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1], image_size=16, patch_size=4)
    )
    with pytest.raises(AttentionUnseen, match="ResNetForImageClassification"):
        trace_inputs(wrap(network), {"pixel_values": torch.zeros(1, 3, 16, 16)})


def test_out_of_memory_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    network = BUILD["GPT-2"]()
    model = wrap(network)
    trace_inputs(model, IDS)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: ...")

    monkeypatch.setattr(network.transformer, "forward", fail)
    with pytest.raises(OutOfMemory, match="not enough memory"):
        trace_inputs(model, IDS)
