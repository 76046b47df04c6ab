"""Plan the fine-tuning of a listed model for a page; the last plans are kept, for a page asks at every click."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attnviz.errors import ModelNotFound
from attnviz.models.bundle import CONFIG_FILE
from attnviz.server.listing import Listed, find
from attnviz.server.opening import open_model
from attnviz.server.stores import UPLOADS
from attnviz.server.uploads import is_upload
from attnviz.tasks.base import Split
from attnviz.tasks.own.readers.conll import read_conll
from attnviz.tasks.own.readers.labelled_rows import read_labelled

if TYPE_CHECKING:
    from attnviz.finetuning.plan import Plan

__all__ = ["MEASURING", "Measured", "can_begin_with", "planned"]

KEPT = 8  # plans
AT_ONCE = 20_000  # characters that the tokenizer of an upload reads in its sandbox at a time

MEASURING = threading.Lock()
"""Held while a model is opened and steps of it are timed: of several at once the memory would add up."""


@dataclass(frozen=True)
class Measured:
    """Settings that a plan is measured for.

    Attributes:
        base: name of a listed model.
        data: data of each split that has its own, as `attnviz.finetuning.reading` writes them.
        tags: they are tagged words.
        method: what is trained; see `TunedConfig`.
        batch_size: texts of a step.
        max_len: tokens that are read of a text; None: as many as the model reads.
        validation_share: see `TunedTask`.
        test_share: see `TunedTask`.
        split_seed: see `TunedTask`.
    """

    base: str
    data: tuple[tuple[Split, str], ...]
    tags: bool
    method: str
    batch_size: int
    max_len: int | None
    validation_share: int
    test_share: int
    split_seed: int


def can_begin_with(model: Listed) -> bool:
    """Whether a listed model is one of transformers that stands for itself: no checkpoint of a run, and not ours."""
    return model.step is None and not model.architecture


def planned(asked: Measured, **settings: Any) -> Plan:
    """Plan a fine-tuning.

    An uploaded model is opened in its sandbox first, and its tokenizer reads all texts there; its run keeps it.

    Args:
        asked: settings to measure for.
        settings: settings that need no measuring; see `Plan.changed`.

    Raises:
        AttnvizError: of `attnviz.finetuning.plan.plan`, or of `open_model`.
    """
    model = find(asked.base)
    if model is None:
        raise ModelNotFound(asked.base, CONFIG_FILE)
    plan = _measured(asked, model.version).changed(**settings)
    if is_upload(asked.base) and model.folder is not None:
        plan.task.keeping(model.folder)
    return plan


@lru_cache(KEPT)
def _measured(asked: Measured, version: int) -> Plan:
    from attnviz.finetuning.plan import plan

    with MEASURING:
        opened = open_model(asked.base, version)
        if is_upload(asked.base):
            for part in _parts(text for _, data in asked.data for text in _texts(data, asked.tags)):
                UPLOADS.read(asked.base, *((text, None) for text in part))
        return plan(
            asked.base,
            dict(asked.data),
            tags=asked.tags,
            method=asked.method,
            max_len=asked.max_len,
            training={"batch_size": asked.batch_size},
            opened=opened,
            validation_share=asked.validation_share,
            test_share=asked.test_share,
            split_seed=asked.split_seed,
        )


def _texts(data: str, tags: bool) -> Iterator[str]:
    """Return what a tokenizer is given of some data: whole texts, or words."""
    if tags:
        return (word for sentence in read_conll(data, word_column=1, tag_column=2) for word, _ in sentence)
    return (row.text for row in read_labelled(data, separator="comma", header="yes", text_column=1, label_column=2))


def _parts(texts: Iterable[str]) -> Iterator[list[str]]:
    """Return texts in parts of about AT_ONCE characters, those that come again left out."""
    part: list[str] = []
    for text in dict.fromkeys(texts):
        part.append(text)
        if sum(map(len, part)) > AT_ONCE:
            yield part
            part = []
    if part:
        yield part
