"""What all sessions of this server share: the models that are open and the traces that are held."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st

import attnviz
from attnviz.errors import AttnvizError
from attnviz.models import SequenceModel, load_model
from attnviz.models.bundle import Example, ModelCard, read_config
from attnviz.ui.store import Held, TraceKey, TraceStore
from attnviz.zoo import FOLDER, ORDER

__all__ = ["MODELS_FOLDER", "TRACES", "Listed", "listed", "open_model", "run", "warm_up"]

MODELS_FOLDER = "ATTNVIZ_MODELS"
"""Environment variable of the operator: a folder whose sub-folders are models, read when the server starts."""

TRACES = TraceStore()

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """A model that people can choose.

    Attributes:
        name: unique; stands in links.
        title: for people, in English.
        folder: that holds it. It comes from the zoo or from the operator, never from a browser.
        architecture: "" when the folder cannot be read; opening it then says why.
        examples: (text, target) pairs to start from; the target is "" where the model reads one text.
    """

    name: str
    title: str
    folder: Path
    architecture: str
    examples: tuple[tuple[str, str], ...]


@cache
def listed() -> Mapping[str, Listed]:
    """All models by name: the zoo, then the operator's folders."""
    folders = [FOLDER / name for name in ORDER if (FOLDER / name).is_dir()]
    operator = os.environ.get(MODELS_FOLDER)
    if operator:
        folders += sorted(path for path in Path(operator).iterdir() if path.is_dir())
    models: dict[str, Listed] = {}
    for folder in folders:
        models.setdefault(folder.name, _read(folder))
    return models


def _read(folder: Path) -> Listed:
    """A folder as it is listed; one that cannot be read is listed under its own name."""
    try:
        config = read_config(folder)
        card = ModelCard.from_dict(config["card"])
        architecture = str(config["model"]["architecture"])
    except (AttnvizError, LookupError, TypeError, AttributeError):
        return Listed(folder.name, folder.name, folder, "", ())
    return Listed(folder.name, card.title, folder, architecture, tuple(map(_pair, card.examples)))


def _pair(example: Example) -> tuple[str, str]:
    return (example, "") if isinstance(example, str) else example


@st.cache_resource(max_entries=16, show_spinner=False)
def open_model(name: str) -> SequenceModel:
    """A listed model with its weights.

    Raises:
        ModelLoadError: its folder is damaged.
    """
    return load_model(listed()[name].folder)


def run(key: TraceKey) -> Held:
    """The trace of a model on a text, from the store or made now.

    Raises:
        AttnvizError: the model cannot be opened, or cannot read the text.
    """
    return TRACES.obtain(key, lambda: attnviz.trace(open_model(key.model), key.text, key.target or None))


def warm_up() -> None:
    """Open the first model and run its first example, so that the first visitor does not wait for it."""
    first = next(iter(listed().values()), None)
    if first is None or not first.examples:
        return
    try:
        run(TraceKey(first.name, *first.examples[0]))
    except AttnvizError as error:  # the page says the same to whoever opens this model; the others work
        logger.warning("%s", error)
