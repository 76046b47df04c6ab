"""Describe a model from its files without reading its weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from attnviz.errors import AttnvizError
from attnviz.library import ModelFolder
from attnviz.models.config import ModelConfig
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.recurrent_config import AnyConfig, config_from_dict
from attnviz.models.weight_files import stored_parameters

__all__ = ["Outline", "architecture_of", "outline_of", "outline_of_config", "outline_of_network", "size_of"]


@dataclass(frozen=True)
class Outline:
    """A model in numbers; None for what its files do not say.

    Attributes:
        kind: class of the network; "" for those of attnviz.
        architecture: "encoder", "decoder", "encoder-decoder", "two encoders"; "" where it cannot be told.
        layers: layers of each stack: two numbers for an encoder-decoder of two stacks; empty where it is not said.
        heads: heads of a layer; 0 where nothing attends.
        kv_heads: heads of keys and values, where they are fewer.
        receptive_field: positions that an output of a convolutional network depends on; None for other networks.
        d_model: numbers of a token between the layers.
        n_parameters: numbers in its weights.
        nbytes: bytes of its files on the disk.
        context: tokens that fit into a text.
    """

    kind: str = ""
    architecture: str = ""
    layers: tuple[int, ...] = ()
    heads: int | None = None
    kv_heads: int | None = None
    receptive_field: int | None = None
    d_model: int | None = None
    n_parameters: int | None = None
    nbytes: int | None = None
    context: int | None = None


LAYERS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers", "encoder_layers")
HEADS = ("num_attention_heads", "n_heads", "n_head", "num_heads", "encoder_attention_heads")
WIDTH = ("hidden_size", "d_model", "n_embd", "dim")
CONTEXT = ("max_position_embeddings", "n_positions")
DECODER_LAYERS = ("decoder_layers", "num_decoder_layers")
CLASSES = {
    "MaskedLM": "encoder",
    "ForCausalLM": "decoder",
    "LMHeadModel": "decoder",
    "ForConditionalGeneration": "encoder-decoder",
    "ForImageClassification": "encoder",
}


def outline_of(model: ModelFolder) -> Outline:
    """Describe a model from its config.json and the list of tensors in its weights."""
    config, own = model.config, model.config.get("model")
    outline, n_parameters = Outline(architecture=model.architecture), None
    with suppress(AttnvizError):  # opening it says what is wrong
        if model.transformers:
            outline = outline_of_config(config, model.architecture)
        else:
            outline = outline_of_network(config_from_dict(own if isinstance(own, dict) else {}))
        n_parameters = stored_parameters(model.folder)
    return replace(outline, n_parameters=n_parameters, nbytes=size_of(model.folder.glob("*")))


def outline_of_network(config: AnyConfig) -> Outline:
    """Describe a model from the configuration of one of our networks."""
    kv_heads = config.n_kv_heads if isinstance(config, ModelConfig) else None
    receptive_field = config.receptive_field if isinstance(config, ConvolutionalConfig) else None
    return Outline(
        architecture=config.architecture,
        layers=(config.n_layers,) * (2 if config.architecture == "encoder-decoder" and receptive_field is None else 1),
        heads=config.n_heads,
        kv_heads=None if kv_heads == config.n_heads else kv_heads,
        receptive_field=receptive_field,
        d_model=config.d_model,
        context=config.max_len,
    )


def outline_of_config(config: Mapping[str, Any], kind: str) -> Outline:
    """Describe a model from a configuration of transformers and its class."""
    text, architecture = config.get("text_config"), architecture_of(config, kind)
    values = text if isinstance(text, dict) else config
    heads, kv_heads = _number(values, HEADS), _number(values, ("num_key_value_heads",))
    return Outline(
        kind=kind,
        architecture=architecture,
        layers=_layers(values, architecture == "encoder-decoder"),
        heads=heads,
        kv_heads=None if kv_heads == heads else kv_heads,
        d_model=_number(values, WIDTH),
        context=_number(values, CONTEXT),
    )


def architecture_of(config: Mapping[str, Any], kind: str) -> str:
    """Return the architecture that a configuration of transformers and a class name imply; "" if they do not tell.

    Example:
        >>> architecture_of({"is_encoder_decoder": False}, "BertForMaskedLM")
        'encoder'
    """
    if config.get("is_encoder_decoder") is True:
        return "encoder-decoder"
    if isinstance(config.get("vision_config"), dict) and isinstance(config.get("text_config"), dict):
        return "two encoders"
    return next((known for end, known in CLASSES.items() if kind.endswith(end)), "")


def size_of(files: Iterable[Path]) -> int:
    """Return the bytes of files; 0 where one cannot be read."""
    try:
        return sum(file.stat().st_size for file in files if file.is_file())
    except OSError:
        return 0


def _layers(values: Mapping[str, Any], two_stacks: bool) -> tuple[int, ...]:
    layers = _number(values, LAYERS)
    if layers is None:
        depths = values.get("depths")  # of stages, in some models of images
        return (sum(depths),) if isinstance(depths, list) and all(type(n) is int for n in depths) else ()
    return (layers, _number(values, DECODER_LAYERS) or layers) if two_stacks else (layers,)


def _number(values: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """Return the first of these that is a number; a model of several sizes has none."""
    return next((values[name] for name in names if type(values.get(name)) is int and values[name] > 0), None)
