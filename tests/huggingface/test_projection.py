"""Head outputs are shares of what the layer itself gives, whatever module its W_O is, or they are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from transformers.pytorch_utils import Conv1D

from attnviz.errors import ModelChanged, NoHeadOutputs
from attnviz.huggingface import trace_generated, trace_inputs, wrap
from attnviz.trace import Trace
from tests.huggingface.architectures import ARCHITECTURES

BUILD = {architecture.name: architecture.build for architecture in ARCHITECTURES}
IDS = {"input_ids": torch.tensor([[5, 9, 30, 4, 7, 11]])}
WIDTH = 48


class LoRA(nn.Module):
    """As peft's: a linear layer, and a product of two small ones beside it."""

    def __init__(self, base: nn.Module, merged: bool = False) -> None:
        super().__init__()
        self.base_layer, self.merged = base, merged
        self.lora_A, self.lora_B = nn.Linear(WIDTH, 3, bias=False), nn.Linear(3, WIDTH, bias=False)
        self.scaling, self.disabled = 2.0, False
        if merged:
            with torch.no_grad():
                delta = self.scaling * self.lora_B.weight @ self.lora_A.weight
                base.weight += delta.T if isinstance(base, Conv1D) else delta

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.base_layer(x)
        if self.merged or self.disabled:
            return made
        return made + self.scaling * self.lora_B(self.lora_A(x))


class Scaled(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, hidden_states: Tensor) -> Tensor:
        made: Tensor = self.inner(hidden_states)
        return 0.3 * made


class OwnWeight(nn.Module):
    """A linear layer of no known kind, with weights in eight bits."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        scale = base.weight.abs().max() / 127
        self.codes = nn.Parameter((base.weight / scale).round().to(torch.int8), requires_grad=False)
        self.register_buffer("scale", scale.detach())

    def forward(self, x: Tensor) -> Tensor:
        return x @ (self.codes.to(x.dtype) * self.scale).T


class Bent(nn.Module):
    """Not linear: a small network beside the projection."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.down, self.up = inner, nn.Linear(WIDTH, 5), nn.Linear(5, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.inner(x) + self.up(torch.relu(self.down(x)))
        return made


class Positional(nn.Module):
    """Linear, in another way at each position."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.inner(x) * torch.arange(1, x.shape[1] + 1)[:, None]
        return made


PLACES: dict[str, Callable[[Any], tuple[nn.Module, str]]] = {
    "Llama": lambda network: (network.model.layers[0].self_attn, "o_proj"),
    "BERT": lambda network: (network.bert.encoder.layer[0].attention.output, "dense"),
    "GPT-2": lambda network: (network.transformer.h[0].attn, "c_proj"),
    "ALBERT": lambda network: (network.albert.encoder.albert_layer_groups[0].albert_layers[0].attention, "dense"),
    "OPT": lambda network: (network.model.decoder.layers[0].self_attn, "out_proj"),
}
BLOCKS: dict[str, Callable[[Any], nn.Module]] = {  # what gives the attention's output as it goes to the residual stream
    "Llama": lambda network: network.model.layers[0].self_attn,
    "GPT-2": lambda network: network.transformer.h[0].attn,
    "OPT": lambda network: network.model.decoder.layers[0].self_attn,
}


def hooked(inner: nn.Module) -> nn.Module:
    inner.register_forward_hook(lambda module, args, made: 2 * made + 1)
    return inner


def half_read(inner: nn.Module) -> nn.Module:
    def zeroed(module: nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
        return (torch.cat([args[0][..., : WIDTH // 2], torch.zeros_like(args[0][..., WIDTH // 2 :])], -1),)

    inner.register_forward_pre_hook(zeroed)
    return inner


def orthogonal(inner: nn.Module) -> nn.Module:
    return inner if isinstance(inner, Conv1D) else parametrizations.weight_norm(inner)


def patched(inner: nn.Module) -> nn.Module:
    own = inner.forward
    inner.forward = lambda x: own(x) + 0.5 * own(x.flip(-1))  # type: ignore[method-assign]
    return inner


LINEAR: list[Callable[[nn.Module], nn.Module]] = [
    LoRA,
    lambda inner: LoRA(inner, merged=True),
    lambda inner: LoRA(LoRA(inner)),
    Scaled,
    lambda inner: Scaled(LoRA(Scaled(inner))),
    hooked,
    half_read,
    orthogonal,
    patched,
]
NAMES = ["lora", "merged", "nested", "scaled", "all", "hook", "pre-hook", "parametrized", "patched"]


def shown_output(trace: Trace, bias: Tensor | None = None) -> Tensor:
    site = trace.sites[0]
    return torch.stack([site.output(head) for head in range(site.n_heads)]).sum(0)


@pytest.mark.parametrize("wrapper", LINEAR, ids=NAMES)
@pytest.mark.parametrize("name", PLACES)
def test_head_outputs_are_those_of_the_whole_projection(name: str, wrapper: Callable[[Any], nn.Module]) -> None:
    network = BUILD[name]()
    parent, attribute = PLACES[name](network)
    torch.manual_seed(1)
    setattr(parent, attribute, wrapper(getattr(parent, attribute)))
    made: list[Tensor] = []
    handle = getattr(parent, attribute).register_forward_hook(lambda module, args, output: made.append(output[0]))
    with torch.inference_mode():
        network(**IDS)
        zero = getattr(parent, attribute)(torch.zeros(1, 6, WIDTH))[0]
    handle.remove()
    trace = trace_inputs(wrap(network), IDS)
    expected = made[0] - zero
    torch.testing.assert_close(shown_output(trace), expected, atol=1e-4 * float(expected.abs().max()), rtol=0)
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5
    assert trace.sites[0].d_model == WIDTH


def test_a_projection_in_few_bits_is_what_it_makes() -> None:
    network = BUILD["Llama"]()
    layer = network.model.layers[1].self_attn
    layer.o_proj = OwnWeight(layer.o_proj)
    trace = trace_inputs(wrap(network), IDS)
    w_o = trace.sites[1].w_o
    assert w_o is not None
    torch.testing.assert_close(w_o, (layer.o_proj.codes * layer.o_proj.scale).T)
    assert trace.proof()[1].max_abs_error < 1e-5


@pytest.mark.parametrize("wrapper", [Bent, Positional], ids=["bent", "positional"])
@pytest.mark.parametrize("name", PLACES)
def test_what_is_not_linear_is_refused_by_name(name: str, wrapper: Callable[[Any], nn.Module]) -> None:
    network = BUILD[name]()
    parent, attribute = PLACES[name](network)
    setattr(parent, attribute, wrapper(getattr(parent, attribute)))
    trace = trace_inputs(wrap(network), IDS)
    assert trace.sites[0].w_o is None
    with pytest.raises(NoHeadOutputs, match=rf"{trace.sites[0].name}: .*{attribute}"):
        trace.sites[0].output(0)
    assert trace.sites[0].context(0).shape == (6, 12)  # the rest is shown all the same
    assert all(entry.exact for entry in trace.proof())


@pytest.mark.parametrize("name", BLOCKS)
def test_what_is_added_beside_the_projection_is_refused(name: str) -> None:
    network = BUILD[name]()
    block, (parent, attribute) = BLOCKS[name](network), PLACES[name](network)
    own, down, up = block.forward, nn.Linear(WIDTH, 3, bias=False), nn.Linear(3, WIDTH, bias=False)
    read: list[Tensor] = []
    getattr(parent, attribute).register_forward_pre_hook(lambda module, args: read.append(args[0]))

    def forward(*args: Any, **kwargs: Any) -> Any:
        read.clear()
        output, *rest = own(*args, **kwargs)
        return (output + up(down(read[0])), *rest)

    block.forward = forward  # type: ignore[method-assign]
    trace = trace_inputs(wrap(network), IDS)
    with pytest.raises(NoHeadOutputs, match="not all that the layer does"):
        trace.sites[0].output(0)
    trace.sites[1].output(0)


def test_a_hook_on_the_attention_is_part_of_what_the_layer_gives() -> None:
    network = BUILD["Llama"]()
    network.model.layers[0].self_attn.register_forward_hook(lambda module, args, made: (made[0] * 2, *made[1:]))
    with pytest.raises(NoHeadOutputs):
        trace_inputs(wrap(network), IDS).sites[0].output(0)


def test_adapters_are_noticed_when_they_come_go_or_are_switched_off() -> None:
    network = BUILD["Llama"]()
    model, layer = wrap(network), network.model.layers[0].self_attn
    plain = shown_output(trace_inputs(model, IDS))
    layer.o_proj = LoRA(layer.o_proj)
    adapted = trace_inputs(model, IDS)
    both = shown_output(adapted)
    assert (both - plain).abs().max() > 0.01
    layer.o_proj.disabled = True
    with pytest.raises(ModelChanged):
        adapted.proof()
    torch.testing.assert_close(shown_output(trace_inputs(model, IDS)), plain, atol=1e-4, rtol=1e-4)
    layer.o_proj.disabled = False
    torch.testing.assert_close(shown_output(trace_inputs(model, IDS)), both, atol=1e-4, rtol=1e-4)


def test_an_adapter_that_was_edited_is_not_mixed_with_the_trace() -> None:
    network = BUILD["Llama"]()
    layer = network.model.layers[0].self_attn
    layer.o_proj = LoRA(layer.o_proj)
    model = wrap(network)
    trace_inputs(model, IDS)
    layer.o_proj.lora_B.weight.data.mul_(3)  # not counted by torch
    trace = trace_inputs(model, IDS)
    with pytest.raises(ModelChanged):
        trace.sites[0].output(0)


def test_a_wrapped_projection_while_the_model_writes() -> None:
    network = BUILD["Llama"]()
    for layer in network.model.layers:
        layer.self_attn.o_proj = LoRA(layer.self_attn.o_proj)
    trace = trace_generated(wrap(network), IDS, 4)
    assert trace.sites[0].output(0).shape == (len(trace.tokens), WIDTH)
    assert max(entry.max_abs_error for entry in trace.proof()) < 1e-5


def test_a_row_of_a_batch_and_the_memory_of_a_wrapped_projection() -> None:
    network = BUILD["Llama"]()
    layer = network.model.layers[0].self_attn
    layer.o_proj = LoRA(layer.o_proj)
    ids = torch.randint(4, 97, (3, 7), generator=torch.Generator().manual_seed(0))
    trace = trace_inputs(wrap(network), {"input_ids": ids}, row=1)
    alone = trace_inputs(wrap(network), {"input_ids": ids[1:2]})
    torch.testing.assert_close(trace.sites[0].output(2), alone.sites[0].output(2), atol=1e-4, rtol=1e-4)
    qkv = sum(tensor.nbytes for site in trace.sites for tensor in (site.q, site.k, site.v))
    assert qkv < trace.nbytes <= 1.5 * qkv
