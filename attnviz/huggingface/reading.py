"""From what people give to what a Hugging Face model reads, and how its tokens are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from attnviz.errors import (
    EmptyText,
    ImageNeeded,
    ImageNotAllowed,
    InputNeeded,
    NoTokenizer,
    TargetNotAllowed,
    TextTooLong,
)
from attnviz.huggingface.image import patches, see
from attnviz.huggingface.labels import name_tokens, plain_tokens
from attnviz.trace import AttentionSite, Tokens

if TYPE_CHECKING:
    from attnviz.huggingface.model import HuggingFaceModel

__all__ = ["Reading", "of_inputs", "read"]

MAX_NEW = 40  # tokens of a target that the model writes itself


@dataclass(frozen=True)
class Reading:
    """What a model is about to read.

    Attributes:
        inputs: of its `forward`, by name.
        text: as it was given.
        target: that the decoder reads, or the second sentence of an encoder; None without one.
        target_generated: the model wrote the target itself.
        main: name of the sequence read last.
        texts: the tokens of texts, by name of their sequence.
        image: as the model sees it (height, width, 3) bytes; None without one.
    """

    inputs: Mapping[str, Tensor]
    main: str
    text: str = ""
    target: str | None = None
    target_generated: bool = False
    texts: Mapping[str, Tokens] = field(default_factory=dict)
    image: np.ndarray | None = None

    def sequences(self, model: HuggingFaceModel, sites: Sequence[AttentionSite]) -> dict[str, Tokens]:
        """All sequences that the sites speak of; patches and moments of sound are counted where they attend."""
        found = dict(self.texts)
        pixels = self.inputs.get("pixel_values")
        for site in sites:
            for name, length in ((site.queries, site.q.shape[1]), (site.keys, site.k.shape[1])):
                if name not in found and site.part is None:
                    found[name] = plain_tokens(length) if pixels is None else patches(model.config, pixels, length)
        if self.main not in found and pixels is not None:  # it attends in windows alone
            found[self.main] = patches(model.config, pixels)
        order = [name for name in ("encoder", "vision", "text", "decoder") if name in found]
        return {name: found[name] for name in [*order, *(name for name in found if name not in order)]}


def read(model: HuggingFaceModel, text: str, target: str | None, image: Any) -> Reading:
    """What a model reads of a text, a target or second sentence, and an image.

    Raises:
        EmptyText, TextTooLong: the text cannot be read whole.
        TargetNotAllowed: a target for a decoder.
        ImageNeeded, ImageNotAllowed, ImageUnreadable, InputNeeded: it reads something else, or something more.
        NoTokenizer: it reads text, and has no tokenizer.
    """
    if "input_features" in model.parameters or "input_values" in model.parameters:
        raise InputNeeded(model.name, "sound")
    if not model.sees_images and image is not None:
        raise ImageNotAllowed(model.name)
    if model.sees_images and image is None:
        if model.reads_text or not text.strip():
            raise ImageNeeded(model.name)
        image = text  # the path of an image is all that such a model reads
    picture = see(model, image) if model.sees_images else None
    reading = _read_text(model, text, target) if model.reads_text else Reading({}, main="encoder", text=text)
    if picture is None:
        return reading
    inputs = {**reading.inputs, "pixel_values": picture.pixels}
    return replace(reading, inputs=inputs, image=picture.seen)


def _read_text(model: HuggingFaceModel, text: str, target: str | None) -> Reading:
    tokenizer = model.tokenizer
    if tokenizer is None:
        raise NoTokenizer(model.name)
    if not text.strip():
        raise EmptyText
    target = target if target and target.strip() else None
    if model.config.is_encoder_decoder:
        return _read_two(model, text, target)
    stack = "text" if model.sees_images else "decoder" if model.structure.causal else "encoder"
    if target is not None and stack != "encoder":
        raise TargetNotAllowed(model.facts.architecture)
    encoded = tokenizer(text, target, return_special_tokens_mask=True, verbose=False)
    _check(model, encoded)
    tokens = name_tokens(tokenizer, encoded, text, target)
    inputs: dict[str, Tensor] = {
        name: torch.tensor([encoded[name]], device=model.network.device)
        for name in ("input_ids", "attention_mask", "token_type_ids")
        if name in encoded and name in model.parameters
    }
    return Reading(inputs, stack, text, target, texts={stack: tokens})


def _read_two(model: HuggingFaceModel, text: str, target: str | None) -> Reading:
    """An encoder-decoder: the source, and what the decoder reads, its own words where no target is given."""
    tokenizer, device = model.tokenizer, model.network.device
    assert tokenizer is not None  # the caller saw to it
    encoded = tokenizer(text, return_special_tokens_mask=True, verbose=False)
    _check(model, encoded)
    source = name_tokens(tokenizer, encoded, text)
    inputs = {name: torch.tensor([encoded[name]], device=device) for name in ("input_ids", "attention_mask")}
    start = model.network.generation_config.decoder_start_token_id if model.network.can_generate() else None
    start = model.config.decoder_start_token_id if start is None else start
    end = model.config.eos_token_id
    generated = target is None
    if target is None:
        ids = model.write(inputs, MAX_NEW)[0].tolist()
        target = tokenizer.decode(ids, skip_special_tokens=True)
    else:
        ids = [start, *tokenizer(text_target=target, verbose=False)["input_ids"]]
    if len(ids) > 1 and ids[-1] == end:
        ids.pop()  # it is predicted, not read
    _check_length(model, len(ids))
    decoder = plain_tokens(ids, tokenizer)
    inputs["decoder_input_ids"] = torch.tensor([ids], device=device)
    return Reading(inputs, "decoder", text, target, generated, {"encoder": source, "decoder": decoder})


def of_inputs(model: HuggingFaceModel, inputs: Mapping[str, Tensor], row: int) -> Reading:
    """Inputs that are made already, with the labels that the tokenizer gives."""
    texts = {}
    stack = "text" if model.sees_images else "decoder" if model.structure.causal else "encoder"
    names = {"input_ids": "encoder" if model.config.is_encoder_decoder else stack, "decoder_input_ids": "decoder"}
    for name, sequence in names.items():
        if name in inputs:
            texts[sequence] = plain_tokens(inputs[name][row].tolist(), model.tokenizer)
    main = "decoder" if model.config.is_encoder_decoder else stack if texts else "encoder"
    moved = {name: tensor.to(model.network.device) for name, tensor in inputs.items()}
    return Reading(moved, main, texts=texts)


def _check(model: HuggingFaceModel, encoded: Any) -> None:
    """There is something to read, and it fits; some tokenizers leave out all of a text, such as control characters."""
    if all(encoded["special_tokens_mask"]):
        raise EmptyText
    _check_length(model, len(encoded["input_ids"]))


def _check_length(model: HuggingFaceModel, length: int) -> None:
    if model.max_len is not None and length > model.max_len:
        raise TextTooLong(length, model.max_len)
