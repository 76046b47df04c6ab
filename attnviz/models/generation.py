"""Continuation: what the model itself would write next, or which numbers it expects."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from attnviz.errors import DoesNotWrite, NotAModel, TextTooLong
from attnviz.models.bundle import SequenceModel
from attnviz.models.network import Network
from attnviz.texts import check_text
from attnviz.tokenizers import Tokenizer
from attnviz.vectors import Vectors

__all__ = ["beginning", "generate", "greedy", "joined"]


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
    if isinstance(model.tokenizer, Vectors) and model.config.architecture == "decoder":
        check_text(text)
        return _forecast(model, model.tokenizer, text, max_new)
    tokens, ids = beginning(model, text, target)
    tokenizer, source = model.tokenizer, None if ids is None else torch.tensor([ids])
    encoded = None if source is None else model.network.encode(source)
    start = len(tokens)
    while len(tokens) < model.config.max_len and (max_new is None or len(tokens) < start + max_new):
        logits = model.network(torch.tensor([tokens]), source, encoded=encoded)[0, -1]  # (V,)
        following = int(logits.argmax())
        if following < tokenizer.n_specials:
            break
        tokens.append(following)
    return joined(model, text if ids is None else target, tokens[start:])


@torch.inference_mode()
def greedy(network: Network, source: Tensor, padding: Tensor | None, limit: int) -> list[list[int]]:
    """Write the targets of several sources at once, each with the most probable token, until `<eos>`.

    Args:
        network: an encoder-decoder.
        source: (B, Ts) int64.
        padding: (B, Ts) bool, True for real tokens; None when all are real.
        limit: tokens that are read of a target at most, `<bos>` included.

    Returns:
        The ids of each target, without `<bos>` and `<eos>`.
    """
    network.eval()
    encoded = network.encode(source, padding)
    tokens = torch.full((len(source), 1), Tokenizer.bos_id)  # (B, T)
    ended = torch.zeros(len(source), dtype=torch.bool)
    while not bool(ended.all()) and tokens.shape[1] < limit:
        logits = network(tokens, source, source_padding=padding, encoded=encoded)[:, -1]  # (B, V)
        following = logits.argmax(-1)
        ended = ended | (following < Tokenizer.n_specials)
        tokens = torch.cat((tokens, following.masked_fill(ended, Tokenizer.eos_id)[:, None]), 1)
    return [[token for token in row if token >= Tokenizer.n_specials] for row in tokens.tolist()]


def beginning(model: SequenceModel, text: str, target: str = "") -> tuple[list[int], list[int] | None]:
    """Return what a model begins to write with: the ids that its decoder reads first, and those of its source.

    Args:
        model: a model of symbols.
        text: what a decoder continues; the source of an encoder-decoder.
        target: the beginning of an encoder-decoder's target.

    Raises:
        DoesNotWrite: the model is an encoder.
        InputError: the text cannot be read.
    """
    if model.config.architecture == "encoder":
        raise DoesNotWrite(model.card.name, "encoder")
    check_text(text)
    check_text(target)
    source = None
    if model.source_tokenizer is not None:
        source, text = model.source_tokenizer.encode(text), target
        if len(source) > (model.config.source_max_len or 0):
            raise TextTooLong(len(source), model.config.source_max_len or 0)
    tokenizer = model.tokenizer
    assert isinstance(tokenizer, Tokenizer)  # numbers are forecast, not written
    tokens = [tokenizer.bos_id] * tokenizer.add_bos + tokenizer.encode_symbols(tokenizer.split(text))
    if len(tokens) > model.config.max_len:
        raise TextTooLong(len(tokens), model.config.max_len)
    return tokens, source


def joined(model: SequenceModel, text: str, added: Sequence[int]) -> str:
    """Return a text with the symbols that were written after it."""
    tokenizer = model.tokenizer
    assert isinstance(tokenizer, Tokenizer)
    return tokenizer.join((tokenizer.vocab[index] for index in added if index >= tokenizer.n_specials), text)


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
