"""The shipped models: small, trained with :mod:`attnviz.training.recipes`, one folder each."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from safetensors import safe_open

from attnviz.errors import ModelNotFound
from attnviz.models.bundle import CONFIG_FILE, WEIGHTS_FILE, Example, ModelCard, read_config

__all__ = ["EXAMPLE_RUNS", "ORDER", "TWINS", "ZooEntry", "zoo", "zoo_path"]

FOLDER = Path(__file__).parent
EXAMPLE_RUNS = FOLDER / "runs"
"""Folder of the recorded runs that come with attnviz, to be looked at: `Run.open(EXAMPLE_RUNS / "grokking")`."""
ORDER = (
    "reverse",
    "sort",
    "induction",
    "induction-one-layer",
    "recall",
    "addition",
    "dates",
    "english",
    "chinese",
    "sentiment-en",
    "sentiment-zh",
    "sentiment-far",
    "sentiment-far-last",
    "sentiment-far-mean",
    "sentiment-far-max",
    "entities",
    "entities-lstm",
    "translation",
    "translation-lstm",
    "dates-lstm",
    "comprehension",
    "extract",
    "headline",
    "dialogue",
    "english-lstm",
    "digits",
    "digits-lstm",
    "series",
    "series-lstm",
    "sound",
    "sound-lstm",
    "sessions",
    "sessions-lstm",
    "gridworld",
)
"""Simple ones first, then the applications."""
TWINS = {"induction": "induction-one-layer"}
"""Models trained as another one was, with one layer less."""


@dataclass(frozen=True)
class ZooEntry:
    """Facts of a shipped model, known without loading it.

    Attributes:
        name: as in `zoo/<name>`.
        task: what it was trained on.
        architecture: "encoder", "decoder" or "encoder-decoder".
        size: number of parameters.
        example: a text to begin with; a (source, target) pair for an encoder-decoder.
        examples: that example and more.
        metric: what `score` counts.
        score: reached on test data.
    """

    name: str
    title: str
    task: str
    architecture: str
    size: int
    example: Example
    examples: tuple[Example, ...]
    metric: str
    score: float


def zoo() -> tuple[ZooEntry, ...]:
    """The shipped models, simple ones first. Reads their configurations and the headers of their weights only."""
    return tuple(_entry(name) for name in ORDER)


def zoo_path(name: str) -> Path:
    """Return the folder of a shipped model.

    Raises:
        ModelNotFound: there is no model of that name in the zoo.
    """
    if name not in ORDER or not (FOLDER / name / CONFIG_FILE).is_file():
        raise ModelNotFound(f"zoo/{name}", "a model of that name")
    return FOLDER / name


def _entry(name: str) -> ZooEntry:
    folder = zoo_path(name)
    config: dict[str, Any] = read_config(folder)
    card = ModelCard.from_dict(config["card"])
    with safe_open(folder / WEIGHTS_FILE, framework="pt") as weights:
        size = sum(prod(weights.get_slice(key).get_shape()) for key in weights.keys())  # noqa: SIM118
    return ZooEntry(
        name=name,
        title=card.title,
        task=card.task,
        architecture=config["model"]["architecture"],
        size=size,
        example=card.examples[0],
        examples=card.examples,
        metric=card.metric,
        score=card.score,
    )
