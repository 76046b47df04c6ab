"""Attention while a model writes: the steps of generation with a cache, put together into one trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from attnviz.attention import Mask
from attnviz.errors import AttentionDiffers, DoesNotWrite
from attnviz.errors.base import Why
from attnviz.guard import guarded
from attnviz.huggingface.given import check_inputs
from attnviz.huggingface.interface import InterfaceCall, hears, listening
from attnviz.huggingface.labels import BROKEN
from attnviz.huggingface.model import HuggingFaceModel
from attnviz.huggingface.numerics import tolerance
from attnviz.huggingface.place import Place, SiteWeights, make_site
from attnviz.huggingface.reading import Reading, of_inputs, read
from attnviz.huggingface.rules import RulesReader, rule_of
from attnviz.huggingface.tracing import HuggingFacePass, find_places, make_trace
from attnviz.texts import check_text
from attnviz.trace import AttentionSite, Trace

__all__ = ["continue_text", "trace_generated"]


def continue_text(model: HuggingFaceModel, text: str, max_new: int) -> str:
    """Return a text with what a decoder writes after it, the most probable token each time; the text itself at its end.

    Of an encoder-decoder: what its decoder writes.

    Args:
        model: a decoder, or an encoder-decoder.
        text: text to continue, or the source.
        max_new: tokens to write at most; fewer where the model's context or its end of text comes first.

    Raises:
        DoesNotWrite: the model is no language model.
        AttnvizError: see `attnviz.trace`.
    """
    check_text(text)
    with guarded(model.name):
        if model.writes and model.has_decoder:
            return read(model, text, None, None).target or ""
        reading = _beginning(model, text)
        room = _room(model, reading, max_new)
        if room == 0 or model.tokenizer is None:
            return text
        new = model.write(reading.inputs, room)[0, len(reading.texts["decoder"]) :]
        written = str(model.tokenizer.decode(new, skip_special_tokens=True, clean_up_tokenization_spaces=False))
        return text + written.rstrip(BROKEN)  # the last character may be there in part


def trace_generated(
    model: HuggingFaceModel, text: str | Mapping[str, Tensor], max_new: int = 20, row: int = 0
) -> Trace:
    """Have a model write, and keep what its attention computed on the way, token by token with its cache.

    Every generated token is one query that reads the keys the cache holds then; the sites of the trace are all of
    them in a row. The last token is predicted, not read, so it is not among them.

    Args:
        model: a decoder or an encoder-decoder.
        text: text that it reads first, or its inputs by name: a batch of any size, padded as its tokenizer pads.
        max_new: tokens to write at most.

    Raises:
        DoesNotWrite: the model is no language model.
        AttnvizError: see `attnviz.trace`.
    """
    if not isinstance(text, Mapping):
        check_text(text)
    with guarded(model.name):
        return _trace_generated(model, text, max_new, row)


def _trace_generated(model: HuggingFaceModel, text: str | Mapping[str, Tensor], max_new: int, row: int) -> Trace:
    if not model.writes:
        raise DoesNotWrite(model.name, type(model.network).__name__)
    if isinstance(text, str):
        reading = _beginning(model, text) if not model.has_decoder else read(model, text, None, None)
        inputs = {name: tensor for name, tensor in reading.inputs.items() if name != "decoder_input_ids"}
        max_new = max(1, _room(model, reading, max_new)) if not model.has_decoder else max_new
    else:
        check_inputs(model, text, row)
        inputs = {name: tensor.to(model.network.device) for name, tensor in text.items()}
        model.look(inputs)
    calls: list[InterfaceCall] = []
    with model.lock, listening(lambda call, _: calls.append(call)), _reading(model, calls) as steps:
        model.write(inputs, max_new)
    whole = _whole(model, inputs, torch.cat(steps, dim=1))
    forward_pass = HuggingFacePass(model, whole, row)
    logits = forward_pass.record()  # what follows each token, for its outputs
    places = find_places(model, forward_pass.structure, calls)
    sites = []
    for place, made in places.items():
        made = made[-1:] if place.stack == "encoder" and model.has_decoder else made
        sites.append(_stitch(place, made, row, forward_pass.weights(place, row)))
    for one, other in zip(sites, forward_pass.sites, strict=True):
        if not one.difference(other.q, other.k, other.v) <= tolerance(one.q.dtype):
            raise AttentionDiffers(model.name, one.name, Why("generation-differs"))
    reading = of_inputs(model, whole, row)
    reading = replace(reading, text=text if isinstance(text, str) else "", target_generated=True)
    return make_trace(model, reading, sites, forward_pass, logits)


@contextmanager
def _reading(model: HuggingFaceModel, calls: list[InterfaceCall]) -> Iterator[list[Tensor]]:
    """Note the ids that a model reads, step by step, while it writes: what it is prompted with comes first.

    A model that begins anew, as one that first finds out which language it hears, has written nothing before.
    """
    steps: list[Tensor] = []
    name = "decoder_input_ids" if model.has_decoder else "input_ids"
    names, stacks = model.module_names, {place.module: place.stack for place in model.structure.places.values()}

    def note(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not hears() or kwargs.get(name) is None:
            return
        # by what it can do: its name is another one from version to version of transformers
        cache = next((value for value in kwargs.values() if hasattr(value, "get_seq_length")), None)
        if steps and (cache is None or cache.get_seq_length() == 0):
            calls[:] = [call for call in calls if stacks.get(names.get(call.module, "")) == "encoder"]
            steps.clear()
        steps.append(kwargs[name].clone())

    handle = model.network.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield steps
    finally:
        handle.remove()


def _beginning(model: HuggingFaceModel, text: str) -> Reading:
    if not model.writes:
        raise DoesNotWrite(model.name, type(model.network).__name__)
    reading = read(model, text, None, None)
    if reading.main != "decoder":
        raise DoesNotWrite(model.name, type(model.network).__name__)
    return reading


def _room(model: HuggingFaceModel, reading: Reading, wanted: int) -> int:
    """Return how many more tokens fit into the context."""
    return wanted if model.max_len is None else max(0, min(wanted, model.max_len - len(reading.texts["decoder"])))


def _whole(model: HuggingFaceModel, inputs: Mapping[str, Tensor], ids: Tensor) -> dict[str, Tensor]:
    """Return the inputs of one forward pass over all that was read and written."""
    if model.has_decoder:
        return {**inputs, "decoder_input_ids": ids}
    mask = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"]))
    new = mask.new_ones(len(mask), ids.shape[1] - mask.shape[1])
    mask = torch.cat([mask, new], dim=1)
    whole = {**inputs, "input_ids": ids, "attention_mask": mask}
    for name in ("token_type_ids", "mm_token_type_ids"):  # what is written is text
        if name in inputs:
            whole[name] = torch.cat([inputs[name], new.to(inputs[name].dtype) * 0], dim=1)
    counted = "position_ids" in model.parameters and "pixel_values" not in inputs
    if counted:  # as generation does it: padding has no place
        whole["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
    return whole


class _Step(NamedTuple):
    """One call of a layer: its queries stand at start .. stop, its first key at `first`."""

    site: AttentionSite
    start: int
    stop: int
    first: int


def _stitch(place: Place, calls: Sequence[InterfaceCall], row: int, weights: SiteWeights) -> AttentionSite:
    """Return all steps of one layer as one site: queries in a row, each reading the keys that the cache held then.

    A cache that grows holds all keys, one with a window only the last ones, a static one has room for more.
    """
    sites = [make_site(place, call, RulesReader(), row, weights=weights) for call in calls]
    if len(sites) == 1:
        return sites[0]
    steps, position = [], 0
    for site in sites:
        start, position = position, position + site.q.shape[1]
        first = 0 if place.kind == "cross" else max(0, position - site.k.shape[1])
        steps.append(_Step(site, start, position, first))
    n_keys = sites[-1].k.shape[1] if place.kind == "cross" else position
    q = torch.cat([site.q for site in sites], dim=1)
    k = q.new_zeros(sites[0].n_kv_heads, n_keys, sites[0].d_head)
    v = q.new_zeros(sites[0].n_kv_heads, n_keys, sites[0].d_value)
    pairs = torch.zeros(position, n_keys, dtype=torch.bool, device=q.device)
    bias = None if sites[0].bias is None else q.new_zeros(sites[0].n_heads, position, n_keys)
    for step in steps:
        site = step.site
        n = min(site.k.shape[1], n_keys - step.first)
        keys, queries = slice(step.first, step.first + n), slice(step.start, step.stop)
        k[:, keys], v[:, keys] = site.k[:, :n], site.v[:, :n]
        pairs[queries, keys] = site.mask.allowed(site.q.shape[1], site.k.shape[1], q.device)[:, :n]
        if bias is not None and site.bias is not None:
            bias[:, queries, keys] = site.bias[..., :n]
    mask = rule_of(pairs) if place.kind == "self" else Mask() if bool(pairs.all()) else Mask(pairs=pairs)
    return replace(sites[0], q=q, k=k, v=v, w_o=weights.w_o, mask=mask, bias=bias)
