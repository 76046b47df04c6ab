"""One way to open a model: by its name in the zoo or by its folder."""

from __future__ import annotations

from pathlib import Path

from attnviz import models
from attnviz.models import SequenceModel
from attnviz.zoo import zoo_path

__all__ = ["load_model"]


def load_model(path: str | Path) -> SequenceModel:
    """Open "zoo/<name>" or a folder that `save_model` wrote.

    Raises:
        ModelNotFound, ModelCorrupt, ModelMismatch: each says which file is wrong and how.

    Example:
        >>> load_model("zoo/reverse").config.architecture
        'encoder'
    """
    parts = Path(path).parts
    if len(parts) == 2 and parts[0] == "zoo" and not Path(path).is_dir():
        return models.load_model(zoo_path(parts[1]))
    return models.load_model(path)
