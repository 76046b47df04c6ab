"""Comparing the sizes in a configuration with the weights beside it, before anything is allocated for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel

from attnviz.errors import ModelMismatch
from attnviz.errors.base import Why
from attnviz.models.weight_files import shapes_in, weight_files

__all__ = ["check_sizes"]

COUNTS = re.compile(r"(.*_)?n?(layers?|depths?|blocks|experts|stages|groups)(_\d+)?")
"""Settings that say how often a part of a model is made."""

ALWAYS = 1024  # times that a part may be made whatever the weights hold: some share theirs
SPARE = 2**24  # numbers that are computed rather than stored, such as the waves of positions
PACKED = 8  # numbers in one that is stored, of quantised weights


def check_sizes(folder: Path, name: str, kind: Any, config: Any, packed: bool = False) -> None:
    """Hold a configuration to what the headers of its weights say; the model is built without any memory of its own.

    Args:
        kind: class of the model, or AutoModel.
        packed: the weights are quantised, several numbers in one.

    Raises:
        ModelMismatch: it asks for more than the weights hold.
    """
    tensors = [tensor for path in weight_files(folder) for tensor in shapes_in(path, name).values()]
    most = max(ALWAYS, len(tensors))
    for setting, count in _counts(config.to_dict()):
        if count > most:
            raise ModelMismatch(name, Why("few-tensors", setting=setting, count=count, tensors=len(tensors)))
    stored = sum(prod(shape) for _, shape in tensors)
    if packed:
        stored *= PACKED
    with torch.device("meta"):
        network = kind.from_config(config) if kind is AutoModel else kind._from_config(config)
    declared = sum(parameter.numel() for parameter in network.parameters())  # what is tied counts once
    if declared > stored + SPARE:
        raise ModelMismatch(name, Why("few-numbers", declared=declared, stored=stored))


def _counts(values: Any, setting: str = "") -> Iterator[tuple[str, int]]:
    """Yield all settings that say how often a part is made, those of parts of a model too."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from _counts(value, str(key))
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _counts(value, setting)
    elif isinstance(values, int) and not isinstance(values, bool) and COUNTS.fullmatch(setting):
        yield setting, values
