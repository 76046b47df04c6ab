"""Labels and tags of one's own texts, for a pretrained model that reads them in its own word pieces."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil
from pathlib import Path
from random import Random
from typing import Any, Self, TypeVar, cast

import torch
from torch import Generator, Tensor, nn

from attnviz.bounded import read_bytes, reason
from attnviz.errors import (
    BaseChanged,
    BaseMissing,
    BaseUnfit,
    DataLabels,
    DataTooFew,
    DataTypes,
    DataUnknownLabels,
    ModelNotFound,
    RunCorrupt,
    TaskMismatch,
)
from attnviz.errors.base import Why
from attnviz.errors.settings import check_whole
from attnviz.finetuning.pieces import Read, WordPieces
from attnviz.loading import load_model
from attnviz.models.bundle import Example, SequenceModel
from attnviz.models.config import ModelConfig
from attnviz.models.recurrent_config import AnyConfig
from attnviz.models.tuned_config import TunedConfig
from attnviz.tasks.base import IGNORE, Batch, Split, collate
from attnviz.tasks.language.bio import entity_types, tag_names
from attnviz.tasks.language.classify import labelled
from attnviz.tasks.language.tagging import TaggingTask
from attnviz.tasks.own.data import DividedTask
from attnviz.tasks.own.readers.conll import read_conll
from attnviz.tasks.own.readers.labelled_rows import LEAST_LABELS, Row, read_labelled
from attnviz.texts import check_text

__all__ = ["MOST_LABELS", "TunedLabels", "TunedTags", "TunedTask", "base_of", "open_base"]

TOKENIZER, BASE = "tokenizer.json", "base"
MOST_BYTES = 64 * 2**20  # of a tokenizer
MOST_LABELS = 200
MOST_TYPES = 50
SHARE = range(1, 41)  # percent

T = TypeVar("T")

_COUNTED: dict[tuple[str, str, Sequence[str], str], tuple[int, int]] = {}
"""Parameters of networks and those that are trained, by the weights of the base, the method and the outputs."""


@dataclass(frozen=True)
class TunedTask(DividedTask[T]):
    """Texts of one's own for a pretrained model.

    Attributes:
        text: data to learn from, and to hold out from where no other data are given.
        validation_text: data for validation; "": a part of `text`.
        test_text: data for the test; "": a part of `text`.
        validation_share: percent of the texts for validation.
        test_share: percent of the texts for the test.
        split_seed: another number divides the texts otherwise.
        max_len: tokens that are read of a text, special ones included.
        pad_id: id that fills short texts up.
        weighted: rare labels count more: each by the inverse of how often it comes.
        watched: texts on which attention is watched, one a line; "": held-out ones.

    Raises:
        InputError: the data cannot be learned from; each says why.
        ConfigError: a share or a length out of its range.
    """

    text: str = field(repr=False)
    validation_text: str = field(default="", repr=False)
    test_text: str = field(default="", repr=False)
    validation_share: int = 10
    test_share: int = 10
    split_seed: int = 0
    max_len: int = 512
    pad_id: int = 0
    weighted: bool = False
    watched: str = ""

    architecture = "encoder"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_text(self.watched)
        for name in ("validation_share", "test_share"):
            check_whole(name, getattr(self, name), SHARE.start, SHARE.stop - 1)
        check_whole("split_seed", self.split_seed, 0, 2**31)
        check_whole("max_len", self.max_len, 4, 2**16)
        for split, share in self.shares.items():
            if not self.parts[split]:  # a small share of few texts
                raise DataTooFew(len(set(map(self.text_in, self.given["train"]))), ceil(100 / share))

    @abstractmethod
    def labels_in(self, item: T) -> Sequence[str]:
        """Return the labels of an item."""

    @abstractmethod
    def read(self, item: T) -> Read:
        """Read an item in word pieces."""

    @abstractmethod
    def as_read(self, item: T) -> str:
        """Return the text of an item as far as it is read."""

    def items_of(self, text: str) -> tuple[list[T], int]:
        """Return the items of other data, and how many were left out for a label that the model does not know.

        Raises:
            DataUnknownLabels: nothing is left.
            InputError: the data cannot be read.
        """
        given = list(self._parsed(text))
        items = [item for item in given if set(self.labels_in(item)) <= set(self.labels)]
        if not items:
            raise DataUnknownLabels(self.labels)
        return items, len(given) - len(items)

    @property
    def shares(self) -> dict[Split, int]:
        """Percent of the texts that are held out for each split without data of its own."""
        return {"validation": self.validation_share, "test": self.test_share}

    @property
    def salt(self) -> str:
        """The split's seed, where it is not 0."""
        return str(self.split_seed or "")

    def files(self) -> Mapping[str, bytes | Path]:
        """Return the tokenizer, so that a run can be looked at without its base; and the base, if it is to be kept."""
        kept = self._kept_base
        return {TOKENIZER: self.backend.encode(), **({} if kept is None else {BASE: kept})}

    def keeping(self, base: Path) -> Self:
        """Have a run of the task keep its base model, from a folder that may go; returns the task."""
        self.__dict__["_kept"] = base
        return self

    def settle(self, folder: Path) -> Self:
        """Take the tokenizer from the folder of a run."""
        self.__dict__["_folder"] = folder
        return self

    @property
    def _kept_base(self) -> Path | None:
        """Folder of the base that a run keeps, or is to keep; None: it is opened by its name."""
        folder: Path | None = self.__dict__.get("_folder")
        places = (None if folder is None else folder / BASE, self.__dict__.get("_kept"))
        return next((place for place in places if place is not None and place.is_dir()), None)

    def taught(self, backend: str) -> Self:
        """Give the content of a tokenizer.json to a task that is not settled yet; returns the task."""
        self.__dict__["backend"] = backend
        return self

    @cached_property
    def backend(self) -> str:
        """Content of the tokenizer.json."""
        folder: Path = self.__dict__["_folder"]
        try:
            return read_bytes(folder / TOKENIZER, MOST_BYTES).decode()
        except (OSError, ValueError) as error:
            raise RunCorrupt(folder.name, TOKENIZER, reason(error)) from error

    @cached_property
    def pieces(self) -> WordPieces:
        """Reader of the base model's word pieces."""
        return WordPieces(self.backend, self.max_len, self.pad_id)

    @property
    def tokenizer(self) -> Any:
        """The same, as other tasks name it."""
        return self.pieces

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest text."""
        return max(len(self.read(item).ids) for items in self.parts.values() for item in items)

    @cached_property
    def label_weights(self) -> Tensor | None:
        """Return how much each label counts: n / (labels * how often it comes in training); None: all alike."""
        if not self.weighted:
            return None
        found = torch.zeros(len(self.labels))
        for item in self.parts["train"]:
            for label in self.labels_in(item):
                found[self.labels.index(label)] += 1
        return found.sum() / ((found > 0).sum() * found.clamp(min=1))

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n items of the split's part; none comes again before all have come."""
        batch, weights = super().sample(n, generator, split), self.label_weights
        if split != "train" or weights is None:
            return batch
        return replace(batch, weights=weights[batch.targets.clamp(min=0)])

    def probe(self) -> Sequence[Batch]:
        """Return the texts that a person wants watched."""
        texts = [" ".join(line.split()) for line in self.watched.splitlines() if line.strip()]
        rows = [torch.tensor([self.pieces.encode(text)]) for text in texts]
        return [Batch(row, torch.full_like(row, IGNORE)) for row in rows]

    def check_model(self, model: AnyConfig) -> None:
        """Refuse a network that is not a pretrained one, or has other outputs."""
        if not isinstance(model, TunedConfig) or model.output_size != len(self.labels):
            raise TaskMismatch("output_size", model.output_size, self.name, len(self.labels))

    def adjusted(self, model: AnyConfig, **settings: Any) -> AnyConfig:
        """Return the same network with another part of it trained: `method` is all that can be changed.

        Raises:
            ConfigError: there is no such method.
            BaseChanged, BaseMissing, AttnvizError: see `base`.
        """
        assert isinstance(model, TunedConfig)
        made = replace(model, method=settings["method"])
        if made == model:
            return model
        key = (model.sha256, made.method, self.labels, self.readout)
        if key not in _COUNTED:  # a grid asks for each of its runs, and opening the base takes a second
            _COUNTED[key] = self._counted(made)
        n_parameters, n_trained = _COUNTED[key]
        return replace(made, n_parameters=n_parameters, n_trained=n_trained)

    def _counted(self, model: TunedConfig) -> tuple[int, int]:
        """Count the parameters of a network, and those that are trained."""
        from attnviz.huggingface.tuned import tuned_config

        made, _ = tuned_config(self.base(model), model.sha256, model.method, self.labels, self.readout == "each")
        return made.n_parameters, made.n_trained

    def build(self, model: AnyConfig, seed: int) -> nn.Module:
        """Open the base model, and put a head on it.

        Raises:
            BaseChanged, BaseMissing: see `base`.
            AttnvizError: it cannot be opened, or trained here.
        """
        from attnviz.huggingface.tuned import tuned_network

        assert isinstance(model, TunedConfig)
        return tuned_network(self.base(model), model, self.labels, self.readout == "each", seed)

    def base(self, model: TunedConfig) -> Any:
        """Open the model that a run began with: the one that it keeps, or else the one of its name.

        Raises:
            BaseMissing: it is not there any more.
            BaseChanged: it has other weights than those that the run began with.
            AttnvizError: it cannot be opened, or trained here.
        """
        try:
            base, digest = open_base(str(self._kept_base or model.base))
        except ModelNotFound as error:
            raise BaseMissing(Path(model.base).name) from error
        if digest != model.sha256:
            raise BaseChanged(base.name)
        return base

    def bundle(self, network: nn.Module, **card: Any) -> SequenceModel:
        """Return the network as the model of transformers that it is."""
        return cast(SequenceModel, cast(Any, network).opened(str(card["title"])))

    def model_config(self) -> ModelConfig:
        """Return a small Transformer that learns the same from nothing."""
        return self.transformer(self.max_len, positions="rotary", dropout=0.1)

    def texts(self) -> tuple[Example, ...]:
        """Return the texts that are watched, and some of the test."""
        watched = tuple(line for line in self.watched.splitlines() if line.strip())
        return (*watched, *(self.text_in(item) for item in self.parts["test"][:3]))

    def examples(self) -> tuple[Example, ...]:
        """Return the same: a pretrained model reads every text."""
        return self.texts()

    def fits(self, text: str) -> bool:
        """Whether there is something to read."""
        return bool(text.strip())


@dataclass(frozen=True)
class TunedLabels(TunedTask[Row]):
    """A pretrained model learns the labels of texts.

    `text` is CSV with the header "text,label", as `attnviz.finetuning.reading` writes it.
    """

    name = "fine-tuned labels"
    metric = "accuracy"
    readout = "whole"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not LEAST_LABELS <= len(self.labels) <= MOST_LABELS:
            raise DataLabels(len(self.labels), LEAST_LABELS, MOST_LABELS)

    def _parsed(self, text: str) -> list[Row]:
        return read_labelled(text, separator="comma", header="yes", text_column=1, label_column=2)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels of all texts, in alphabetical order."""
        return tuple(sorted({row.label for row in self.all_items}))

    def text_in(self, item: Row) -> str:
        """Return the text of a row."""
        return item.text

    def labels_in(self, item: Row) -> Sequence[str]:
        """Return the label of a row."""
        return (item.label,)

    def read(self, item: Row) -> Read:
        """Read the text of a row."""
        return self.pieces.read(item.text)

    def as_read(self, item: Row) -> str:
        """Return the text of a row as far as it is read."""
        read = self.read(item)
        return item.text[: read.end] if read.cut else item.text

    def batch(self, chosen: Sequence[Row], forget: Random | None = None) -> Batch:
        """Some texts with their labels, due at the first token."""
        places = [self.labels.index(row.label) for row in chosen]
        return labelled([self.read(row).ids for row in chosen], places, self.pad_id)


Sentence = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TunedTags(TunedTask[Sentence], TaggingTask):
    """A pretrained model learns the tags of words, each at the word's first piece.

    `text` is a word and its tag a line, an empty line between sentences; see `read_conll`.
    """

    name = "fine-tuned tags"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= (n_types := len(entity_types(self.labels))) <= MOST_TYPES:
            raise DataTypes(n_types, MOST_TYPES)

    def _parsed(self, text: str) -> list[Sentence]:
        return list(read_conll(text, word_column=1, tag_column=2, header="no"))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Tags of all types, in alphabetical order."""
        return tag_names(sorted(entity_types(tag for sentence in self.all_items for _, tag in sentence)))

    def text_in(self, item: Sentence) -> str:
        """Return the words of a sentence."""
        return " ".join(word for word, _ in item)

    def labels_in(self, item: Sentence) -> Sequence[str]:
        """Return the tags of a sentence."""
        return [tag for _, tag in item]

    def read(self, item: Sentence) -> Read:
        """Read the words of a sentence."""
        return self.pieces.read([word for word, _ in item])

    def as_read(self, item: Sentence) -> str:
        """Return the words of a sentence of which a piece is read."""
        read = self.read(item)
        return self.text_in(item[: 1 + max((word for word in read.words if word is not None), default=0)])

    def batch(self, chosen: Sequence[Sentence], forget: Random | None = None) -> Batch:
        """Some sentences with their tags, due at the first piece of each word."""
        read = [self.read(sentence) for sentence in chosen]
        tokens, padding = collate([each.ids for each in read], self.pad_id)
        targets, _ = collate(
            [self._due(each.words, sentence) for each, sentence in zip(read, chosen, strict=True)], IGNORE
        )
        return Batch(tokens, targets, padding)

    def _due(self, words: Sequence[int | None], sentence: Sentence) -> list[int]:
        before = [None, *words]
        return [
            IGNORE if word is None or word == last else self.labels.index(sentence[word][1])
            for word, last in zip(words, before, strict=False)
        ]


def open_base(name: str) -> tuple[Any, str]:
    """Open a model to begin with: a name as `attnviz.load_model` takes it; returns it and the hash of its weights.

    Raises:
        BaseUnfit: it is no model of transformers in a folder.
        AttnvizError: it cannot be opened.
    """
    return base_of(load_model(name), name)


def base_of(model: Any, name: str) -> tuple[Any, str]:
    """Return an open model and the hash of its weights, where it can be trained.

    Raises:
        BaseUnfit: it is no model of transformers in a folder.
    """
    from attnviz.huggingface import HuggingFaceModel
    from attnviz.huggingface.tuned import check_base, weights_digest

    if not isinstance(model, HuggingFaceModel):
        raise BaseUnfit(name, Why("not-transformers"))
    check_base(model)
    folder = Path(model.network.name_or_path)
    if not folder.is_dir():
        raise BaseUnfit(model.name, Why("no-base"))
    return model, weights_digest(folder)
