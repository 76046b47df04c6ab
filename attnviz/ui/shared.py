"""What all sessions of this server share: the models that are open and the traces that are held."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import attnviz
from attnviz.downloads import DOWNLOADS, downloads_are_on
from attnviz.errors import (
    AttnvizError,
    DownloadsOff,
    HubNotFound,
    ImageNeeded,
    ModelNotFound,
    TextOverLimit,
    TextTooLong,
)
from attnviz.guard import guarded
from attnviz.library import MODELS_FOLDER, ModelFolder, changed, folders_in, model_folder
from attnviz.loading import HUB, ZOO, checkpoint_name, is_checkpoint, is_hugging_face, load_model, open_checkpoint
from attnviz.models import SequenceModel, generate
from attnviz.models.bundle import CONFIG_FILE, Example
from attnviz.texts import check_text
from attnviz.trace import Trace
from attnviz.training import Run, TrainingQueue, runs_root
from attnviz.training.run.manage import clear_leftovers
from attnviz.ui.images import ImageStore
from attnviz.ui.open_models import AnyModel, ModelKey, ModelStore, parameter_memory
from attnviz.ui.shelf import readable_runs
from attnviz.ui.store import Held, TraceKey, TraceStore
from attnviz.ui.uploads import Upload, UploadStore, is_upload
from attnviz.zoo import FOLDER, ORDER

if TYPE_CHECKING:
    from attnviz.huggingface import HuggingFaceModel

__all__ = [
    "HUB",
    "IMAGES",
    "MAX_TOKENS",
    "MODELS",
    "MODELS_FOLDER",
    "TRACES",
    "UPLOADS",
    "VERDICTS",
    "Listed",
    "Reason",
    "continue_text",
    "find",
    "installed",
    "listed",
    "open_model",
    "queue",
    "run",
    "warm_up",
]

MAX_TOKENS = 2048
"""Tokens of a Hugging Face model's text that the pages show."""

TRACES = TraceStore()
MODELS = ModelStore(parameter_memory(), on_drop=lambda key: TRACES.forget(*key))
IMAGES = ImageStore()
VERDICTS: dict[ModelKey, Reason | None] = {}
"""What became of models that were opened: None where all can be shown, else why not."""
UPLOADS = UploadStore(on_drop=lambda name: MODELS.drop(ModelKey(name)))

logger = logging.getLogger(__name__)


class Reason(NamedTuple):
    """What is kept of an error: its code and details, and not the error itself, which keeps all it passed through."""

    code: str
    details: Mapping[str, object]


@dataclass(frozen=True)
class Listed:
    """A model that people can choose.

    Attributes:
        name: unique; stands in links.
        title: for people, in English; the run's name for a checkpoint.
        architecture: "" where opening the model says it, or why it cannot be opened.
        kind: class of a Hugging Face model; "" for those of attnviz.
        examples: (text, target) pairs to start from; the target is "" where the model reads one text.
        folder: that holds it; None for a checkpoint of a run, and for a model of the Hub. It comes from the zoo, from
            the operator or from a zip file that this server unpacked, never from a browser.
        step: of a checkpoint, else None.
        version: changes when other weights stand under the same name.
    """

    name: str
    title: str
    architecture: str = ""
    kind: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    folder: Path | None = None
    step: int | None = None
    version: int = 0


def listed() -> Mapping[str, Listed]:
    """All models by name: the zoo, the operator's folders, the last checkpoint of every run, newest run first."""
    return {**installed(), **_of_runs()}


def find(name: str) -> Listed | None:
    """A model by its name; None when there is none of that name.

    Found beside those that are listed: every kept checkpoint of a run, "run/<name>" for its last one, "zoo/<name>",
    uploaded models, and, where downloads are on, any model of the Hub, be it there or not.
    """
    if name.startswith(HUB) and downloads_are_on():
        return Listed(name, name.removeprefix(HUB))
    if is_upload(name):
        upload = UPLOADS.get(name)
        return None if upload is None else _of_upload(upload)
    model = installed().get(name.removeprefix(ZOO))
    if model is not None or not is_checkpoint(name):
        return model
    try:
        run, step = open_checkpoint(name)
        return _checkpoint(run, step)
    except (AttnvizError, OSError):
        return None


def installed() -> Mapping[str, Listed]:
    """The shipped models and those in the operator's folder, which may come and go."""
    operator = os.environ.get(MODELS_FOLDER)
    return {**_shipped(), **_of_operator(Path(operator))} if operator else _shipped()


@cache
def _shipped() -> Mapping[str, Listed]:
    folders = [model_folder(FOLDER / name) for name in ORDER if (FOLDER / name).is_dir()]
    return {folder.name: _of_folder(folder, folder.name, folder.title) for folder in folders}


def _of_operator(root: Path) -> dict[str, Listed]:
    """The models in the operator's folder as it is now; one with the name of a shipped model is left out."""
    try:
        folders = folders_in(root)
    except OSError as error:
        logger.warning("%s: %s cannot be listed: %s", MODELS_FOLDER, root, error)
        return {}
    return {path.name: _read(path, changed(path)) for path in folders if path.name not in ORDER}


@lru_cache(1024)
def _read(folder: Path, version: int) -> Listed:
    model = model_folder(folder)
    return replace(_of_folder(model, folder.name, model.title), version=version)


@lru_cache(1024)
def _of_upload(upload: Upload) -> Listed:
    """Read an upload's files once: they do not change."""
    return _of_folder(model_folder(upload.folder), upload.name, upload.title)


def _of_folder(model: ModelFolder, name: str, title: str) -> Listed:
    """A folder as it is listed; one that cannot be read is listed as well, and says why when it is opened."""
    own = not model.transformers
    return Listed(
        name,
        model.title if own and model.architecture else title,
        architecture=model.architecture if own else "",
        kind="" if own else model.architecture,
        examples=tuple(map(_pair, model.examples)),
        folder=model.folder,
    )


def _of_runs() -> dict[str, Listed]:
    found = {}
    for run in readable_runs():
        with suppress(OSError, IndexError):  # it is being deleted, has no checkpoint yet, or none that can be read
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


def _pair(example: Example) -> tuple[str, str]:
    return (example, "") if isinstance(example, str) else example


def open_model(name: str, version: int = 0) -> AnyModel:
    """A listed model with its weights, ready to be traced.

    Args:
        name: of the model.
        version: see `Listed`; another one is loaded again.

    Raises:
        AttnvizError: it is not there any more, damaged, or cannot be shown.
    """
    key = ModelKey(name, version)
    upload = UPLOADS.get(name)
    try:
        with guarded(name if upload is None else upload.title):
            model = MODELS.obtain(key, lambda: _load(name))
            _ = model.facts  # how it attends is learnt now, and said if it cannot be shown
    except AttnvizError as error:
        if not isinstance(error, HubNotFound):  # of such names there is no end
            VERDICTS[key] = Reason(error.code, error.details)
        raise
    VERDICTS[key] = None
    return model


def _load(name: str) -> AnyModel:
    if is_upload(name):
        UPLOADS.examine(name)
    found = find(name)
    if found is None or found.folder is None:
        if is_upload(name):
            raise ModelNotFound(name, CONFIG_FILE)
        if name.startswith(HUB) and not downloads_are_on():
            raise DownloadsOff(name, DOWNLOADS)
        return load_model(name)
    if not is_hugging_face(found.folder):
        return load_model(found.folder)
    from attnviz.huggingface import open_folder

    return open_folder(found.folder, found.title)


def run(key: TraceKey) -> Held:
    """The trace of a model on a text and an image, from the store or made now.

    Raises:
        AttnvizError: the model cannot be opened, or cannot read them.
    """
    held = TRACES.obtain(key, lambda: _trace(key))
    MODELS.get(ModelKey(key.model, key.version))  # a picture that is looked at keeps its model open
    return held


def _trace(key: TraceKey) -> Trace:
    model = open_model(key.model, key.version)
    if isinstance(model, SequenceModel):
        return attnviz.trace(model, key.text, key.target or None)
    _rehearse(key)
    with guarded(model.name):
        _check_length(model, key.text, key.target)
        image = IMAGES.get(key.image) if key.image else None
        if image is None and model.sees_images:  # in its place the library would read the text as a path
            raise ImageNeeded(model.name)
        return attnviz.trace(model, key.text, key.target or None, image=image)


def continue_text(key: TraceKey, max_new: int) -> str:
    """A text with what a decoder writes after it; the text itself where it has nothing to add.

    Raises:
        AttnvizError: as `run`.
    """
    model = open_model(key.model, key.version)
    if isinstance(model, SequenceModel):
        return generate(model, key.text, max_new=max_new)
    from attnviz import huggingface

    _rehearse(key)
    with guarded(model.name):
        _check_length(model, key.text)
        return huggingface.continue_text(model, key.text, max_new)


def _rehearse(key: TraceKey) -> None:
    """Before the tokenizer that somebody handed in reads a text here, it has read the same text in its sandbox.

    Raises:
        UploadText: it takes too much time or memory for it.
    """
    if is_upload(key.model):
        UPLOADS.read(key.model, (key.text, key.target or None), *([(key.target, None)] if key.target else []))


def _check_length(model: HuggingFaceModel, text: str, second: str = "") -> None:
    """Count tokens, before anything else is done with a text that may be of any length.

    Raises:
        TextTooLong: the model reads fewer.
        TextOverLimit: the pages show fewer.
    """
    if model.tokenizer is None:
        return
    apart = model.facts.architecture == "encoder-decoder"
    texts = [(text, None), (second, None)] if apart else [(text, second or None)]
    limit = MAX_TOKENS if model.max_len is None else min(MAX_TOKENS, model.max_len)
    for each in texts:
        for part in filter(None, each):
            check_text(part)
        length = len(model.tokenizer(*each, verbose=False)["input_ids"])
        if length > limit:
            raise (TextTooLong if limit == model.max_len else TextOverLimit)(length, limit)


@cache
def queue() -> TrainingQueue:
    """The queue of this server; from the first call on, a worker process is kept warm.

    What a server that was killed left behind is put in order first: runs that waited wait again, half files go.
    """
    made = TrainingQueue()
    clear_leftovers(runs_root())
    made.restore(runs_root())
    return made


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
