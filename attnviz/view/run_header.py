"""What the view of a training run has to know before its first step: sequences, sites, expected patterns, samples."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from attnviz.analysis import expected_cells
from attnviz.attention import Mask
from attnviz.models import AnyConfig
from attnviz.models.layers import Attention
from attnviz.models.network import blank_network
from attnviz.models.recurrent_config import RecurrentConfig
from attnviz.models.states import StateAttention
from attnviz.tasks import Batch, Pattern
from attnviz.tasks.base import IGNORE
from attnviz.tasks.pattern import pattern_key
from attnviz.training import Run, TrainConfig

__all__ = ["run_header"]

RATES = 400  # learning rates of the schedule that are told, at most


@lru_cache(32)
def run_header(run: Run) -> dict[str, Any]:
    """All that never changes about a run, as plain values for JSON; the same object for the same run.

    Returns:
        run, task, metric, target, steps, learning_rate: as configured.
        rates: {"every": n, "values": the schedule's learning rates at steps n, 2 n, ...}.
        stack: that writes the answer.
        sites: {"name", "stack", "layer", "kind", "heads"} in the order in which they run.
        sequences: of the probe: {"tokens", "source": labels or null, "patterns"}, and of each expected pattern
            {"name", "key" of its message, "kind", "pairs": [query, key, ...] of those the mask allows, "chance",
            "queries": that are scored}.
        samples: validation sequences: {"prompt", "source", "answer": token ids}.
        vocab: labels of the token ids.
        spaced: symbols are words, to be set apart.
    """
    config = run.config
    tokenizer = config.task.tokenizer
    return {
        "run": run.name,
        "task": config.task.name,
        "metric": config.task.metric,
        "target": config.training.target,
        "steps": config.training.steps,
        "learning_rate": config.training.learning_rate,
        "rates": _rates(config.training),
        "stack": _answering(config.model),
        "sites": _sites(config.model),
        "sequences": [_sequence(run, batch) for batch in run.probe()],
        "samples": [_sample(run, batch) for batch in run.samples()],
        "vocab": list(config.task.labels or tokenizer.vocab),
        "spaced": tokenizer.kind == "symbols",
    }


def _rates(training: TrainConfig) -> dict[str, Any]:
    every = -(-training.steps // RATES)
    return {"every": every, "values": [training.rate(step) for step in range(every, training.steps + 1, every)]}


def _answering(model: AnyConfig) -> str:
    return "encoder" if model.architecture == "encoder" else "decoder"


def _sites(model: AnyConfig) -> list[dict[str, Any]]:
    """The attention layers of the network itself, which is built without memory for its weights."""
    layers = (module for module in blank_network(model).modules() if isinstance(module, Attention | StateAttention))
    return [
        {"name": layer.name, "stack": layer.stack, "layer": layer.index, "kind": layer.kind, "heads": layer.n_heads}
        for layer in layers
    ]


def _labels(run: Run, batch: Batch) -> tuple[list[str], list[str] | None]:
    task = run.config.task
    tokens = list(
        task.tokenizer.labels(batch.tokens[0].tolist(), None if batch.features is None else batch.features[0])
    )
    if batch.source is None or task.source_tokenizer is None:
        return tokens, None
    return tokens, [task.source_tokenizer.label(token) for token in batch.source[0].tolist()]


def _sequence(run: Run, batch: Batch) -> dict[str, Any]:
    tokens, source = _labels(run, batch)
    expected = run.config.task.expected(
        batch.tokens[0].tolist(), None if batch.source is None else batch.source[0].tolist()
    )
    patterns = [_pattern(run.config.model, pattern) for pattern in expected]
    return {"tokens": tokens, "source": source, "patterns": [pattern for pattern in patterns if pattern["queries"]]}


def _pattern(model: AnyConfig, pattern: Pattern) -> dict[str, Any]:
    """The expected keys that the model may read, and what chance would give."""
    causal = pattern.kind == "self" and model.architecture != "encoder"
    window = None if isinstance(model, RecurrentConfig) or pattern.kind == "cross" else model.window
    mask = Mask(causal, window)
    expected = expected_cells(pattern.reads, mask.allowed(*pattern.reads.shape))
    return {
        "name": pattern.name,
        "key": pattern_key(pattern.name),
        "kind": pattern.kind,
        "pairs": expected.cells.nonzero().flatten().tolist(),
        "chance": expected.chance,
        "queries": expected.n_queries,
    }


def _sample(run: Run, batch: Batch) -> dict[str, Any]:
    """A decoder whose answer comes in one piece is asked with what comes before it, others with their whole text."""
    tokens, source = _labels(run, batch)
    scored: list[int] = (batch.targets[0] != IGNORE).nonzero().flatten().tolist()
    whole = run.config.model.architecture == "encoder" or scored != list(range(scored[0], scored[0] + len(scored)))
    prompt = tokens if whole else tokens[: scored[0] + 1]
    return {"prompt": prompt, "source": source, "answer": batch.targets[0, scored].tolist()}
