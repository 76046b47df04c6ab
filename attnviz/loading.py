"""One way to open a model: by its name in the zoo, as a checkpoint of a run, or by its folder."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from attnviz import models
from attnviz.bounded import read_json, reason
from attnviz.errors import ModelCorrupt, RunNotFound
from attnviz.library import MODELS_FOLDER, is_transformers
from attnviz.models import SequenceModel
from attnviz.models.bundle import CONFIG_FILE
from attnviz.training import Run, open_run
from attnviz.zoo import EXAMPLE_RUNS, ORDER, zoo_path

if TYPE_CHECKING:
    from attnviz.huggingface import HuggingFaceModel

__all__ = [
    "HUB",
    "ZOO",
    "checkpoint_name",
    "find_run",
    "is_checkpoint",
    "is_hugging_face",
    "load_model",
    "open_checkpoint",
]

HUB = "hf:"
"""Prefix of the names of models of the Hugging Face Hub."""

ZOO = "zoo/"
CHECKPOINT = re.compile(r"run/(?P<run>[^/@]+)(@(?P<step>\d{1,12}))?", re.ASCII)


def load_model(path: str | Path, **options: Any) -> SequenceModel | HuggingFaceModel:
    """Open a model by its name, or a folder that attnviz or transformers wrote.

    Args:
        path: a folder, or a name where there is no such folder:

            - `zoo/NAME` or `NAME`: a shipped model;
            - `NAME`: a sub-folder of the folder that the environment names as ATTNVIZ_MODELS;
            - `run/NAME@STEP`: a checkpoint of a run; `run/NAME`: its last one;
            - `hf:ID`: a model of the Hugging Face Hub, from the local cache, downloaded where it is not there.
        options: options of Hugging Face models: dtype (a torch.dtype; as stored by default), device ("cpu" by default).

    Raises:
        ModelNotFound, ModelCorrupt, ModelMismatch: each says which file is wrong and how.
        RunNotFound, RunCorrupt: likewise, of a run.
        HubNotFound: the Hub has no such model, or cannot be reached.
        ModelLoadError: what else a Hugging Face model may lack; see `attnviz.errors`.

    Example:
        >>> load_model("zoo/reverse").facts.architecture
        'encoder'
    """
    if isinstance(path, str) and path.startswith(HUB):
        from attnviz.huggingface import download

        return download(path.removeprefix(HUB), **options)
    folder = Path(path)
    try:
        if not (folder / CONFIG_FILE).is_file():
            if is_checkpoint(str(path)):
                run, step = open_checkpoint(str(path))
                return cast("SequenceModel | HuggingFaceModel", run.model(step))
            folder = _named_folder(str(path)) or folder
        if is_hugging_face(folder):
            from attnviz.huggingface import open_folder

            return open_folder(folder, **options)
        return models.load_model(folder)
    except OSError as error:  # a folder that may not be looked into, or a name that can be none
        raise ModelCorrupt(folder.name, CONFIG_FILE, reason(error)) from error


def _named_folder(name: str) -> Path | None:
    """Return the folder of a shipped model or of one in ATTNVIZ_MODELS; None: there is none of that name."""
    if name.startswith(ZOO) or name in ORDER:
        return zoo_path(name.removeprefix(ZOO))
    root = os.environ.get(MODELS_FOLDER)
    is_name = name not in ("", ".", "..") and Path(name).name == name
    folder = Path(root, name) if root and is_name else None
    return folder if folder is not None and folder.is_dir() else None


def is_hugging_face(folder: Path) -> bool:
    """Whether a folder holds a transformers model, whole or not, as its config.json tells, or an adapter of one."""
    if not (folder / CONFIG_FILE).exists() and (folder / "adapter_config.json").is_file():
        return True
    try:
        return is_transformers(read_json(folder / CONFIG_FILE))
    except (OSError, ValueError):
        return False


def checkpoint_name(run: Run, step: int) -> str:
    """Return the name of a run's checkpoint: `run/<name>@<step>`."""
    return f"run/{run.name}@{step}"


def is_checkpoint(name: str) -> bool:
    """Whether a text is the name of a checkpoint, or of a run and so of its last one, be there one or not.

    Example:
        >>> is_checkpoint("run/reverse-1@500"), is_checkpoint("run/reverse-1"), is_checkpoint("zoo/reverse")
        (True, True, False)
    """
    return CHECKPOINT.fullmatch(name) is not None


def open_checkpoint(name: str) -> tuple[Run, int]:
    """Return the run and the step of a checkpoint's name; without a step the last one.

    Raises:
        RunNotFound: there is no such run, or it kept no checkpoint of that step, or none yet.
        RunCorrupt: its config.json cannot be read.
    """
    match = CHECKPOINT.fullmatch(name)
    if match is None:
        raise RunNotFound(name)
    run = find_run(match["run"])
    steps = run.checkpoints()
    step = int(match["step"]) if match["step"] else max(steps, default=None)
    if step is None or step not in steps:
        raise RunNotFound(name)
    return run, step


def find_run(name: str) -> Run:
    """Return a run by its name: one's own, or one that comes with attnviz.

    Raises:
        RunNotFound: there is none, or it is not a name.
        RunCorrupt: its config.json cannot be read.
    """
    try:
        return open_run(name)
    except RunNotFound:
        return open_run(name, EXAMPLE_RUNS)
