"""A model as people use it: network, tokenizer and card, in one folder of two files.

folder/
  config.json         format version, configuration of the network, tokenizer(s), labels, card
  model.safetensors   the weights
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from attnviz.bounded import read_json, reason
from attnviz.errors import ConfigError, ModelCorrupt, ModelMismatch, ModelNotFound, WeightsNotFinite
from attnviz.errors.base import Why
from attnviz.models.config import ModelConfig
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.facts import ModelFacts
from attnviz.models.network import Network, blank_network, unset_network
from attnviz.models.recurrent_config import RecurrentConfig, config_from_dict
from attnviz.tokenizers import Tokenizer
from attnviz.vectors import Reader, reader_from_dict

__all__ = [
    "CONFIG_FILE",
    "PICKLED",
    "WEIGHTS_FILE",
    "Example",
    "ModelCard",
    "SequenceModel",
    "load_model",
    "read_config",
    "save_model",
]

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")
"""Files of weights in formats that can hide code; they are never read."""
FORMAT = 1

Example = str | tuple[str, str]


@dataclass(frozen=True)
class ModelCard:
    """Facts of a model and its training.

    Attributes:
        name: short name, as in `zoo/<name>`.
        task: name of the task it was trained on.
        examples: texts to look at; (source, target) pairs for an encoder-decoder.
        recipe: name of the recipe that reproduces it; "" when there is none.
        seed: seed of that recipe.
        metric: name of the metric.
        score: reached on test data.
        baselines: what can be had there without a network, as pairs of a name and a score; () where nobody computed it.
        judged: sequences that the score was computed on; 0 where that was not kept.
        interval: 95 % interval of the score; None for metrics that have none, or where nobody computed it.
    """

    name: str
    title: str
    task: str = ""
    examples: tuple[Example, ...] = ()
    recipe: str = ""
    seed: int = 0
    metric: str = ""
    score: float = 0.0
    baselines: tuple[tuple[str, float], ...] = ()
    judged: int = 0
    interval: tuple[float, float] | None = None

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelCard:
        """Return the card that JSON describes: pairs come back as tuples."""
        examples = tuple(tuple(e) if isinstance(e, list) else e for e in values.get("examples", ()))
        baselines = tuple((str(name), float(score)) for name, score in values.get("baselines", ()))
        low_high = values.get("interval")
        interval = None if low_high is None else (float(low_high[0]), float(low_high[1]))
        return cls(**{**values, "examples": examples, "baselines": baselines, "interval": interval})


@dataclass(frozen=True)
class SequenceModel:
    """A network with what it takes to feed and to name it.

    Attributes:
        network: a Transformer, a recurrent or a convolutional network, in evaluation mode when loaded.
        tokenizer: tokenizer of its input, or of the target of an encoder-decoder; also names its outputs.
        source_tokenizer: tokenizer of the source of an encoder-decoder, else None.
        card: name, title, examples, recipe.
        labels: names of its outputs; () where these are tokens.
    """

    network: Network
    tokenizer: Reader
    card: ModelCard
    source_tokenizer: Tokenizer | None = None
    labels: tuple[str, ...] = ()

    def output_label(self, index: int) -> str:
        """Return the label of an output."""
        return self.labels[index] if self.labels else self.tokenizer.label(index)

    @property
    def config(self) -> ModelConfig | RecurrentConfig | ConvolutionalConfig:
        """The network's configuration."""
        return self.network.config

    @cached_property
    def facts(self) -> ModelFacts:
        """Name, size and kind."""
        config = self.config
        return ModelFacts(
            name=self.card.name,
            title=self.card.title,
            task=self.card.task,
            architecture=config.architecture,
            n_parameters=self.network.n_parameters,
            max_len=config.max_len,
            positions=config.positions if isinstance(config, ModelConfig) else "",
            norm=config.norm if isinstance(config, ModelConfig) else "",
            cell=config.cell if isinstance(config, RecurrentConfig) else "",
            reach=config.reach if isinstance(config, ConvolutionalConfig) else None,
        )


def save_model(model: SequenceModel, folder: str | Path) -> Path:
    """Write a model to a folder, made when missing; returns the folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "format": FORMAT,
        "model": model.config.to_dict(),
        "tokenizer": model.tokenizer.to_dict(),
        "source_tokenizer": model.source_tokenizer.to_dict() if model.source_tokenizer else None,
        "labels": list(model.labels),
        "card": asdict(model.card),
    }
    save_file({name: t.contiguous() for name, t in model.network.state_dict().items()}, folder / WEIGHTS_FILE)
    text = json.dumps(config, ensure_ascii=False, indent=1)
    (folder / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")
    return folder


def read_config(folder: str | Path) -> dict[str, Any]:
    """Return the checked content of a folder's config.json, without touching the weights.

    Raises:
        ModelNotFound: there is no such folder or file.
        ModelCorrupt: it is not the JSON object that `save_model` writes.
    """
    folder = Path(folder)
    for file in (CONFIG_FILE, WEIGHTS_FILE):
        if not (folder / file).is_file():
            raise ModelNotFound(folder.name, file if folder.is_dir() else "the folder")
    try:
        values = read_json(folder / CONFIG_FILE)
    except (OSError, ValueError) as error:
        raise ModelCorrupt(folder.name, CONFIG_FILE, reason(error)) from error
    if not {"format", "model", "tokenizer", "card"} <= values.keys():
        raise ModelCorrupt(folder.name, CONFIG_FILE, Why("not-config"))
    if values["format"] != FORMAT:
        unknown = Why("config-format", given=values["format"], known=FORMAT)
        raise ModelCorrupt(folder.name, CONFIG_FILE, unknown)
    return values


def load_model(folder: str | Path) -> SequenceModel:
    """Read a model that `save_model` wrote; only safetensors weights are read, nothing is executed.

    Raises:
        ModelNotFound: there is no such folder, or a file is missing.
        ModelCorrupt: a file is damaged or says what cannot be built.
        ModelMismatch: the weights are not those of the configuration.
    """
    folder = Path(folder)
    values = read_config(folder)
    try:
        config = config_from_dict(values["model"])
        tokenizer = reader_from_dict(values["tokenizer"])
        source = values.get("source_tokenizer")
        source_tokenizer = Tokenizer.from_dict(source) if source else None
        card = ModelCard.from_dict(values["card"])
        labels = tuple(map(str, values.get("labels", ())))
    except (ConfigError, TypeError, KeyError, AttributeError) as error:
        raise ModelCorrupt(folder.name, CONFIG_FILE, reason(error)) from error
    if tokenizer.vocab_size != config.vocab_size:
        unfit = Why("vocabulary", symbols=tokenizer.vocab_size, known=config.vocab_size)
        raise ModelCorrupt(folder.name, CONFIG_FILE, unfit)
    if (source_tokenizer.vocab_size if source_tokenizer else None) != config.source_vocab_size:
        raise ModelCorrupt(folder.name, CONFIG_FILE, Why("source-tokenizer"))
    if labels and len(labels) != config.output_size:
        raise ModelCorrupt(folder.name, CONFIG_FILE, Why("labels", labels=len(labels), outputs=config.output_size))
    try:
        weights = load_file(folder / WEIGHTS_FILE)
    except (SafetensorError, OSError) as error:
        raise ModelCorrupt(folder.name, WEIGHTS_FILE, reason(error)) from error
    if config.n_layers > len(weights):
        few = Why("few-tensors", setting="n_layers", count=config.n_layers, tensors=len(weights))
        raise ModelMismatch(folder.name, few)
    expected = {name: tuple(tensor.shape) for name, tensor in blank_network(config).state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if expected != given:
        raise ModelMismatch(folder.name, _difference(expected, given))
    for name, tensor in weights.items():
        if not _is_finite(tensor):
            raise WeightsNotFinite(folder.name, name)
    network = unset_network(config)
    network.load_state_dict(weights)
    return SequenceModel(network.eval().requires_grad_(False), tokenizer, card, source_tokenizer, labels)


def _is_finite(tensor: Tensor) -> bool:
    """Whether all numbers are; of the usual kind the ends tell it, in a tenth of the time."""
    if tensor.dtype != torch.float32 or tensor.numel() == 0:
        return bool(tensor.isfinite().all())
    return all(bool(end.isfinite()) for end in tensor.aminmax())


def _difference(expected: dict[str, tuple[int, ...]], given: dict[str, tuple[int, ...]]) -> str:
    """Return the first tensor in which weights and configuration differ."""
    name = next(name for name in sorted(expected | given) if expected.get(name) != given.get(name))
    return Why("shape", tensor=name, expected=str(expected.get(name, "–")), given=str(given.get(name, "–")))
