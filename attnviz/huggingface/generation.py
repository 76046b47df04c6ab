"""Attention while a model writes: the steps of generation with a cache, put together into one trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from attnviz.errors import AttentionDiffers, DoesNotWrite
from attnviz.errors.base import Why
from attnviz.guard import guarded
from attnviz.huggingface.given import check_inputs
from attnviz.huggingface.interface import InterfaceCall, hears, listening
from attnviz.huggingface.labels import BROKEN
from attnviz.huggingface.model import HuggingFaceModel
from attnviz.huggingface.numerics import tolerance
from attnviz.huggingface.place import Place, SiteWeights
from attnviz.huggingface.reading import Reading, of_inputs, read
from attnviz.huggingface.steps import Steps
from attnviz.huggingface.tracing import HuggingFacePass, make_trace
from attnviz.texts import check_text
from attnviz.trace import AttentionSite, BlockPlace, Edit, LayerInputs, ProofEntry, Trace
from attnviz.trace.edit import Rows
from attnviz.trace.weights import Parameters
from attnviz.why.written import Written

__all__ = ["WrittenPass", "continue_text", "trace_generated", "whole_inputs"]


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
    steps = Steps(model, model.look(inputs), row)

    def keep(call: InterfaceCall, context: Tensor) -> None:
        steps.keep(call, context)

    with model.lock, listening(keep), _reading(model, steps) as read_ids:
        model.write(inputs, max_new)
    whole = whole_inputs(model, inputs, torch.cat(read_ids, dim=1))
    forward_pass = WrittenPass(model, whole, row)
    sites = steps.sites([0] * len(read_ids), forward_pass.weights_now)
    forward_pass.sites = sites
    logits = forward_pass.catch_up()  # what follows each token, for its outputs
    reading = of_inputs(model, whole, row)
    reading = replace(reading, text=text if isinstance(text, str) else "", target_generated=True)
    return make_trace(model, reading, sites, forward_pass, logits)


class WrittenPass(HuggingFacePass):
    """The forward pass over a text that a model wrote, which is run when somebody asks for more than the cache kept."""

    def __init__(
        self, model: HuggingFaceModel, inputs: Mapping[str, Tensor], row: int, edits: tuple[Edit, ...] = ()
    ) -> None:
        super().__init__(model, inputs, row, edits)
        self._parameters = Parameters(model.network, model.name)
        self._end: torch.Size | None = None
        self._whole: Sequence[AttentionSite] = ()  # its sites, of all tokens at once

    def catch_up(self) -> torch.Size | None:
        """Run the model once, and hold the sites of the trace to it; returns the shape of its logits.

        Raises:
            ModelChanged: it is another one by now.
            AttentionDiffers: token by token it computed something else.
        """
        self._run_whole()
        for one, other in zip(self.sites, self._whole, strict=True):
            if one is not other and not one.difference(other.q, other.k, other.v) <= tolerance(one.q.dtype):
                raise AttentionDiffers(self.model.name, one.name, Why("generation-differs"))
        return self._end

    def _run_whole(self) -> None:
        if not self._whole:
            kept = self.sites
            self._parameters.check()
            self._end = self.record()
            self._whole, self.sites = self.sites, kept

    def weights_now(self, place: Place) -> SiteWeights:
        """Return the matrices of a layer; those that a wrapper makes are known once the model has run."""
        if place.projection is not None and place.projection.weight is not None:
            self._run_whole()
        return self.weights(place, self.row)

    def logits(self, rows: int | None = None) -> Iterator[Tensor]:
        """See `ForwardPass.logits`."""
        self.catch_up()
        return super().logits(rows)

    def inputs(self) -> dict[str, LayerInputs]:
        """See `ForwardPass.inputs`."""
        self.catch_up()
        return super().inputs()

    def streams(self) -> dict[BlockPlace, Any]:
        """See `EditablePass.streams`."""
        self.catch_up()
        return super().streams()

    def logits_of(
        self, rows: Rows, at: int | slice, begin: BlockPlace | None, kept: Mapping[BlockPlace, Any]
    ) -> Tensor:
        """See `EditablePass.logits_of`."""
        self.catch_up()
        return super().logits_of(rows, at, begin, kept)

    def written(self) -> Written:
        """See `EditablePass.written`."""
        self.catch_up()
        return super().written()

    def proof(self, sites: Sequence[AttentionSite]) -> list[ProofEntry]:
        """See `ForwardPass.proof`."""
        self.catch_up()
        return super().proof(sites)


@contextmanager
def _reading(model: HuggingFaceModel, kept: Steps) -> Iterator[list[Tensor]]:
    """Note the ids that a model reads, step by step, while it writes: what it is prompted with comes first.

    A model that begins anew, as one that first finds out which language it hears, has written nothing before.
    """
    steps: list[Tensor] = []
    name = "decoder_input_ids" if model.has_decoder else "input_ids"

    def note(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not hears() or kwargs.get(name) is None:
            return
        # by what it can do: its name is another one from version to version of transformers
        cache = next((value for value in kwargs.values() if hasattr(value, "get_seq_length")), None)
        if steps and (cache is None or cache.get_seq_length() == 0):
            kept.restart()
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


def whole_inputs(model: HuggingFaceModel, inputs: Mapping[str, Tensor], ids: Tensor) -> dict[str, Tensor]:
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
