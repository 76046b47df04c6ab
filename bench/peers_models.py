"""Models that bench.peers compares: one, plain and looked into, by attnviz and by its peers.

GPT-2 small's shape (transformers' defaults) with random weights. Every variant is built once per process and is then
called with token ids (1, T); it runs the whole model, logits included unless it says otherwise, without a cache of
keys and values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Generator, Tensor

from attnviz.huggingface import trace_inputs, wrap
from attnviz.trace import Trace

Call = Callable[[Tensor], object]
VOCABULARY = 50257
SHAPE: dict[str, int] = {}  # in place of GPT-2 small's, for a test


def token_ids(length: int) -> Tensor:
    """(1, T) random ids."""
    return torch.randint(VOCABULARY, (1, length), generator=Generator().manual_seed(0))


@cache
def gpt2(attention: str = "sdpa"):  # type: ignore[no-untyped-def]
    """The model, by transformers; always with the same weights."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(**SHAPE, attn_implementation=attention)).eval().requires_grad_(False)


def traced(ids: Tensor, logits: bool = True) -> Trace:
    """Return a trace, and its logits, as the plain forward pass has them."""
    trace = trace_inputs(wrap(gpt2()), {"input_ids": ids})
    if logits:
        trace.logits  # noqa: B018
    return trace


def every_weight(trace: Trace) -> None:
    """Compute the weights of all heads of all layers, block by block, as the thumbnails do."""
    for site in trace.sites:
        for _ in site.weight_blocks():
            pass


def plain() -> Call:
    model = gpt2()

    def call(ids: Tensor) -> object:
        with torch.inference_mode():
            return model(input_ids=ids, use_cache=False)

    return call


def eager() -> Call:
    model = gpt2("eager")

    def call(ids: Tensor) -> object:
        with torch.inference_mode():
            return model(input_ids=ids, use_cache=False, output_attentions=True)

    return call


def traced_and_every_weight(logits: bool) -> Call:
    def call(ids: Tensor) -> Trace:
        trace = traced(ids, logits=logits)
        every_weight(trace)
        return trace

    return call


def weights_alone() -> Call:
    kept = cache(lambda length: traced(token_ids(length), logits=False))
    return lambda ids: every_weight(kept(ids.shape[1]))


def transformer_lens(cached: bool) -> Call:
    """HookedTransformer in the same shape, with its own random weights; `cached`: everything that it can keep."""
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    config = HookedTransformerConfig(
        n_layers=12,
        d_model=768,
        n_ctx=1024,
        d_head=64,
        n_heads=12,
        d_mlp=3072,
        d_vocab=VOCABULARY,
        act_fn="gelu_new",
        normalization_type="LN",
        seed=0,
        device="cpu",
    )
    model = HookedTransformer(config).eval().requires_grad_(False)

    def call(ids: Tensor) -> object:
        with torch.inference_mode():
            return model.run_with_cache(ids) if cached else model(ids)

    return call


def nnsight_qkv() -> Call:
    """q, k and v of every layer, under fused attention."""
    from nnsight import NNsight, save

    model = NNsight(gpt2())

    def call(ids: Tensor) -> object:
        with torch.inference_mode(), model.trace(input_ids=ids, use_cache=False):
            qkv = save([block.attn.c_attn.output for block in model.transformer.h])
            logits = save(model.lm_head.output)
        return qkv, logits

    return call


def nnsight_weights() -> Call:
    """Return the weights of every layer, under eager attention."""
    from nnsight import NNsight, save

    model = NNsight(gpt2("eager"))

    def call(ids: Tensor) -> object:
        with torch.inference_mode(), model.trace(input_ids=ids, use_cache=False, output_attentions=True):
            weights = save([block.attn.output[1] for block in model.transformer.h])
            logits = save(model.lm_head.output)
        return weights, logits

    return call


VARIANTS: dict[str, Callable[[], Call]] = {
    "plain": plain,
    "traced": lambda: traced,
    "traced, no logits": lambda: lambda ids: traced(ids, logits=False),
    "traced, all heads": lambda: traced_and_every_weight(logits=True),
    "traced, no logits, all heads": lambda: traced_and_every_weight(logits=False),
    "all heads": weights_alone,
    "eager": eager,
    "TransformerLens": lambda: transformer_lens(cached=True),
    "TransformerLens, plain": lambda: transformer_lens(cached=False),
    "nnsight, q k v": nnsight_qkv,
    "nnsight, weights": nnsight_weights,
}
