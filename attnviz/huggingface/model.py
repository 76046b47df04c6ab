"""A Hugging Face model as attnviz uses it: the network, what feeds it, and what is known of how it attends."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from attnviz.guard import guarded
from attnviz.huggingface.place import Place
from attnviz.huggingface.sample import sample
from attnviz.huggingface.structure import Structure, survey
from attnviz.models import ModelFacts
from attnviz.trace import AttentionSite

__all__ = ["HuggingFaceModel", "wrap"]


@dataclass
class _Known:
    """What was learnt of a network; shared by all that wrap it."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    structure: Structure | None = None


_known: WeakKeyDictionary[PreTrainedModel, _Known] = WeakKeyDictionary()
_known_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class HuggingFaceModel:
    """A model of the transformers library.

    Attributes:
        network: the model itself. Nothing of it is ever changed.
        tokenizer: of its text; None where it reads none.
        processor: of its images or sounds; None where it takes none.
        name: under which it was opened.
    """

    network: PreTrainedModel = field(repr=False)
    tokenizer: PreTrainedTokenizerBase | None = field(repr=False)
    processor: Any = field(repr=False)
    name: str

    @property
    def config(self) -> Any:
        """The network's configuration."""
        return self.network.config

    @cached_property
    def facts(self) -> ModelFacts:
        """Name, size and kind."""
        return ModelFacts(
            name=self.name,
            title=self.name.rsplit("/", 1)[-1],
            task="",
            architecture=self._architecture(),
            n_parameters=self.network.num_parameters(),
            max_len=self.max_len,
            positions="",
            norm="",
            kind=type(self.network).__name__,
        )

    def _architecture(self) -> str:
        if self.reads_text and self.sees_images:
            return "two encoders"
        if self.config.is_encoder_decoder:
            return "encoder-decoder"
        return "decoder" if self.structure.causal else "encoder"

    @property
    def reads_text(self) -> bool:
        """Whether it takes token ids."""
        return "input_ids" in self.parameters

    @property
    def sees_images(self) -> bool:
        """Whether it takes an image."""
        return "pixel_values" in self.parameters

    @cached_property
    def parameters(self) -> frozenset[str]:
        """Names of what its `forward` takes."""
        return frozenset(inspect.signature(self.network.forward).parameters)

    @property
    def module_names(self) -> dict[torch.nn.Module, str]:
        """Paths of all modules, as they are now."""
        return {module: name for name, module in self.network.named_modules()}

    def block_of(self, place: Place | AttentionSite) -> torch.nn.Module:
        """The block that a layer of attention is part of."""
        wanted = (place.stack, place.layer, place.kind)
        found = next(p for p in self.structure.places.values() if (p.stack, p.layer, p.kind) == wanted)
        return self.network.get_submodule(found.module.rpartition(".")[0])  # type: ignore[no-any-return]

    @cached_property
    def max_len(self) -> int | None:
        """Tokens that fit into a text; None when its positions are not bounded, or it reads none."""
        config = self.config.text_config if hasattr(self.config, "text_config") else self.config
        limit = getattr(config, "max_position_embeddings", None)
        if not self.reads_text or not isinstance(limit, int) or limit < 1:
            return None
        # some count positions from behind the padding's id, so that the first ones stay unused
        unused = [
            module.padding_idx + 1
            for name, module in self.network.named_modules()
            if isinstance(module, torch.nn.Embedding)
            and "position" in name
            and module.padding_idx is not None
            and module.num_embeddings == limit
        ]
        return limit - max(unused, default=0)

    @property
    def structure(self) -> Structure:
        """Where it attends; learnt on the first question.

        Raises:
            CannotShow: its attention cannot be shown truly; the message names the layer.
        """
        known = self._shared
        with known.lock:
            if known.structure is None or not known.structure.fits(self.network):
                with self.running():
                    inputs, lengths = sample(self.network, self.parameters)
                    known.structure = survey(self.network, self.name, lambda: self.forward(inputs), lengths)
            return known.structure

    @property
    def _shared(self) -> _Known:
        with _known_lock:
            return _known.setdefault(self.network, _Known())

    @contextmanager
    def running(self) -> Iterator[None]:
        """One thread at a time, in evaluation mode and without gradients; afterwards the network is as it was.

        Raises:
            AttnvizError: whatever the network raises, see `guarded`.
        """
        with ExitStack() as stack:
            stack.enter_context(self._shared.lock)
            stack.enter_context(torch.inference_mode())
            training = [module for module in self.network.modules() if module.training]
            for module in training:
                module.training = False
                stack.callback(setattr, module, "training", True)
            stack.enter_context(guarded(self.name))
            yield

    def forward(self, inputs: Mapping[str, Tensor]) -> Any:
        """The network's outputs by name, nothing cached."""
        return self.network(**inputs, **self._options)

    def stream(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The residual stream that the unembedding reads (B, T, d_model), of a network that ends plainly."""
        stream: Tensor = self.network.base_model(**inputs, **self._options)[0]
        return stream

    @property
    def _options(self) -> dict[str, bool]:
        options = {"use_cache": False, "return_dict": True}
        return {name: value for name, value in options.items() if name in self.parameters}

    def write(self, inputs: Mapping[str, Tensor], max_new: int) -> Tensor:
        """What the network writes, the most probable token each time: ids (B, T), its own text before them.

        Args:
            inputs: of its `forward`, by name.
            max_new: tokens at most.
        """
        with self.running():
            ids: Tensor = self.network.generate(**inputs, max_new_tokens=max_new, num_beams=1, do_sample=False)
        return ids


def wrap(model: PreTrainedModel, tokenizer: Any = None, processor: Any = None, name: str = "") -> HuggingFaceModel:
    """A loaded model with what feeds it; a processor of several things is taken apart.

    Args:
        model: of the transformers library, compiled or not.
        tokenizer: its tokenizer, or a processor that contains one.
        processor: of its images or sounds, likewise.
        name: for messages; by default the name under which it was loaded, or its class.
    """
    model = getattr(model, "_orig_mod", model)  # a compiled model runs its own code; the model below it is the same
    both = [part for part in (tokenizer, processor) if part is not None]
    for part in list(both):
        both += [
            getattr(part, name) for name in ("tokenizer", "image_processor", "feature_extractor") if hasattr(part, name)
        ]
    tokenizers = [part for part in both if isinstance(part, PreTrainedTokenizerBase)]
    others = [part for part in both if hasattr(part, "image_mean") or hasattr(part, "sampling_rate")]
    name = name or str(getattr(model.config, "name_or_path", "")) or type(model).__name__
    return HuggingFaceModel(model, tokenizers[0] if tokenizers else None, others[0] if others else None, name)
