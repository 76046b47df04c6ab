"""Meaning of the outputs of a Hugging Face model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from attnviz.huggingface.labels import label_of
from attnviz.huggingface.reading import Reading
from attnviz.huggingface.sample import text_part
from attnviz.trace import Outputs, Tokens

if TYPE_CHECKING:
    from attnviz.huggingface.model import HuggingFaceModel

__all__ = ["ANSWER", "ENDS", "outputs_of"]

ANSWER = "answer"
"""Name of the sequence of an answer's two ends."""

ENDS = Tokens((), ("<start>", "<end>"), specials=(0, 1))


def outputs_of(model: HuggingFaceModel, reading: Reading, shape: torch.Size | None) -> Outputs | None:
    """Meaning of logits of this shape: tokens (B, T, vocabulary), labels of tokens (B, T, n) or of the whole (B, n).

    Start and end of an answer are (B, 2, T), the score of a text to choose is (B, 1). None for a model that ends with
    its residual stream, or with something else.
    """
    config, tokenizer = model.config, model.tokenizer
    if shape is None or len(shape) not in (2, 3):
        return None
    vocabulary, labels = getattr(text_part(config), "vocab_size", None), _labels(model)
    kind = type(model.network).__name__
    if model.chooses:
        return Outputs("values", reading.main, str)
    if kind.endswith("ForQuestionAnswering"):
        tokens = reading.texts[reading.main].labels if reading.main in reading.texts else ()
        if shape[1:] != (2, len(tokens)):
            return None
        return Outputs("span", ANSWER, lambda index: f"{index}:{tokens[index].strip()}", (0, 1))
    if shape[-1] == len(labels) and shape[-1] != vocabulary:
        return Outputs("label" if len(shape) == 2 else "labels", reading.main, labels.__getitem__)
    if len(shape) == 2 or shape[-1] != vocabulary:
        return None

    def label(index: int) -> str:
        return str(index) if tokenizer is None else label_of(tokenizer, index)

    if reading.main == "decoder":
        return Outputs("next", "decoder", label)
    if reading.main not in reading.texts:  # a token for each moment of a sound
        return Outputs("labels", reading.main, label)
    ids = reading.texts[reading.main].ids
    hidden = None if tokenizer is None else tokenizer.mask_token_id
    return Outputs("masked", reading.main, label, tuple(at for at, index in enumerate(ids) if index == hidden))


def _labels(model: HuggingFaceModel) -> dict[int, str]:
    """Names of the classes as the configuration has them, or as BERT's authors call those of the next sentence."""
    if "NextSentencePrediction" in type(model.network).__name__:
        return {0: "IsNext", 1: "NotNext"}
    if type(model.network).__name__ == "ElectraForPreTraining":
        return {0: "original", 1: "replaced"}
    return {int(index): str(label) for index, label in (model.config.id2label or {}).items()}
