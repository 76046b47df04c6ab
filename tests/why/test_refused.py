"""Networks that were changed so that their scores are no sum of what earlier parts wrote: each is refused, or was none.

The others were changed in ways that only look so: they are split, and the split is held to the networks themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import transformers as hf
from torch import Tensor, nn

import attnviz
from attnviz.errors import NotSplit
from attnviz.huggingface import HuggingFaceModel, wrap
from attnviz.huggingface.sample import sample
from attnviz.trace import Trace
from tests.huggingface.architectures import GROUPED

SITE = "decoder.2.self"
EYE = torch.eye(48).flip(0)
SPREAD = torch.eye(48)[..., None].expand(-1, -1, 3) / 3
GROUPS = torch.ones(48, 12, 1) / 12


class Then(nn.Module):
    """A layer, and then something else."""

    def __init__(self, layer: nn.Module, then: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.layer, self.then = layer, then

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        made = self.layer(*args, **kwargs)
        if isinstance(made, tuple):
            return (self.then(made[0]), *made[1:])
        return self.then(made)


def llama() -> Any:
    torch.manual_seed(0)
    network = hf.LlamaForCausalLM(hf.LlamaConfig(**{**GROUPED, "num_hidden_layers": 3})).eval()
    for parameter in network.parameters():
        parameter.data.mul_(1.0 if parameter.ndim == 1 else 6.0)
    return network


def changed(where: str, then: Callable[[Tensor], Tensor]) -> Trace:
    """A trace of Llama in which something follows q_proj or k_proj of the last layer, or the norm of its blocks."""
    network = llama()
    layers = network.model.layers
    if where in ("q_proj", "k_proj"):
        setattr(layers[2].self_attn, where, Then(getattr(layers[2].self_attn, where), then))
    elif where == "o_proj":
        layers[1].self_attn.o_proj = Then(layers[1].self_attn.o_proj, then)
    elif where == "mlp":
        layers[1].mlp = Then(layers[1].mlp, then)
    elif where == "block":
        layers[1] = Then(layers[1], then)
    else:
        layers[2].input_layernorm = Then(layers[2].input_layernorm, then)
    return traced(network)


def traced(network: Any) -> Trace:
    model: HuggingFaceModel = wrap(network)
    inputs: Mapping[str, Tensor] = sample(model.network, model.parameters)[0]
    return attnviz.trace_inputs(model, inputs)


def through_numpy(x: Tensor) -> Tensor:
    return torch.from_numpy(x.detach().numpy().copy())


class Batch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(48).eval()

    def __call__(self, x: Tensor) -> Tensor:
        return self.norm(x.transpose(1, 2)).transpose(1, 2)  # type: ignore[no-any-return]


def in_place(x: Tensor) -> Tensor:
    x.mul_(x.sigmoid())
    return x


def half_overwritten(x: Tensor) -> Tensor:
    y = x.clone()
    y[..., ::2] = torch.tanh(y[..., ::2])
    return y


def seen_later(x: Tensor) -> Tensor:
    view = x[..., :8]
    view.copy_(view.square())
    return x


REFUSED: Mapping[str, tuple[str, Callable[[Tensor], Tensor], str]] = {
    # a query or key that is bent, though its sum closes
    "tanh": ("q_proj", torch.tanh, "split-bent"),
    "batch norm": ("q_proj", Batch(), "split-bent"),
    "product with itself": ("q_proj", lambda x: x + 0.1 * x * x.abs(), "split-bent"),
    "through numpy": ("q_proj", lambda x: torch.tanh(through_numpy(x)), "split-unseen"),
    "past positions": ("q_proj", lambda x: (x + x.roll(1, dims=1)) / 2, "split-rows"),
    "positions in another order": ("k_proj", lambda x: x.flip(1), "split-rows"),
    "a stream that is bent between blocks": ("block", lambda x: torch.tanh(x), "split-lost"),
    "a gate on what heads wrote": ("o_proj", lambda x: x * x.sigmoid(), "split-lost"),
    # invented after the code was written
    "rounded to eighths": ("k_proj", lambda x: (x * 8).round() / 8, "split-bent"),
    "sorted": ("q_proj", lambda x: x.sort(-1).values, "split-bent"),
    "bent in place": ("q_proj", in_place, "split-bent"),
    "half overwritten": ("q_proj", half_overwritten, "split-bent"),
    "bent through a view": ("k_proj", seen_later, "split-bent"),
    "a leak beside it": ("q_proj", lambda x: x + 0.3 * torch.tanh(through_numpy(x)), "split-nonlinear"),
    "the largest of two maps": ("k_proj", lambda x: torch.maximum(x, x.roll(1, -1)), "split-bent"),
    "the mean of the text taken away": ("norm", lambda x: x - x.mean(1, keepdim=True), "split-rows"),
    "running sums": ("q_proj", lambda x: x.cumsum(1), "split-bent"),
    "by Fourier": ("q_proj", lambda x: torch.fft.fft2(x).real, "split-bent"),
    "where it is positive": ("q_proj", lambda x: torch.where(x > 0, x, 0.1 * x), "split-bent"),
    "a softmax of features": ("k_proj", lambda x: x.softmax(-1), "split-bent"),
    # invented after that, when a gate of one number had passed as the scale of a norm
    "a gate of one number": ("q_proj", lambda x: x * x.sum(-1, keepdim=True).sigmoid(), "split-gate"),
    "an expanded gate": ("q_proj", lambda x: x * x.sum(-1, keepdim=True).sigmoid().expand(-1, -1, 48), "split-gate"),
    "a gate of the whole text": ("k_proj", lambda x: x * x.mean((1, 2), keepdim=True).sigmoid(), "split-gate"),
    "a router of the stream": ("block", lambda x: x * x.mean(-1, keepdim=True).sigmoid(), "split-gate"),
    "a gate of the mean over tokens": ("q_proj", lambda x: x * x.mean(1, keepdim=True).sigmoid(), "split-bent"),
    "the scale of another token": ("q_proj", lambda x: x / x.roll(1, 1).norm(dim=-1, keepdim=True), "split-gate"),
    "normed over the text": ("k_proj", lambda x: x * x.square().mean().rsqrt(), "split-gate"),
    "keys in the order of their size": ("k_proj", lambda x: _sorted(x), "split-bent"),
    "a lookup": ("q_proj", lambda x: F.embedding(x.mean(-1).mul(3).long() % 16, TABLE), "split-bent"),
    "dropout left on": ("q_proj", lambda x: F.dropout(x, 0.5, True), "split-bent"),
    "rounded by dividing": ("q_proj", lambda x: torch.div(x, 0.1, rounding_mode="floor"), "split-bent"),
    "the mean of earlier tokens": ("k_proj", lambda x: torch.ones(x.shape[1], x.shape[1]).tril() @ x, "split-rows"),
    "one token written into another": ("q_proj", lambda x: _leaked(x), "split-bent"),
    # several steps in one function, of which one is not linear
    "as far as it is large": ("q_proj", lambda x: torch.lerp(x, 2 * x, x.sigmoid()), "split-bent"),
    "its square added": ("k_proj", lambda x: torch.addcmul(x, x, x, value=0.1), "split-bent"),
    "divided by itself": ("q_proj", lambda x: torch.addcdiv(x, x, x.abs() + 1), "split-bent"),
    "products of tokens added": ("k_proj", lambda x: torch.baddbmm(x, x @ x.mT, x, alpha=0.01), "split-bent"),
    "convolved over tokens": ("q_proj", lambda x: F.conv1d(x.mT, SPREAD, padding=1).mT, "split-bent"),
    "convolved in groups": ("q_proj", lambda x: F.conv1d(x.mT, GROUPS, groups=4).mT, "split-bent"),
    "through numpy, as a scale": ("k_proj", lambda x: x * float(x.detach().numpy().max()), "split-nonlinear"),
    # what is held in a pass, and then leaves torch, passes a script, or enters by something else than a product
    "normed by a number of Python": ("q_proj", lambda x: x / x.square().mean().sqrt().item(), "split-nonlinear"),
    "by a whole number of Python": ("k_proj", lambda x: x * (1 + int(7 * x.abs().max())), "split-nonlinear"),
    "a norm through numpy": ("k_proj", lambda x: x / through_numpy(x.norm(dim=-1, keepdim=True)), "split-nonlinear"),
    "a norm through vmap": ("q_proj", lambda x: x * INVERSE(x.norm(dim=-1, keepdim=True)), "split-nonlinear"),
    "a gate by einsum": ("q_proj", lambda x: torch.einsum("btd,bto->btd", x, _gate(x)), "split-gate"),
    "a gate as a matrix": ("block", lambda x: torch.diag_embed(_gate(x)[..., 0]) @ x, "split-gate"),
    # what the stream decides
    "where it is positive, by a mask": ("q_proj", lambda x: x * (x > 0), "split-bent"),
    "a mask as numbers": ("block", lambda x: x * (x.sum(-1, keepdim=True) > 0).float(), "split-lost"),
    "a mask added": ("k_proj", lambda x: x + (x > 0), "split-bent"),
    "features in the order of their size": ("k_proj", lambda x: x.gather(-1, x.argsort(-1)), "split-bent"),
    # written elsewhere, several at once, or inside of a transform
    "into another tensor": ("q_proj", lambda x: _into(x), "split-bent"),
    "several at once": ("q_proj", lambda x: torch._foreach_tanh([x])[0], "split-bent"),
    "several at once, in place": ("q_proj", lambda x: _each(x), "split-bent"),
    "a gradient": ("q_proj", torch.func.grad(lambda x: x.pow(3).sum()), "split-unseen"),
    "a gradient beside it": ("block", lambda x: x + torch.func.grad(lambda x: x.pow(3).sum())(x), "split-nonlinear"),
}


INVERSE: Callable[[Tensor], Tensor] = torch.func.vmap(torch.reciprocal)
TABLE: Tensor = torch.randn(16, 48, generator=torch.Generator().manual_seed(4))


def _gate(x: Tensor) -> Tensor:
    return x.sum(-1, keepdim=True).sigmoid()


def _into(x: Tensor) -> Tensor:
    made = torch.empty_like(x)
    torch.mul(x, x.sigmoid(), out=made)
    return made


def _each(x: Tensor) -> Tensor:
    torch._foreach_tanh_([x])
    return x


def _sorted(x: Tensor) -> Tensor:
    order = x.norm(dim=-1).argsort(dim=-1)
    return x.gather(1, order[..., None].expand_as(x))


def _leaked(x: Tensor) -> Tensor:
    made = x.clone()
    made[:, 3].add_(x[:, 0])
    return made


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sum_is_refused_with_its_layer(name: str) -> None:
    where, then, word = REFUSED[name]
    trace = changed(where, then)
    with pytest.raises(NotSplit) as caught:
        trace.why(SITE, 0, 5, 2)
    assert caught.value.place == SITE
    assert caught.value.details["reason"]["why"] == word  # type: ignore[index]


def test_texts_of_a_batch_that_read_each_other_are_refused() -> None:
    network = llama()
    norm = network.model.layers[2].input_layernorm
    inputs = {"input_ids": torch.stack([torch.arange(5, 12), torch.arange(40, 47)])}
    mixed: Callable[[Tensor], Tensor] = lambda x: x + 0.3 * x.flip(0)  # noqa: E731
    turned: Callable[[Tensor], Tensor] = lambda x: (x.transpose(0, 1) * 2).transpose(0, 1)  # noqa: E731
    for then, refuses in ((mixed, True), (turned, False)):
        network.model.layers[2].input_layernorm = Then(norm, then)
        trace = attnviz.trace_inputs(wrap(network), inputs, row=1)
        if refuses:
            with pytest.raises(NotSplit) as caught:
                trace.why(SITE, 0, 5, 2)
            assert caught.value.details["reason"]["why"] == "split-rows"  # type: ignore[index]
        else:
            assert trace.why(SITE, 0, 5, 2).proof.sum_error <= 5e-6


SPLIT: Mapping[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "cut off from gradients": ("q_proj", lambda x: x.detach()),
    "normalized": ("q_proj", lambda x: F.normalize(x, dim=-1)),
    "normed by hand": ("k_proj", lambda x: x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()),
    "normed by an expanded number": ("k_proj", lambda x: x / x.norm(dim=-1, keepdim=True).expand_as(x)),
    "layer normed by hand": ("k_proj", lambda x: (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-3)),
    "twice as large where it is large": ("q_proj", lambda x: 2 * x if bool(x.abs().max() > 0.1) else x),
    "written in place": ("q_proj", lambda x: x.mul_(0.5).add_(1.0)),
    "halves written one by one": ("k_proj", lambda x: _halves(x)),
    "an MLP that is bent": ("mlp", torch.tanh),
    "heads through another matrix": ("o_proj", lambda x: x @ torch.eye(48).flip(0)),
    "as complex numbers": ("q_proj", lambda x: _turned(x)),
    "by einsum": ("q_proj", lambda x: torch.einsum("btd,de->bte", x, torch.eye(48).flip(0))),
    "by tensordot": ("q_proj", lambda x: torch.tensordot(x, torch.eye(48).flip(0), dims=1)),
    "halves copied into views": ("k_proj", lambda x: _copied(x)),
    "tokens first": ("q_proj", lambda x: (x.transpose(0, 1) * 2).transpose(0, 1)),
    "token by token": ("k_proj", lambda x: torch.stack([x[:, t] * (t + 1) for t in range(x.shape[1])], 1)),
    "a matrix from the left": ("q_proj", lambda x: (torch.eye(48).flip(0) @ x.mT).mT),
    "each group normed": ("q_proj", lambda x: F.layer_norm(x.unflatten(-1, (4, 12)), (12,)).flatten(-2)),
    "by its largest number": ("k_proj", lambda x: x / x.abs().amax(-1, keepdim=True)),
    "in 64 bits": ("q_proj", lambda x: (x.double() * 2).float()),
    "a convolution of one place": ("q_proj", lambda x: F.conv1d(x.mT, EYE[..., None], padding="same").mT),
    "a convolution with a bias": ("q_proj", lambda x: F.conv1d(x.mT, EYE[..., None], torch.ones(48), 1, 0).mT),
    "a convolution of an image": ("q_proj", lambda x: F.conv2d(x.mT[..., None], EYE[..., None, None])[..., 0].mT),
    "a product added": ("q_proj", lambda x: torch.baddbmm(x, x, EYE.expand(len(x), -1, -1), beta=0.5, alpha=2)),
    "added to a product": ("q_proj", lambda x: torch.addmm(x[0], x[0], EYE, alpha=0.5)[None]),
    "halfway": ("q_proj", lambda x: torch.lerp(x, 3 * x, 0.5)),
    "halfway to a constant": ("q_proj", lambda x: x.lerp(torch.ones(48), torch.linspace(0, 1, 48))),
    "with products of constants": ("q_proj", lambda x: torch.addcmul(x, x, torch.linspace(1, 2, 48), value=0.5)),
    "with quotients": ("q_proj", lambda x: torch.addcdiv(torch.ones(48), x, torch.linspace(1, 2, 48))),
    "normed twice": ("norm", lambda x: F.layer_norm(x, (48,))),
}


def _halves(x: Tensor) -> Tensor:
    made = torch.empty_like(x)
    made[..., :24] = x[..., :24] * 2
    made[..., 24:] = x[..., 24:]
    return made


def _copied(x: Tensor) -> Tensor:
    made = x.new_empty(x.shape)
    made[..., :12].copy_(x[..., :12] * 2)
    made[..., 12:].copy_(x[:, :, None, 12:].squeeze(2))
    return made


def _turned(x: Tensor) -> Tensor:
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], 24, 2))
    return torch.view_as_real(pairs * torch.polar(torch.ones(24), torch.arange(24.0))).flatten(-2)


@pytest.mark.parametrize("name", SPLIT)
def test_what_only_looks_bent_is_split(name: str) -> None:
    trace = changed(*SPLIT[name])
    found = trace.why(SITE, 0, 5, 2)
    assert found.proof.sum_error <= 5e-6
    assert found.proof.linearity_error <= 5e-6
    for part in found.keys:
        assert isfinite(part.if_removed)
        if part.kind == "head":
            assert sum(one.share for one in found.sources(part)) == pytest.approx(part.share, abs=1e-4)
