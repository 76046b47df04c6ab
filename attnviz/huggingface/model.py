"""A Hugging Face model as attnviz uses it: the network, what feeds it, and what is known of how it attends."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from attnviz.errors import CannotSample, ModelFailed, NotAModel
from attnviz.guard import guarded
from attnviz.huggingface.place import Place
from attnviz.huggingface.sample import has_decoder, sample, text_part
from attnviz.huggingface.structure import Structure, survey
from attnviz.models import ModelFacts
from attnviz.trace import AttentionSite

__all__ = ["HuggingFaceModel", "innermost", "wrap"]


GREEDY: dict[str, Any] = {
    "do_sample": False,
    "num_beams": 1,
    "num_return_sequences": 1,
    "return_dict_in_generate": False,
    "output_attentions": False,
    "output_hidden_states": False,
    "output_scores": False,
    "output_logits": False,
    "guidance_scale": None,
    "prompt_lookup_num_tokens": None,
    "assistant_early_exit": None,
    "penalty_alpha": None,
    "dola_layers": None,
    "max_time": None,
    "stop_strings": None,
    "cache_implementation": None,
}
"""How a network writes whatever its generation_config says: the most probable token each time, one at a time."""


@dataclass
class _Known:
    """Facts found by running a network, shared by all that wrap it."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    structure: Structure | None = None


_known: WeakKeyDictionary[PreTrainedModel, _Known] = WeakKeyDictionary()
_known_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class HuggingFaceModel:
    """A model of the transformers library.

    Attributes:
        network: the model itself. Nothing of it is ever changed.
        tokenizer: tokenizer of its text; None where it reads none.
        processor: processor of its images or sounds; None where it takes none.
        name: under which it was opened.
        whole_processor: of texts with images in them, of a model that reads both in one; None for others.
        render: puts a text into the model's chat template; None: its tokenizer does, in this process.
    """

    network: PreTrainedModel = field(repr=False)
    tokenizer: PreTrainedTokenizerBase | None = field(repr=False)
    processor: Any = field(repr=False)
    name: str
    whole_processor: Any = field(default=None, repr=False)
    render: Callable[[str], str] | None = field(default=None, repr=False)

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
            kind=type(self.network).__name__,
        )

    def _architecture(self) -> str:
        if self.has_decoder:
            return "encoder-decoder"
        return {"text": "two encoders"}.get(self.text_stack, self.text_stack)

    @property
    def text_stack(self) -> str:
        """Name of the sequence that the model's own text is: "encoder", "decoder", or "text" beside an image."""
        if self.has_decoder:
            return "encoder"
        if self.reads_text and self.sees_images:
            return "decoder" if self.writes else "text"
        return "decoder" if self.structure.causal else "encoder"

    @cached_property
    def has_decoder(self) -> bool:
        """Whether a decoder reads what an encoder made."""
        return has_decoder(self.network)

    @property
    def writes(self) -> bool:
        """Whether it can go on with a text."""
        return bool(self.network.can_generate())

    @property
    def chooses(self) -> bool:
        """Whether it chooses among several texts."""
        return type(self.network).__name__.endswith("ForMultipleChoice")

    @property
    def hears_sound(self) -> bool:
        """Whether it takes a sound, or its features."""
        return bool({"input_features", "input_values"} & self.parameters)

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

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Ids of the tokens that end a text; some models have several."""
        configs = [self.config, text_part(self.config), getattr(self.network, "generation_config", None)]
        given = [getattr(config, "eos_token_id", None) for config in configs]
        several = [one if isinstance(one, list | tuple) else [one] for one in given]
        return tuple(dict.fromkeys(index for ids in several for index in ids if isinstance(index, int)))

    @property
    def module_names(self) -> dict[torch.nn.Module, str]:
        """Paths of all modules, as they are now."""
        return {module: name for name, module in self.network.named_modules()}

    def block_of(self, place: Place | AttentionSite) -> torch.nn.Module:
        """Return the block that a layer of attention is part of."""
        wanted = (place.stack, place.layer, place.kind)
        found = next(p for p in self.structure.places.values() if (p.stack, p.layer, p.kind) == wanted)
        return self.network.get_submodule(found.module.rpartition(".")[0])  # type: ignore[no-any-return]

    @cached_property
    def max_len(self) -> int | None:
        """Tokens that fit into a text; None when its positions are not bounded, or it reads none."""
        config = text_part(self.config)
        limit = getattr(config, "max_position_embeddings", None)
        if not (self.reads_text or self.has_decoder) or not isinstance(limit, int) or limit < 1:
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
        """Structure of its attention, found when first asked for.

        Raises:
            CannotShow: its attention cannot be shown truly; the message names the layer.
        """
        return self.look()

    def look(self, inputs: Mapping[str, Tensor] | None = None) -> Structure:
        """Learn where it attends, from something short or, where nobody knows what that could be, from real inputs.

        Raises:
            CannotShow: see `structure`.
        """
        known = self._shared
        with known.lock:
            if known.structure is None or not known.structure.fits(self.network):
                try:
                    with self.running():
                        known.structure = self._survey(*sample(self.network, self.parameters, self.name))
                except (CannotSample, ModelFailed):
                    if inputs is None:
                        raise
                    lengths = {size for tensor in inputs.values() for size in tensor.shape[1:]}
                    with self.running():
                        known.structure = self._survey(inputs, lengths)
            return known.structure

    def _survey(self, inputs: Mapping[str, Tensor], lengths: set[int]) -> Structure:
        return survey(self.network, self.name, lambda: self.forward(inputs), lengths)

    @property
    def lock(self) -> AbstractContextManager[bool]:
        """Held by the one thread that runs the network, hangs hooks on it or looks for some."""
        return self._shared.lock

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
            for config in self._configs:
                if not config.return_dict:  # outputs have names then
                    config.return_dict = True
                    stack.callback(setattr, config, "return_dict", False)
            stack.enter_context(guarded(self.name))
            yield

    @cached_property
    def _configs(self) -> list[Any]:
        """The configuration of the network and those of its parts."""
        found = [getattr(module, "config", None) for module in self.network.modules()]
        return [config for config in {id(c): c for c in found}.values() if hasattr(config, "return_dict")]

    def forward(self, inputs: Mapping[str, Tensor]) -> Any:
        """The network's outputs by name, nothing cached. One that chooses does so among the rows of the batch."""
        if self.chooses:
            inputs = {name: tensor[None] for name, tensor in inputs.items()}
        return self.network(**inputs, **self._options)

    def stream(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Return the residual stream that the unembedding reads (B, T, d_model), of a network that ends plainly."""
        stream: Tensor = self.network.base_model(**inputs, **self._options)[0]
        return stream

    @property
    def _options(self) -> dict[str, bool]:
        options = {"use_cache": False, "return_dict": True}
        return {name: value for name, value in options.items() if name in self.parameters}

    def write(self, inputs: Mapping[str, Tensor], max_new: int, **otherwise: Any) -> Tensor:
        """Generate ids (B, T), the most probable token each time, with the given text in front.

        Args:
            inputs: inputs of its `forward`, by name.
            max_new: tokens at most.
            otherwise: other settings of `generate`, in place of those of `GREEDY`.
        """
        with self.running():
            ids: Tensor = self.network.generate(**inputs, **{**GREEDY, "max_new_tokens": max_new, **otherwise})
        return ids


def innermost(model: Any) -> Any:
    """Return the model of transformers in what was put around it: by torch.compile, or by peft for LoRA and its kin.

    Raises:
        NotAModel: an adapter that works on the model's inputs, as prompt tuning does, which the model alone lacks.
    """
    model = getattr(model, "_orig_mod", model)  # a compiled model runs its own code; the model below it is the same
    if hasattr(model, "peft_config") and hasattr(model, "get_base_model"):
        if any(config.is_prompt_learning for config in model.peft_config.values()):
            raise NotAModel(f"{type(model).__name__} with tokens of its own before the text")
        return model.get_base_model()
    return model


def wrap(model: PreTrainedModel, tokenizer: Any = None, processor: Any = None, name: str = "") -> HuggingFaceModel:
    """Return a loaded model with what feeds it; a processor of several things is taken apart.

    Args:
        model: model of the transformers library, compiled or not.
        tokenizer: its tokenizer, or a processor that contains one.
        processor: processor of its images or sounds, likewise.
        name: name for messages; by default the name under which it was loaded, or its class.
    """
    model = innermost(model)
    given = [part for part in (tokenizer, processor) if part is not None]
    parts = list(given)
    for part in given:
        parts += [
            getattr(part, name) for name in ("tokenizer", "image_processor", "feature_extractor") if hasattr(part, name)
        ]
    tokenizers = [part for part in parts if isinstance(part, PreTrainedTokenizerBase)]
    others = [part for part in parts if hasattr(part, "image_mean") or hasattr(part, "sampling_rate")]
    wholes = [part for part in given if hasattr(part, "tokenizer") and hasattr(part, "image_processor")]
    name = name or str(getattr(model.config, "name_or_path", "")) or type(model).__name__
    first = [found[0] if found else None for found in (tokenizers, others, wholes)]
    return HuggingFaceModel(model, first[0], first[1], name, first[2])
