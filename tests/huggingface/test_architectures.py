"""Every supported architecture: the weights recomputed from a trace are those of the model's own eager attention."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AttentionInterface

from attnviz.huggingface import HuggingFaceModel, trace_generated, trace_inputs, wrap
from attnviz.huggingface.sample import sample
from attnviz.trace import AttentionSite, Trace
from tests.huggingface.architectures import ARCHITECTURES, Architecture

LIMIT = 1e-5
BY_NAME = {architecture.name: architecture for architecture in ARCHITECTURES}
RETURNED = ("encoder", "decoder", "encoder-decoder", "vision", "two encoders")  # kinds that return their weights
TEXTS = [a.name for a in ARCHITECTURES if a.kind in ("encoder", "decoder", "encoder-decoder") and a.name != "Whisper"]
WRITERS = [a.name for a in ARCHITECTURES if a.kind in ("decoder", "encoder-decoder") and a.name != "Whisper"]


def eager(model: Any) -> Any:
    other = copy.deepcopy(model)
    other.set_attn_implementation("eager")
    return other


def eager_calls(model: Any, inputs: Mapping[str, Tensor]) -> list[Tensor]:
    """The weights that each call of the model's eager attention gave, in their order: (B, H, Tq, Tk) each."""
    network, made = eager(model), []

    def ask(interface: Any, name: str, default: Any) -> Any:
        def attend(*args: Any, **kwargs: Any) -> Any:
            context, weights = default(*args, **kwargs)
            made.append(weights)
            return context, weights

        return attend

    with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
        patch.setattr(AttentionInterface, "get_interface", ask)
        network(**inputs)
    return made


def own_weights(model: Any, inputs: Mapping[str, Tensor]) -> list[Tensor]:
    """What the model's eager attention returns, in the order of the sites: (B, H, Tq, Tk) each."""
    network, heard = eager(model), []
    for module in network.modules():
        if type(module).__name__ == "SwinAttention":  # the model itself returns one layer of each stage only
            module.register_forward_hook(lambda _, args, output: heard.append(output[1]))
    with torch.inference_mode():
        output = network(**inputs, output_attentions=True)
    if heard:  # one site a window, windows in the batch
        return [window[None] for weights in heard for window in weights]
    if hasattr(output, "vision_model_output"):
        return [*output.text_model_output.attentions, *output.vision_model_output.attentions]
    if getattr(output, "cross_attentions", None):
        pairs = zip(output.decoder_attentions, output.cross_attentions, strict=True)
        return [*output.encoder_attentions, *(weights for pair in pairs for weights in pair)]
    return list(output.attentions)


def check(site: AttentionSite, own: Tensor, valid: Tensor | None = None) -> None:
    """Every head of a site against (H, Tq, Tk), in the rows of real queries."""
    rows = slice(None) if valid is None else valid.bool()
    for head in range(site.n_heads):
        error = (site.weights(head)[rows] - own[head][rows]).abs().max()
        assert error <= LIMIT, f"{site.name}, head {head}: {error:.1e}"


def ordered(trace: Trace) -> list[AttentionSite]:
    """Sites in the order of `own_weights`: text before vision."""
    return sorted(trace.sites, key=lambda site: site.stack == "vision")


def given(
    architecture: Architecture, model: HuggingFaceModel, padding: str | None, length: int = 11
) -> dict[str, Tensor]:
    """Two rows of random ids, the second one padded."""
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(4, 97, (2, length), generator=generator)
    mask = torch.ones_like(ids)
    if padding is not None:
        where = slice(-4, None) if padding == "right" else slice(0, 4)
        mask[1, where] = 0
        ids[1, where] = model.config.pad_token_id or 0
    inputs = {"input_ids": ids, "attention_mask": mask}
    if architecture.kind == "encoder-decoder":
        inputs["decoder_input_ids"] = torch.randint(4, 97, (2, 6), generator=generator)
    return inputs


@pytest.mark.parametrize("name", BY_NAME)
def test_weights_are_the_models_own(name: str) -> None:
    network = BY_NAME[name].build()
    model = wrap(network)
    inputs, _ = sample(network, model.parameters)
    trace = trace_inputs(model, inputs)
    own = own_weights(network, inputs) if BY_NAME[name].kind in RETURNED else eager_calls(network, inputs)
    assert len(own) == len(trace.sites)
    for site, weights in zip(ordered(trace) if BY_NAME[name].kind in RETURNED else trace.sites, own, strict=True):
        assert max(float(site.weights(head).max()) for head in range(site.n_heads)) > 1.3 / site.k.shape[1]
        check(site, weights[0])
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5
    assert all(site.w_o is not None for site in trace.sites)


@pytest.mark.parametrize("padding", ["right", "left"])
@pytest.mark.parametrize("name", TEXTS)
def test_weights_with_padding(name: str, padding: str) -> None:
    network = BY_NAME[name].build()
    model = wrap(network)
    inputs = given(BY_NAME[name], model, padding)
    own = own_weights(network, inputs)
    for row in (0, 1):
        trace = trace_inputs(model, inputs, row)
        for site, weights in zip(trace.sites, own, strict=True):
            reads_text = site.queries != "decoder" or BY_NAME[name].kind == "decoder"
            check(site, weights[row], inputs["attention_mask"][row] if reads_text else None)
            if row and (site.keys == "encoder" or BY_NAME[name].kind == "decoder"):  # padding is never read
                padded = ~inputs["attention_mask"][1].bool()
                real = inputs["attention_mask"][1].bool() if reads_text else slice(None)
                assert site.weights(0)[real][:, padded].abs().max() == 0
        assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5


@pytest.mark.parametrize("padding", [None, "left"])
@pytest.mark.parametrize("name", WRITERS)
def test_weights_of_a_generated_continuation(name: str, padding: str | None) -> None:
    network = BY_NAME[name].build()
    network.generation_config.update(eos_token_id=None, forced_eos_token_id=None)
    model = wrap(network)
    inputs = given(BY_NAME[name], model, padding if BY_NAME[name].kind == "decoder" else None)
    inputs.pop("decoder_input_ids", None)
    row, new = 1, 6
    trace = trace_generated(model, inputs, new, row)
    with torch.inference_mode():
        output = eager(network).generate(
            **inputs, max_new_tokens=new, do_sample=False, output_attentions=True, return_dict_in_generate=True
        )
    assert output.sequences[row, :-1].tolist() == list(trace.token_ids)
    for site in trace.sites:
        if site.stack == "encoder":
            check(site, output.encoder_attentions[site.layer][row])
            continue
        if BY_NAME[name].kind == "decoder":
            steps = [step[site.layer][row] for step in output.attentions]
        else:
            by_kind = output.decoder_attentions if site.kind == "self" else output.cross_attentions
            steps = [step[site.layer][row] for step in by_kind]
        start = 0
        for own in steps:  # (H, queries of this step, keys of this step)
            queries = slice(start, start + own.shape[1])
            start += own.shape[1]
            first = 0 if site.kind == "cross" else max(0, start - own.shape[2])
            keys = slice(first, first + own.shape[2])
            valid = torch.ones(own.shape[1]) if start > own.shape[1] or site.kind == "cross" else None
            if valid is None and BY_NAME[name].kind == "decoder":
                valid = inputs["attention_mask"][row]
            for head in range(site.n_heads):
                rows = slice(None) if valid is None else valid.bool()
                error = (site.weights(head)[queries, keys][rows] - own[head][rows]).abs().max()
                assert error <= LIMIT, f"{site.name}, head {head}, {queries}: {error:.1e}"
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5
