"""The chat template of a model: what it reads of a text that somebody says to it.

A template is a program that came with the model's files. transformers runs it where it reaches nothing, but lets it
take any time and memory; who does not trust it hands the model a `render` that bounds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attnviz.errors import TemplateFailed
from attnviz.guard import is_out_of_memory, reason_of
from attnviz.texts import check_text

if TYPE_CHECKING:
    from attnviz.huggingface.model import HuggingFaceModel

__all__ = ["prompt_of", "render", "template_of"]


def template_of(model: HuggingFaceModel) -> bool:
    """Whether a model is told by a template who speaks."""
    return not model.has_decoder and bool(getattr(model.tokenizer, "chat_template", None))


def prompt_of(model: HuggingFaceModel, text: str) -> str:
    """Return what a model with a template reads of a text.

    Raises:
        TemplateFailed: the template refuses the text, or is broken.
    """
    return model.render(text) if model.render else render(model.tokenizer, text, model.name)


def render(tokenizer: Any, text: str, name: str) -> str:
    """Put a text into a tokenizer's template, as the first message of the user.

    Args:
        name: of the model, for messages.

    Raises:
        TemplateFailed: the template refuses the text, or is broken.
    """
    asked = [{"role": "user", "content": text}]
    try:
        prompt = str(tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True))
        check_text(prompt)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise TemplateFailed(name, reason_of(error)) from error
    return prompt
