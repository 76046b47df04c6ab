"""A trace is of one model: of one that was changed since, nothing is computed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import attnviz
from attnviz.errors import ModelChanged
from attnviz.huggingface import HuggingFaceModel, trace_generated, trace_inputs, wrap
from attnviz.trace import Trace
from tests.huggingface.architectures import ARCHITECTURES

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}
IDS = {"input_ids": torch.tensor([[5, 9, 30, 4, 7, 11]])}

Change = Callable[[Any], None]


def trained(network: Any) -> None:
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    network(**IDS, labels=IDS["input_ids"]).loss.backward()
    optimizer.step()
    network.eval()


def trained_fused(network: Any) -> None:
    optimizer = torch.optim.Adam(network.parameters(), 1e-2, fused=True)
    network(**IDS, labels=IDS["input_ids"]).loss.backward()
    optimizer.step()


def loaded(network: Any) -> None:
    network.load_state_dict({name: 1.1 * tensor for name, tensor in network.state_dict().items()})


def edited(network: Any) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1


def edited_data(network: Any) -> None:
    for parameter in network.parameters():
        parameter.data.add_(0.1)


def replaced(network: Any) -> None:
    for module in network.modules():
        if hasattr(module, "weight"):
            module.weight = nn.Parameter(module.weight.detach() * 1.1)


def swapped_data(network: Any) -> None:
    for parameter in network.parameters():
        parameter.data = parameter.data * 1.1


def doubled(network: Any) -> None:
    network.double()


CHANGES: list[Change] = [trained, trained_fused, loaded, edited, edited_data, replaced, swapped_data, doubled]
LOOKS: dict[str, Callable[[Trace], object]] = {
    "logits": lambda trace: trace.logits,
    "top": lambda trace: trace.top_outputs(3),
    "inputs": lambda trace: trace.inputs(trace.sites[-1].name),
    "proof": lambda trace: trace.proof(),
    "output": lambda trace: trace.sites[-1].output(0),
    "chain": lambda trace: trace.sites[-1].chain(0).output,
}


def same(one: object, two: object) -> bool:
    if isinstance(one, Tensor) and isinstance(two, Tensor):
        return bool(torch.allclose(one, two, atol=1e-5, rtol=1e-5))
    if isinstance(one, tuple) and isinstance(two, tuple):
        return all(same(a, b) for a, b in zip(one, two, strict=True))
    return one is None and two is None


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("name", ["GPT-2", "Llama", "BERT", "Gemma 2"])
def test_numbers_are_those_of_the_traced_model_or_none(name: str, change: Change) -> None:
    network = BUILD[name]()
    untouched = trace_inputs(wrap(copy.deepcopy(network)), IDS)
    traces = {look: trace_inputs(wrap(network), IDS) for look in LOOKS}  # none is looked at before the change
    change(network)
    for look, trace in traces.items():
        try:
            after = LOOKS[look](trace)
        except ModelChanged as error:
            assert "Trace it again" in str(error), look  # noqa: PT017
        else:
            assert same(LOOKS[look](untouched), after), look
    if change is not doubled:
        again = trace_inputs(wrap(network), IDS)
        assert all(entry.exact for entry in again.proof())
        for number in LOOKS.values():
            number(again)


def test_what_was_looked_at_before_stays() -> None:
    network = BUILD["GPT-2"]()
    trace = trace_inputs(wrap(network), IDS)
    logits, output, x = trace.logits.clone(), trace.sites[0].output(0).clone(), trace.inputs("decoder.0.self")
    trained(network)
    assert torch.equal(trace.logits, logits)
    assert torch.equal(trace.sites[0].output(0), output)
    assert trace.inputs("decoder.0.self") is x


def one_row(network: Any) -> None:
    network.transformer.h[1].attn.c_proj.weight.data[5] = 0


def one_output(network: Any) -> None:
    network.lm_head.weight.data[50, 7] += 1


def last_norm(network: Any) -> None:
    network.transformer.ln_f.bias.data[3] += 1


def one_neuron(network: Any) -> None:
    network.transformer.h[1].mlp.c_fc.weight.data[:, 3] = 7


def scaling(network: Any) -> None:
    network.transformer.h[0].attn.scaling = 2.0


def forward(network: Any) -> None:
    own = network.transformer.h[0].mlp.forward
    network.transformer.h[0].mlp.forward = lambda x: 2 * own(x)


@pytest.mark.parametrize(
    ("change", "looks"),
    [
        (one_row, ["output"]),
        (one_output, ["logits", "top"]),
        (last_norm, ["inputs", "proof"]),
        (one_neuron, ["inputs", "proof"]),
        (scaling, ["inputs", "proof"]),
        (forward, ["inputs", "proof"]),
    ],
)
def test_small_edits_that_nobody_counts_are_noticed(change: Change, looks: list[str]) -> None:
    for look in looks:
        network = BUILD["GPT-2"]()
        trace = trace_inputs(wrap(network), IDS)
        change(network)
        with pytest.raises(ModelChanged):
            LOOKS[look](trace)


def test_edits_before_the_trace_are_part_of_it() -> None:
    network = BUILD["GPT-2"]()
    model = wrap(network)
    trace_inputs(model, IDS)
    for change in (edited_data, trained, replaced):
        change(network)
        trace = trace_inputs(model, IDS)
        with torch.inference_mode():
            own = network(**IDS).logits[0]
        torch.testing.assert_close(trace.logits, own, atol=1e-4, rtol=1e-4)
        trace.sites[1].output(0)
        assert all(entry.exact for entry in trace.proof())


def test_after_an_edit_that_nobody_counts_the_next_trace_works() -> None:
    network = BUILD["GPT-2"]()
    model = wrap(network)
    trace_inputs(model, IDS)
    one_output(network)
    with torch.inference_mode():
        own = network(**IDS).logits[0]
    for _ in range(2):
        trace = trace_inputs(model, IDS)
        try:
            torch.testing.assert_close(trace.logits, own, atol=1e-4, rtol=1e-4)
        except ModelChanged:  # the first trace cannot know whether it was before or after the edit
            continue
    torch.testing.assert_close(trace.logits, own, atol=1e-4, rtol=1e-4)


def test_a_bias_behind_the_unembedding_is_noticed() -> None:
    network = BUILD["BART"]()
    model = wrap(network)
    inputs = {**IDS, "decoder_input_ids": torch.tensor([[3, 7, 8]])}
    trace_inputs(model, inputs)
    network.final_logits_bias += 2.0  # zero until now
    with torch.inference_mode():
        own = network(**inputs).logits[0]
    torch.testing.assert_close(trace_inputs(model, inputs).logits, own, atol=1e-4, rtol=1e-4)


def test_sinks_and_inputs_are_those_of_the_time() -> None:
    network = BUILD["gpt-oss"]()
    inputs = {"input_ids": IDS["input_ids"].clone()}
    trace = trace_inputs(wrap(network), inputs)
    before = trace.sites[0].weights(1).clone()
    with torch.no_grad():
        network.model.layers[0].self_attn.sinks += 3
    assert torch.equal(trace.sites[0].weights(1), before)
    fresh = trace_inputs(wrap(network), inputs)
    inputs["input_ids"][0, 0] = 50
    assert all(entry.exact for entry in fresh.proof())


def test_a_generated_trace_is_of_one_model_too() -> None:
    network = BUILD["Llama"]()
    network.generation_config.eos_token_id = None
    trace = trace_generated(wrap(network), IDS, 4)
    edited_data(network)
    for look in ("proof", "output", "logits"):
        with pytest.raises(ModelChanged):
            LOOKS[look](trace)


def test_evaluation_and_training_mode_are_no_change() -> None:
    network = BUILD["BERT"](hidden_dropout_prob=0.5)
    trace = trace_inputs(wrap(network), IDS)
    network.train()
    assert all(entry.exact for entry in trace.proof())
    assert trace.logits.shape == (6, 97)


OWN = ["zoo/reverse", "zoo/dates", "zoo/sentiment-en", "zoo/translation-lstm", "zoo/series"]
TEXTS = {
    "zoo/reverse": "g f e d c",
    "zoo/dates": "3rd of March 2021",
    "zoo/sentiment-en": "the film was not good",
    "zoo/translation-lstm": "the teacher looked at the book .",
    "zoo/series": "0.1 0.5 0.2 0.4 0.1 0.5 0.2 0.4",
}


def own(name: str) -> tuple[Any, str]:
    model = attnviz.load_model(name)
    assert not isinstance(model, HuggingFaceModel)
    model = copy.deepcopy(model)
    task = TEXTS[name]
    return model, task


OWN_LOOKS: dict[str, Callable[[Trace], object]] = {
    **LOOKS,
    "states": lambda trace: tuple(tensor for layer in trace.states() for tensor in layer.parts.values()),
    "weights": lambda trace: trace.sites[-1].weights(0),
}


@pytest.mark.parametrize("change", [loaded, edited, edited_data, replaced], ids=lambda change: change.__name__)
@pytest.mark.parametrize("name", OWN)
def test_our_own_models_likewise(name: str, change: Change) -> None:
    model, text = own(name)
    untouched = attnviz.trace(copy.deepcopy(model), text, target=None)
    lacks = {"top"} if model.config.predicts == "values" else set()
    lacks |= {"output"} if untouched.sites[-1].w_o is None else set()
    traces = {look: attnviz.trace(model, text, target=None) for look in OWN_LOOKS.keys() - lacks}
    change(model.network)
    for look, trace in traces.items():
        try:
            after = OWN_LOOKS[look](trace)
        except ModelChanged:
            continue
        assert same(OWN_LOOKS[look](untouched), after), look


def test_two_looks_at_once_change_nothing() -> None:
    model = wrap(BUILD["BERT"]())
    traces = [trace_inputs(model, IDS) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        looks = [threads.submit(trace.proof) for trace in traces]
        looks += [threads.submit(trace.inputs, trace.sites[0].name) for trace in traces]
        for look in looks:
            look.result()
