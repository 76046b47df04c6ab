"""The models in a folder: ours and those of transformers, told by their files without loading any weights."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attnviz.bounded import read_json, reason
from attnviz.errors import AttnvizError, ModelCorrupt, ModelNotFound
from attnviz.models.bundle import CONFIG_FILE, Example, ModelCard, read_config
from attnviz.models.weight_files import weight_files

__all__ = ["MODELS_FOLDER", "ModelFolder", "changed", "folders_in", "is_transformers", "model_folder", "model_folders"]

MODELS_FOLDER = "ATTNVIZ_MODELS"
"""Environment variable: a folder whose sub-folders are models."""


@dataclass(frozen=True)
class ModelFolder:
    """A folder with a model in it, or the reason why it cannot be opened.

    Attributes:
        title: title for people; the folder's name where it says nothing.
        architecture: "encoder", "decoder", "encoder-decoder"; of transformers the class, such as "GPT2LMHeadModel"; ""
            when the folder cannot be read.
        examples: examples to start from; a (source, target) pair for an encoder-decoder.
        transformers: its config.json is one of transformers, not ours.
        config: the content of its config.json; empty when that cannot be read.
        problem: why it cannot be opened, in English; None when nothing is known to be wrong.
    """

    folder: Path
    title: str
    architecture: str = ""
    examples: tuple[Example, ...] = ()
    transformers: bool = False
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    problem: AttnvizError | None = None

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name


def model_folders(root: Path) -> list[ModelFolder]:
    """The models in the sub-folders of a folder, by name; the folder itself when it is one. Hidden ones are left out.

    Raises:
        OSError: there is no such folder, or it cannot be listed.
    """
    return [model_folder(path) for path in folders_in(root)]


def folders_in(root: Path) -> list[Path]:
    """Return the folders that `model_folders` reads.

    Raises:
        OSError: there is no such folder, or it cannot be listed.
    """
    if (root / CONFIG_FILE).is_file():
        return [root]
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def changed(folder: Path) -> int:
    """When a folder or a file directly in it last changed, in nanoseconds; 0 where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return max((entry.stat().st_mtime_ns for entry in entries), default=0)
    except OSError:
        return 0


def model_folder(folder: Path) -> ModelFolder:
    """Describe the model in a folder by its files; one that cannot be read says why.

    Example:
        >>> from attnviz.zoo import zoo_path
        >>> model_folder(zoo_path("sort")).architecture
        'decoder'
    """
    config: dict[str, Any] = {}
    try:
        config = _config(folder)
        if is_transformers(config):
            weight_files(folder)
            return ModelFolder(folder, folder.name, _class_of(config), transformers=True, config=config)
        values = read_config(folder)
        card = ModelCard.from_dict(values["card"])
        architecture = str(values["model"]["architecture"])
        return ModelFolder(folder, card.title, architecture, card.examples, config=config)
    except AttnvizError as error:
        return ModelFolder(folder, folder.name, config=config, problem=error)
    except (LookupError, TypeError, AttributeError) as error:
        problem = ModelCorrupt(folder.name, CONFIG_FILE, reason(error))
        return ModelFolder(folder, folder.name, config=config, problem=problem)


def is_transformers(config: Mapping[str, Any]) -> bool:
    """Whether the content of a config.json is one of transformers, be it whole or not.

    Example:
        >>> is_transformers({"model_type": "gpt2"}), is_transformers({"format": 1, "model": {}})
        (True, False)
    """
    return bool({"model_type", "architectures", "auto_map"} & config.keys())


def _config(folder: Path) -> dict[str, Any]:
    try:
        return read_json(folder / CONFIG_FILE)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelNotFound(folder.name, CONFIG_FILE) from error
    except (OSError, ValueError) as error:
        raise ModelCorrupt(folder.name, CONFIG_FILE, reason(error)) from error


def _class_of(config: Mapping[str, Any]) -> str:
    """Return the class of a transformers model, or its family where the configuration names none."""
    classes = config.get("architectures")
    return str(classes[0]) if isinstance(classes, list) and classes else str(config.get("model_type", ""))
