"""Inputs of a model, and so of the page that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from attnviz.models import SequenceModel
from attnviz.server.open_models import AnyModel

__all__ = ["Reads", "reads_of"]

Second = Literal["", "target", "sentence", "context"]


@dataclass(frozen=True)
class Reads:
    """Inputs of a model.

    Attributes:
        text: whether it reads a text.
        second: a second one: "target" for the decoder of an encoder-decoder, "sentence" for an encoder, "context" for
            one that answers the first text from the second, or "".
        image: whether it looks at an image.
        continues: whether it can go on with a text.
        mask: the token that stands for a hidden one; "" where it has none.
    """

    text: bool = True
    second: Second = ""
    image: bool = False
    continues: bool = False
    mask: str = ""


def reads_of(model: AnyModel) -> Reads:
    """Return the inputs of an open model.

    Raises:
        CannotShow: it turns out that its attention cannot be shown.
    """
    architecture = model.facts.architecture
    second: Second = "target" if architecture == "encoder-decoder" else ""
    if isinstance(model, SequenceModel):
        return Reads(second=second, continues=architecture == "decoder")
    tokenizer = model.tokenizer
    mask = ""
    if architecture == "encoder" and tokenizer is not None:
        if tokenizer.num_special_tokens_to_add(pair=True) > tokenizer.num_special_tokens_to_add(pair=False):
            second = "context" if model.facts.kind.endswith("ForQuestionAnswering") else "sentence"
        mask = str(tokenizer.mask_token or "") if model.facts.kind.endswith("MaskedLM") else ""
    return Reads(
        text=model.reads_text,
        second=second,
        image=model.sees_images,
        continues=architecture == "decoder" and model.network.can_generate(),
        mask=mask,
    )
