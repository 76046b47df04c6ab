"""What all sessions of this server share: the models that are open and the traces that are held."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import streamlit as st

import attnviz
from attnviz.errors import AttnvizError
from attnviz.loading import checkpoint_name, is_checkpoint, load_model, open_checkpoint
from attnviz.models import SequenceModel
from attnviz.models.bundle import Example, ModelCard, read_config
from attnviz.training import Run, TrainingQueue
from attnviz.ui.shelf import readable_runs
from attnviz.ui.store import Held, TraceKey, TraceStore
from attnviz.zoo import FOLDER, ORDER

__all__ = ["MODELS_FOLDER", "TRACES", "Listed", "find", "installed", "listed", "open_model", "queue", "run", "warm_up"]

MODELS_FOLDER = "ATTNVIZ_MODELS"
"""Environment variable of the operator: a folder whose sub-folders are models, read when the server starts."""

TRACES = TraceStore()

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """A model that people can choose.

    Attributes:
        name: unique; stands in links.
        title: for people, in English; the run's name for a checkpoint.
        architecture: "" when the folder cannot be read; opening it then says why.
        examples: (text, target) pairs to start from; the target is "" where the model reads one text.
        folder: that holds it; None for a checkpoint of a run. It comes from the zoo or from the operator, never from a
            browser.
        step: of a checkpoint, else None.
        version: changes when other weights stand under the same name.
    """

    name: str
    title: str
    architecture: str
    examples: tuple[tuple[str, str], ...]
    folder: Path | None = None
    step: int | None = None
    version: int = 0


def listed() -> Mapping[str, Listed]:
    """All models by name: the zoo, the operator's folders, the last checkpoint of every run, newest run first."""
    return {**installed(), **_of_runs()}


def find(name: str) -> Listed | None:
    """A model by its name, every kept checkpoint of a run among them; None when there is none of that name."""
    model = installed().get(name)
    if model is not None or not is_checkpoint(name):
        return model
    try:
        run, step = open_checkpoint(name)
        return _checkpoint(run, step)
    except AttnvizError:
        return None


@cache
def installed() -> Mapping[str, Listed]:
    """The models that are here as long as the server runs."""
    folders = [FOLDER / name for name in ORDER if (FOLDER / name).is_dir()]
    operator = os.environ.get(MODELS_FOLDER)
    if operator:
        folders += sorted(path for path in Path(operator).iterdir() if path.is_dir())
    models: dict[str, Listed] = {}
    for folder in folders:
        models.setdefault(folder.name, _read(folder))
    return models


def _of_runs() -> dict[str, Listed]:
    found = {}
    for run in readable_runs():
        with suppress(FileNotFoundError, IndexError):  # it is being deleted, or has no checkpoint yet
            model = _checkpoint(run, run.checkpoints()[-1])
            found[model.name] = model
    return found


def _checkpoint(run: Run, step: int) -> Listed:
    return _described(run, step, run.checkpoint_path(step).stat().st_mtime_ns)


@lru_cache(1024)
def _described(run: Run, step: int, version: int) -> Listed:
    return Listed(
        name=checkpoint_name(run, step),
        title=run.name,
        architecture=run.config.model.architecture,
        examples=tuple(map(_pair, run.config.task.examples())),
        step=step,
        version=version,
    )


def _read(folder: Path) -> Listed:
    """A folder as it is listed; one that cannot be read is listed under its own name."""
    try:
        config = read_config(folder)
        card = ModelCard.from_dict(config["card"])
        architecture = str(config["model"]["architecture"])
    except (AttnvizError, LookupError, TypeError, AttributeError):
        return Listed(folder.name, folder.name, "", (), folder)
    return Listed(folder.name, card.title, architecture, tuple(map(_pair, card.examples)), folder)


def _pair(example: Example) -> tuple[str, str]:
    return (example, "") if isinstance(example, str) else example


@st.cache_resource(max_entries=16, show_spinner=False)
def open_model(name: str, version: int = 0) -> SequenceModel:
    """A listed model with its weights.

    Args:
        name: of the model.
        version: see `Listed`; another one is loaded again.

    Raises:
        AttnvizError: it is not there any more, or damaged.
    """
    folder = installed()[name].folder if name in installed() else None
    return load_model(folder or name)


def run(key: TraceKey) -> Held:
    """The trace of a model on a text, from the store or made now.

    Raises:
        AttnvizError: the model cannot be opened, or cannot read the text.
    """
    return TRACES.obtain(key, lambda: attnviz.trace(open_model(key.model, key.version), key.text, key.target or None))


@cache
def queue() -> TrainingQueue:
    """The queue of this server; from the first call on, a worker process is kept warm."""
    return TrainingQueue()


def warm_up() -> None:
    """Start a worker, open the first model and run its first example, so that the first visitor does not wait."""
    queue()
    first = next(iter(installed().values()), None)
    if first is None or not first.examples:
        return
    try:
        run(TraceKey(first.name, *first.examples[0]))
    except AttnvizError as error:  # the page says the same to whoever opens this model; the others work
        logger.warning("%s", error)
