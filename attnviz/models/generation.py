"""Continuation: what the model itself would write next, or which numbers it expects."""

from __future__ import annotations

import torch

from attnviz.errors import DoesNotWrite, NotAModel, TextTooLong
from attnviz.models.bundle import SequenceModel
from attnviz.texts import check_text
from attnviz.vectors import Vectors

__all__ = ["generate"]


@torch.inference_mode()
def generate(model: SequenceModel, text: str, target: str = "", *, max_new: int | None = None) -> str:
    """The text with the most probable symbol appended again and again, until `<eos>`, `max_new` or the model's limit.

    Args:
        model: a decoder, or an encoder-decoder; of numbers, it appends its forecast.
        text: what a decoder continues; the source of an encoder-decoder.
        target: the beginning of an encoder-decoder's target.
        max_new: symbols to append at most; None: as many as fit.

    Returns:
        The whole continued text (of an encoder-decoder: the whole target).

    Raises:
        NotAModel: it is no model of attnviz; those of transformers write in `attnviz.trace_generated`.
        DoesNotWrite: the model is an encoder, which predicts no next symbol.
        InputError: the text cannot be read.
    """
    if not isinstance(model, SequenceModel):
        raise NotAModel(type(model).__name__)
    if model.config.architecture == "encoder":
        raise DoesNotWrite(model.card.name, "encoder")
    check_text(text)
    check_text(target)
    source = None
    if model.source_tokenizer is not None:
        ids = model.source_tokenizer.encode(text)
        if len(ids) > (model.config.source_max_len or 0):
            raise TextTooLong(len(ids), model.config.source_max_len or 0)
        source, text = torch.tensor([ids]), target
    tokenizer = model.tokenizer
    if isinstance(tokenizer, Vectors):
        return _forecast(model, tokenizer, text, max_new)
    tokens = [tokenizer.bos_id] * tokenizer.add_bos + tokenizer.encode_symbols(tokenizer.split(text))
    if len(tokens) > model.config.max_len:
        raise TextTooLong(len(tokens), model.config.max_len)
    start = len(tokens)
    while len(tokens) < model.config.max_len and (max_new is None or len(tokens) < start + max_new):
        logits = model.network(torch.tensor([tokens]), source)[0, -1]  # (V,)
        following = int(logits.argmax())
        if following < tokenizer.n_specials:
            break
        tokens.append(following)
    separator = " " if tokenizer.kind == "symbols" else ""
    added = tokenizer.decode(tokens[start:])
    return separator.join(part for part in (text.rstrip() if separator else text, added) if part)


def _forecast(model: SequenceModel, vectors: Vectors, text: str, max_new: int | None) -> str:
    """Return numbers followed by those that the model predicts one after the other, as many as it can read."""
    ids, features = vectors.encode(text), vectors.features(text)
    if len(ids) > model.config.max_len:
        raise TextTooLong(len(ids), model.config.max_len)
    start, most = len(ids), model.config.max_len
    end = most if max_new is None else min(most, start + max_new)
    while len(ids) < end:
        following = model.network(torch.tensor([ids]), features=features[None])[0, -1:]  # (1, width)
        features = torch.cat((features, following.clamp(vectors.low, vectors.high)))
        ids.append(ids[-1])
    return " ".join(filter(None, (text.rstrip(), vectors.decode(ids[start:], features[start:]))))
