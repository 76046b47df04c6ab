"""Opening a model and trying it on little, inside of the process that is sealed off."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from attnviz.errors import InputError, TemplateFailed, UploadGrows
from attnviz.errors.base import Why
from attnviz.huggingface import HuggingFaceModel, open_folder
from attnviz.huggingface.chat import render
from attnviz.huggingface.labels import name_tokens
from attnviz.huggingface.load import open_tokenizer
from attnviz.loading import is_hugging_face
from attnviz.models import SequenceModel, load_model
from attnviz.sandbox.heartbeat import Heartbeat
from attnviz.tracing import trace as trace_of

__all__ = ["MAX_GROWTH", "MAX_PROMPT", "MAX_TOKEN", "Trial"]

MAX_TOKEN = 1000
"""Characters of the longest token of a vocabulary."""

MAX_GROWTH = 100
"""Times that the rules of a tokenizer may lengthen what they decode."""

MAX_PROMPT = 2**16
"""Characters that a chat template may make of a text."""

PARTS = ("decoders", "normalizers", "pretokenizers")  # of the rules of a tokenizer
TEXTS = ("a", "The quick brown fox jumps over the lazy dog. 0123456789", "你好，世界")


class Trial:
    """A model that nobody has reason to trust."""

    def __init__(self, folder: Path, title: str) -> None:
        self.folder, self.title = folder, title
        self.tokenizer: Any = None
        torch.set_num_threads(1)

    def open(self, tell: Callable[[str], None], whole: bool) -> Mapping[str, Any]:
        """Open it, run it on something short, and have its tokenizer read a few texts.

        Args:
            tell: is told each step.
            whole: False: of a model that passed before, its tokenizer alone.

        Returns:
            "hold": the longest time in which nobody else would have been answered, in seconds; "tokens": whether it has
            a tokenizer of its own.

        Raises:
            AttnvizError: it cannot be opened, or its tokenizer makes more of texts than it may.
        """
        tell("opening")
        with Heartbeat() as heartbeat:
            if not is_hugging_face(self.folder):
                own = load_model(self.folder)
            elif whole:
                model = open_folder(self.folder, self.title)
                self.tokenizer = model.tokenizer
            else:
                self.tokenizer = open_tokenizer(self.folder, self.title)
        if whole:
            tell("running")
            self._run(model if is_hugging_face(self.folder) else own)
            tell("reading")
            self._check_tokens()
        return {"hold": heartbeat.longest, "tokens": self.tokenizer is not None}

    def _run(self, model: SequenceModel | HuggingFaceModel) -> None:
        """Do what a first look does."""
        _ = model.facts
        if isinstance(model, SequenceModel):
            return
        image = Image.new("RGB", (97, 61), (90, 120, 150)) if model.sees_images else None
        try:
            trace = trace_of(model, "a", image=image)
            for site in trace.sites[:1]:
                site.weights(0)
        except InputError:  # it reads something else, such as sounds, or tells its needs of each text
            return

    def _check_tokens(self) -> None:
        if self.tokenizer is None:
            return
        longest = max(map(len, self.tokenizer.get_vocab()), default=0)
        if longest > MAX_TOKEN:
            raise UploadGrows(self.title, Why("long-token", length=longest), f"{MAX_TOKEN:,}")
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is not None and backend.decoder is not None:
            rules = json.loads(backend.decoder.__getstate__())
            if growth(rules) > MAX_GROWTH:
                raise UploadGrows(self.title, Why("long-text", times=f"{growth(rules):,.0f}"), f"{MAX_GROWTH}")
        self.read([(text, None) for text in TEXTS])

    def read(self, texts: Sequence[tuple[str, str | None]]) -> None:
        """Have its tokenizer read texts, each with a second one or None, as the server would."""
        if self.tokenizer is None:
            return
        for text, second in texts:
            encoded = self.tokenizer(text, second, return_special_tokens_mask=True, verbose=False)
            name_tokens(self.tokenizer, encoded, text, second)
            self.tokenizer(text_target=text, verbose=False)
            self.tokenizer.decode(encoded["input_ids"])

    def render(self, text: str) -> Mapping[str, str]:
        """Put a text into the chat template, and have the tokenizer read what comes of it.

        Returns:
            "prompt": what the model reads.

        Raises:
            TemplateFailed: the template refuses the text, is broken, or makes too much of it.
        """
        prompt = render(self.tokenizer, text, self.title)
        if len(prompt) > MAX_PROMPT:
            length, limit = f"{len(prompt):,}", f"{MAX_PROMPT:,}"
            raise TemplateFailed(self.title, Why("template-long", length=length, limit=limit))
        self.read([(prompt, None)])
        return {"prompt": prompt}


def growth(rules: Any) -> float:
    """Bound the characters that rules of a tokenizer make of one, where they follow each other.

    Args:
        rules: as a tokenizer.json has them: an object with a "type".

    Example:
        >>> growth({"type": "Replace", "pattern": {"String": "a"}, "content": "aaa"})
        4
        >>> growth({"type": "Sequence", "decoders": [{"type": "Replace", "content": "xx"}] * 3})
        27
    """
    if not isinstance(rules, dict):
        return 1
    if rules.get("type") == "Sequence":
        return prod(growth(each) for name in PARTS for each in rules.get(name) or ())
    added = [value for name, value in rules.items() if name != "type" and isinstance(value, str)]
    return 1 + sum(map(len, added)) if rules.get("type") in ("Replace", "Prepend", "Metaspace", "BPEDecoder") else 1
