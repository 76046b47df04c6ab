"""Limits of a text's length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.errors import TextOverLimit, TextTooLong
from attnviz.texts import check_text

if TYPE_CHECKING:
    from attnviz.huggingface import HuggingFaceModel

__all__ = ["MAX_TOKENS", "check_length"]

MAX_TOKENS = 2048
"""Tokens of a Hugging Face model's text that the pages show."""


def check_length(model: HuggingFaceModel, text: str, second: str = "") -> None:
    """Count tokens, before anything else is done with a text that may be of any length.

    Raises:
        TextTooLong: the model reads fewer.
        TextOverLimit: the pages show fewer.
    """
    if model.tokenizer is None:
        return
    apart = model.facts.architecture == "encoder-decoder"
    texts = [(text, None), (second, None)] if apart else [(text, second or None)]
    limit = MAX_TOKENS if model.max_len is None else min(MAX_TOKENS, model.max_len)
    for each in texts:
        for part in filter(None, each):
            check_text(part)
        length = len(model.tokenizer(*each, verbose=False)["input_ids"])
        if length > limit:
            raise (TextTooLong if limit == model.max_len else TextOverLimit)(length, limit)
