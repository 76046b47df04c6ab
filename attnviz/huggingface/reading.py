"""Prepare inputs for a Hugging Face model, and name its tokens."""

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
    NoProcessor,
    NoTokenizer,
    TargetNeeded,
    TargetNotAllowed,
    TextTooLong,
)
from attnviz.huggingface.given import check_inputs
from attnviz.huggingface.image import open_image, patches, see
from attnviz.huggingface.labels import name_tokens, plain_tokens
from attnviz.huggingface.sample import labels_alone, text_part
from attnviz.trace import AttentionSite, Tokens

if TYPE_CHECKING:
    from attnviz.huggingface.model import HuggingFaceModel

__all__ = ["Reading", "of_inputs", "read"]

MAX_NEW = 40  # tokens of a target that the model writes itself


@dataclass(frozen=True)
class Reading:
    """Prepared input of a model.

    Attributes:
        inputs: inputs of its `forward`, by name.
        text: as it was given.
        target: target that the decoder reads, or the second sentence of an encoder; None without one.
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

    def sequences(
        self, model: HuggingFaceModel, sites: Sequence[AttentionSite], order: Sequence[int] | None = None
    ) -> dict[str, Tokens]:
        """Return all sequences that the sites speak of; patches and moments of sound are counted where they attend.

        Args:
            order: order of the patches of an image, where the encoder reads them shuffled, or only some.
        """
        found = dict(self.texts)
        pixels = self.inputs.get("pixel_values")
        for site in sites:
            for name, length in ((site.queries, site.q.shape[1]), (site.keys, site.k.shape[1])):
                if name not in found and "." not in name:
                    shuffled = order if name == "encoder" else None
                    found[name] = plain_tokens(length) if pixels is None else patches(model, pixels, length, shuffled)
        if self.main not in found and pixels is not None:  # it attends in windows alone
            found[self.main] = patches(model, pixels)
        first = [name for name in ("encoder", "vision", "text", "decoder") if name in found]
        return {name: found[name] for name in [*first, *(name for name in found if name not in first)]}


def read(
    model: HuggingFaceModel, text: str, target: str | None, image: Any, *, begins: bool = False, added: bool = True
) -> Reading:
    """Prepare a text, a target or second sentence, and an image for a model.

    Args:
        begins: a decoder that reads what an encoder made begins, and has written nothing yet.
        added: the tokenizer adds its special tokens to the text of a decoder; else the text has them already.

    Raises:
        EmptyText, TextTooLong: the text cannot be read whole.
        TargetNotAllowed, TargetNeeded: a target for a decoder; none for one that does not write by itself.
        ImageNeeded, ImageNotAllowed, ImageUnreadable, InputNeeded: it reads something else, or something more.
        NoTokenizer: it reads text, and has no tokenizer.
    """
    if model.hears_sound:
        raise InputNeeded(model.name, "sound")
    if not model.reads_text and not model.sees_images:
        raise InputNeeded(model.name, ", ".join(sorted(model.parameters)[:3]))
    if not model.sees_images and image is not None:
        raise ImageNotAllowed(model.name)
    target = target if target and target.strip() else None
    if not model.sees_images or (image is None and model.reads_text and model.writes):
        return _read_text(model, text, target, begins, added)
    if image is None:
        if model.reads_text or not text.strip():
            raise ImageNeeded(model.name)
        image = text  # the path of an image is all that such a model reads
    if model.reads_text and model.writes:
        return _read_both(model, text, target, image, begins)
    picture = see(model, image)
    inputs = {"pixel_values": picture.pixels}
    if model.reads_text:
        reading = _read_text(model, text, target)
        return replace(reading, inputs={**reading.inputs, **inputs}, image=picture.seen)
    if model.has_decoder:
        return _caption(model, text, target, inputs, picture.seen, begins)
    return Reading(inputs, main="encoder", text=text, image=picture.seen)


def _read_text(
    model: HuggingFaceModel, text: str, target: str | None, begins: bool = False, added: bool = True
) -> Reading:
    tokenizer = model.tokenizer
    if tokenizer is None:
        raise NoTokenizer(model.name)
    if not text.strip():
        raise EmptyText
    if model.has_decoder:
        return _read_two(model, text, target, begins)
    stack = model.text_stack
    if target is not None and stack != "encoder":
        raise TargetNotAllowed(model.facts.architecture)
    given = {"return_special_tokens_mask": True, "verbose": False, "add_special_tokens": added}
    encoded = tokenizer(text, target, **given)
    _check(model, encoded)
    tokens = name_tokens(tokenizer, encoded, text, target)
    inputs: dict[str, Tensor] = {
        name: torch.tensor([encoded[name]], device=model.network.device)
        for name in ("input_ids", "attention_mask", "token_type_ids")
        if name in encoded and name in model.parameters
    }
    return Reading(inputs, stack, text, target, texts={stack: tokens})


def _read_both(model: HuggingFaceModel, text: str, target: str | None, image: Any, begins: bool) -> Reading:
    """Return a text with an image in it, as the model's own processor puts them together."""
    processor, tokenizer = model.whole_processor, model.tokenizer
    if processor is None or tokenizer is None:
        raise NoProcessor(model.name)
    if target is not None and not model.has_decoder:
        raise TargetNotAllowed(model.facts.architecture)
    picture = open_image(image)
    token = getattr(processor, "image_token", None) or getattr(tokenizer, "image_token", None)
    asked = text if not token or str(token) in text else f"{token}{text}"
    made = processor(images=picture, text=asked, return_tensors="pt")
    inputs = {name: value.to(model.network.device) for name, value in made.items() if name in model.parameters}
    inputs = {
        name: value.to(model.network.dtype) if value.is_floating_point() else value for name, value in inputs.items()
    }
    _check_length(model, inputs["input_ids"].shape[1])
    seen = np.asarray(picture)
    if model.has_decoder:
        source = plain_tokens(inputs["input_ids"][0].tolist(), tokenizer)
        ids, target, generated = _target_ids(model, inputs, target, begins)
        inputs["decoder_input_ids"] = torch.tensor([ids], device=model.network.device)
        texts = {"encoder": source, "decoder": plain_tokens(ids, tokenizer)}
        return Reading(inputs, "decoder", text, target, generated, texts, seen)
    texts = {"decoder": plain_tokens(inputs["input_ids"][0].tolist(), tokenizer)}
    return Reading(inputs, "decoder", text, texts=texts, image=seen)


def _caption(
    model: HuggingFaceModel, text: str, target: str | None, inputs: dict[str, Tensor], seen: np.ndarray, begins: bool
) -> Reading:
    """Return an encoder that sees an image, and a decoder that writes what is on it."""
    if model.tokenizer is None:
        raise NoTokenizer(model.name)
    ids, target, generated = _target_ids(model, inputs, target, begins)
    both = {**inputs, "decoder_input_ids": torch.tensor([ids], device=model.network.device)}
    return Reading(both, "decoder", text, target, generated, {"decoder": plain_tokens(ids, model.tokenizer)}, seen)


def _read_two(model: HuggingFaceModel, text: str, target: str | None, begins: bool) -> Reading:
    """Return an encoder-decoder: the source, and what the decoder reads, its own words where no target is given."""
    tokenizer, device = model.tokenizer, model.network.device
    assert tokenizer is not None  # the caller saw to it
    encoded = tokenizer(text, return_special_tokens_mask=True, verbose=False)
    _check(model, encoded)
    source = name_tokens(tokenizer, encoded, text)
    inputs = {name: torch.tensor([encoded[name]], device=device) for name in ("input_ids", "attention_mask")}
    ids, target, generated = _target_ids(model, inputs, target, begins)
    decoder = plain_tokens(ids, tokenizer)
    inputs["decoder_input_ids"] = torch.tensor([ids], device=device)
    return Reading(inputs, "decoder", text, target, generated, {"encoder": source, "decoder": decoder})


def _target_ids(
    model: HuggingFaceModel, inputs: Mapping[str, Tensor], target: str | None, begins: bool
) -> tuple[list[int], str | None, bool]:
    """Return the input of a decoder: ids, the text that they are, and whether the model wrote it itself."""
    tokenizer, start = model.tokenizer, _start(model)
    assert tokenizer is not None  # the callers saw to it
    generated = False
    if labels_alone(model.network):  # its decoder reads the source once more, one place behind
        if target is not None:
            raise TargetNotAllowed(type(model.network).__name__)
        ids = [start, *inputs["input_ids"][0, :-1].tolist()]
    elif target is not None:
        ids = _shifted(model, start, tokenizer(text_target=target, verbose=False)["input_ids"])
    elif begins:
        ids = [start]
    elif model.writes:
        ids = model.write(inputs, MAX_NEW)[0].tolist()
        target, generated = str(tokenizer.decode(ids, skip_special_tokens=True)), True
        if len(ids) > 1 and ids[-1] in model.ends:
            ids.pop()  # it is predicted, not read
    else:
        raise TargetNeeded(model.name, type(model.network).__name__)
    _check_length(model, len(ids))
    return ids, target, generated


def _start(model: HuggingFaceModel) -> int:
    """Return the id that a decoder begins with."""
    config, text = model.config, text_part(model.config)
    told = model.network.generation_config if model.writes else None
    places = [(told, "decoder_start_token_id"), (config, "decoder_start_token_id"), (text, "decoder_start_token_id")]
    places += [(told, "bos_token_id"), (text, "bos_token_id"), (text, "pad_token_id")]
    found = (getattr(place, name, None) for place, name in places)
    return next((int(start) for start in found if isinstance(start, int)), 0)


def _shifted(model: HuggingFaceModel, start: Any, labels: list[int]) -> list[int]:
    """Shift a target by one, as the model itself does for training: the decoder's input.

    The last token is predicted, not read; it is a special one, or one is put there.
    """
    assert model.tokenizer is not None  # it made the labels
    if not labels or labels[-1] not in model.tokenizer.all_special_ids:
        labels = [*labels, next(iter(model.ends), 0)]
    shift = getattr(model.network, "prepare_decoder_input_ids_from_labels", None)
    if shift is None:
        return [start, *labels[:-1]]
    shifted: list[int] = shift(labels=torch.tensor([labels], device=model.network.device))[0].tolist()
    return shifted


def of_inputs(model: HuggingFaceModel, inputs: Mapping[str, Tensor], row: int) -> Reading:
    """Return the inputs that are made already, with the labels that the tokenizer gives.

    Raises:
        InputsDoNotFit, TokensOutside: these are no inputs of this model.
        NoRow: there is no such row.
    """
    check_inputs(model, inputs, row)
    moved = {name: tensor.to(model.network.device) for name, tensor in inputs.items()}
    model.look(moved)
    stack, texts = model.text_stack, {}
    for name, sequence in {"input_ids": stack, "decoder_input_ids": "decoder"}.items():
        if name in inputs:
            texts[sequence] = plain_tokens(inputs[name][row].tolist(), model.tokenizer)
    return Reading(moved, "decoder" if model.has_decoder else stack, texts=texts)


def _check(model: HuggingFaceModel, encoded: Any) -> None:
    """There is something to read, and it fits; some tokenizers leave out all of a text, such as control characters."""
    if all(encoded["special_tokens_mask"]):
        raise EmptyText
    _check_length(model, len(encoded["input_ids"]))


def _check_length(model: HuggingFaceModel, length: int) -> None:
    if model.max_len is not None and length > model.max_len:
        raise TextTooLong(length, model.max_len)
