"""The models that people can choose: shipped, in the operator's folder, of runs, handed in, of the Hub."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

from attnviz.downloads import downloads_are_on
from attnviz.errors import AttnvizError
from attnviz.library import MODELS_FOLDER, ModelFolder, changed, folders_in, model_folder
from attnviz.loading import HUB, ZOO, checkpoint_name, is_checkpoint, open_checkpoint
from attnviz.models.bundle import Example
from attnviz.server.shelf import readable_runs
from attnviz.server.stores import UPLOADS
from attnviz.server.uploads import Upload, is_upload
from attnviz.training import Run
from attnviz.zoo import FOLDER, ORDER

__all__ = ["Listed", "find", "installed", "listed", "shipped"]

HAN = re.compile("[\u4e00-\u9fff]")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """A model that people can choose.

    Attributes:
        name: unique; stands in links.
        title: title for people, in English; the run's name for a checkpoint.
        architecture: "" where opening the model says it, or why it cannot be opened.
        kind: class of a Hugging Face model; "" for those of attnviz.
        examples: (text, target) pairs to start from; the target is "" where the model reads one text.
        folder: that holds it; None for a checkpoint of a run, and for a model of the Hub. It comes from the zoo, from
            the operator or from a zip file that this server unpacked, never from a browser.
        step: step of a checkpoint, else None.
        version: changes when other weights stand under the same name.
        run: folder of the run that it is a checkpoint of, else None.
    """

    name: str
    title: str
    architecture: str = ""
    kind: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    folder: Path | None = None
    step: int | None = None
    version: int = 0
    run: Path | None = None


def listed(lang: str = "") -> Mapping[str, Listed]:
    """All models by name: the zoo, the operator's folders, the last checkpoint of every run, newest run first.

    For who reads Chinese, the models whose first example has Chinese in it come before the others.
    """
    models = {**installed(), **_of_runs()}
    return dict(sorted(models.items(), key=lambda each: not _has_chinese(each[1]))) if lang == "zh" else models


def _has_chinese(model: Listed) -> bool:
    return any(HAN.search(text) for example in model.examples[:1] for text in example)


def find(name: str) -> Listed | None:
    """Return a model by its name; None when there is none of that name.

    Found beside those that are listed: every kept checkpoint of a run, `run/<name>` for its last one, `zoo/<name>`,
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
    """Return the shipped models and those in the operator's folder, which may come and go."""
    operator = os.environ.get(MODELS_FOLDER)
    return {**shipped(), **_of_operator(Path(operator))} if operator else shipped()


@cache
def shipped() -> Mapping[str, Listed]:
    folders = [model_folder(FOLDER / name) for name in ORDER if (FOLDER / name).is_dir()]
    return {folder.name: _of_folder(folder, folder.name, folder.title) for folder in folders}


def _of_operator(root: Path) -> dict[str, Listed]:
    """Return the models in the operator's folder as it is now; one with the name of a shipped model is left out."""
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
    """Return a folder as it is listed; one that cannot be read is listed as well, and says why when it is opened."""
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
        run=run.folder,
    )


def _pair(example: Example) -> tuple[str, str]:
    return (example, "") if isinstance(example, str) else example
