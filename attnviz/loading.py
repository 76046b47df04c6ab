"""One way to open a model: by its name in the zoo, as a checkpoint of a run, or by its folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnviz import models
from attnviz.bounded import read_json
from attnviz.errors import RunNotFound
from attnviz.library import is_transformers
from attnviz.models import SequenceModel
from attnviz.models.bundle import CONFIG_FILE
from attnviz.training import Run, open_run
from attnviz.zoo import EXAMPLE_RUNS, zoo_path

if TYPE_CHECKING:
    from attnviz.huggingface import HuggingFaceModel

__all__ = ["checkpoint_name", "find_run", "is_checkpoint", "is_hugging_face", "load_model", "open_checkpoint"]

CHECKPOINT = re.compile(r"run/(?P<run>[^/@]+)@(?P<step>\d{1,12})", re.ASCII)


def load_model(path: str | Path, **options: Any) -> SequenceModel | HuggingFaceModel:
    """Open "zoo/<name>", "run/<name>@<step>", "hf:<id>", or a folder that attnviz or transformers wrote.

    Args:
        path: what to open. "hf:<id>" is a model of the Hugging Face Hub; it is downloaded only where the environment
            says ATTNVIZ_DOWNLOADS=1.
        options: of Hugging Face models: dtype (a torch.dtype; as stored by default), device ("cpu" by default).

    Raises:
        ModelNotFound, ModelCorrupt, ModelMismatch: each says which file is wrong and how.
        RunNotFound, RunCorrupt: likewise, of a run.
        ModelLoadError: what else a Hugging Face model may lack; see `attnviz.errors`.

    Example:
        >>> load_model("zoo/reverse").facts.architecture
        'encoder'
    """
    if isinstance(path, str) and path.startswith("hf:"):
        from attnviz.huggingface import download

        return download(path.removeprefix("hf:"), **options)
    if isinstance(path, str) and is_checkpoint(path):
        run, step = open_checkpoint(path)
        return run.model(step)
    parts = Path(path).parts
    if len(parts) == 2 and parts[0] == "zoo" and not Path(path).is_dir():
        return models.load_model(zoo_path(parts[1]))
    if is_hugging_face(Path(path)):
        from attnviz.huggingface import open_folder

        return open_folder(Path(path), **options)
    return models.load_model(path)


def is_hugging_face(folder: Path) -> bool:
    """Whether a folder's config.json is that of a transformers model, be it whole or not."""
    try:
        return is_transformers(read_json(folder / CONFIG_FILE))
    except (OSError, ValueError):
        return False


def checkpoint_name(run: Run, step: int) -> str:
    """How a checkpoint of a run is called: "run/<name>@<step>"."""
    return f"run/{run.name}@{step}"


def is_checkpoint(name: str) -> bool:
    """Whether a text is the name of a checkpoint, be there one or not.

    Example:
        >>> is_checkpoint("run/reverse-1@500"), is_checkpoint("zoo/reverse")
        (True, False)
    """
    return CHECKPOINT.fullmatch(name) is not None


def open_checkpoint(name: str) -> tuple[Run, int]:
    """The run and the step of a checkpoint's name.

    Raises:
        RunNotFound: there is no such run, or it kept no checkpoint of that step.
        RunCorrupt: its config.json cannot be read.
    """
    match = CHECKPOINT.fullmatch(name)
    if match is None:
        raise RunNotFound(name)
    run, step = find_run(match["run"]), int(match["step"])
    if step not in run.checkpoints():
        raise RunNotFound(name)
    return run, step


def find_run(name: str) -> Run:
    """A run by its name: one's own, or one that comes with attnviz.

    Raises:
        RunNotFound: there is none, or it is not a name.
        RunCorrupt: its config.json cannot be read.
    """
    try:
        return open_run(name)
    except RunNotFound:
        return open_run(name, EXAMPLE_RUNS)
