"""Header of the view of a training run: sequences, sites, expected patterns, samples."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

from attnviz.analysis import expected_cells
from attnviz.analysis.patterns import expected_reads
from attnviz.attention import Mask
from attnviz.models import AnyConfig, ModelConfig
from attnviz.models.layers import Attention
from attnviz.models.network import blank_network
from attnviz.models.states import StateAttention
from attnviz.models.tuned_config import TunedConfig
from attnviz.tasks import Batch
from attnviz.tasks.base import IGNORE
from attnviz.tasks.pattern import pattern_key
from attnviz.trace.record import READOUT, READOUT_LABEL
from attnviz.training import Run, RunConfig, TrainConfig
from attnviz.vectors import Reader, Vectors

__all__ = ["run_header", "unit_of"]

RATES = 400  # learning rates of the schedule that are told, at most


@lru_cache(32)
def run_header(run: Run) -> dict[str, Any]:
    """Return all that never changes about a run, as plain values for JSON; the same object for the same run.

    Returns:
        run, task, metric, target, steps, learning_rate: as configured.
        predicts: "classes" or "values", as the model.
        unit: "character" or "symbol", what a token of the answer is.
        rates: {"every": n, "values": the schedule's learning rates at steps n, 2 n, ...}.
        stack: stack that writes the answer.
        sites: {"name", "stack", "layer", "kind", "heads", "queries", "keys": names of sequences} in the order in which
            they run; none in a network without attention.
        sequences: of the probe: {"labels": of the tokens, by the names that sites know them by, "typed": the text and
            the target that one would type, "patterns"}, and of each expected pattern and kind of site {"name", "key" of
            its message, "stack" and "kind" of the sites, "pairs": [query, key, ...] of those the mask allows, "chance",
            "queries": that are scored}.
        samples: validation sequences: {"prompt": labels, "image": the picture they are, or null, "answer": output ids,
            or the right values}; an image is {"rows", "cols", "levels": row by row, 255 for the highest number}.
        vocab: labels of the output ids.
        tuned: of a pretrained network {"method": what is trained of it}; None of others.
        spaced: {"prompt", "answer"}: whether their tokens are words or numbers, to be set apart.
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
        "predicts": config.model.predicts,
        "unit": unit_of(config),
        "rates": _rates(config.training),
        "stack": _answering(config.model),
        "sites": _sites(config.model),
        "sequences": [_sequence(run, batch) for batch in run.probe()],
        "samples": [_sample(run, batch) for batch in run.samples()],
        "vocab": list(config.task.labels or tokenizer.vocab),
        "tuned": {"method": config.model.method} if isinstance(config.model, TunedConfig) else None,
        "spaced": {
            "prompt": (config.task.source_tokenizer or tokenizer).kind != "characters",
            "answer": bool(config.task.labels) or tokenizer.kind != "characters",
        },
    }


def unit_of(config: RunConfig) -> str:
    """Return the unit of the answer: "character" or "symbol"."""
    return "character" if config.task.tokenizer.kind == "characters" else "symbol"


def _rates(training: TrainConfig) -> dict[str, Any]:
    every = -(-training.steps // RATES)
    return {"every": every, "values": [training.rate(step) for step in range(every, training.steps + 1, every)]}


def _answering(model: AnyConfig) -> str:
    return "encoder" if model.architecture == "encoder" else "decoder"


def _sites(model: AnyConfig) -> list[dict[str, Any]]:
    """Return the attention layers of the network itself, which is built without memory for its weights."""
    if isinstance(model, TunedConfig):
        stack, heads = model.architecture, model.n_heads
        place = {"stack": stack, "kind": "self", "heads": heads, "queries": stack, "keys": stack}
        return [{"name": f"{stack}.{layer}.self", "layer": layer, **place} for layer in range(model.n_layers)]
    layers = (module for module in blank_network(model).modules() if isinstance(module, Attention | StateAttention))
    return [
        {
            "name": layer.name,
            "stack": layer.stack,
            "layer": layer.index,
            "kind": layer.kind,
            "heads": layer.n_heads,
            "queries": layer.stack,
            "keys": layer.keys,
        }
        for layer in layers
    ]


def _labels(run: Run, batch: Batch) -> dict[str, list[str]]:
    """Return the token labels of one sequence by stack, in the order in which the stacks read."""
    task = run.config.task
    labels: dict[str, list[str]] = {}
    if batch.source is not None and task.source_tokenizer is not None:
        labels["encoder"] = [task.source_tokenizer.label(token) for token in batch.source[0].tolist()]
    features = None if batch.features is None else batch.features[0]
    labels[_answering(run.config.model)] = list(task.tokenizer.labels(batch.tokens[0].tolist(), features))
    return labels


def _sequence(run: Run, batch: Batch) -> dict[str, Any]:
    labels = {**_labels(run, batch), READOUT: [READOUT_LABEL]}
    model, sites = run.config.model, _sites(run.config.model)
    expected = run.config.task.expected(
        batch.tokens[0].tolist(), None if batch.source is None else batch.source[0].tolist()
    )
    kinds = dict.fromkeys((site["queries"], site["kind"]) for site in sites)
    patterns = [
        {
            "name": pattern.name,
            "key": pattern_key(pattern.name),
            "stack": stack,
            "kind": kind,
            **_cells(model, kind, reads),
        }
        for pattern in expected
        for stack, kind in kinds
        if (reads := expected_reads(pattern, stack, kind, _answering(model))) is not None
    ]
    named = {name for site in sites for name in (site["queries"], site["keys"])} | set(labels) - {READOUT}
    return {
        "labels": {name: tokens for name, tokens in labels.items() if name in named},
        "typed": list(run.config.task.text_of(batch)),
        "patterns": [pattern for pattern in patterns if pattern["queries"]],
    }


def _cells(model: AnyConfig, kind: str, reads: torch.Tensor) -> dict[str, Any]:
    """Return the expected keys (Tq, Tk) that the model may read, and what chance would give."""
    causal = kind == "self" and model.architecture != "encoder"
    window = model.window if kind == "self" and isinstance(model, ModelConfig) else None
    expected = expected_cells(reads, Mask(causal, window).allowed(*reads.shape))
    return {
        "pairs": expected.cells.nonzero().flatten().tolist(),
        "chance": expected.chance,
        "queries": expected.n_queries,
    }


def _sample(run: Run, batch: Batch) -> dict[str, Any]:
    """A decoder whose answer comes in one piece is asked with what comes before it, others with their whole text."""
    read = next(iter(_labels(run, batch).values()))
    scored: list[int] = (batch.targets[0] != IGNORE).nonzero().flatten().tolist()
    whole = run.config.model.architecture != "decoder" or scored != list(range(scored[0], scored[0] + len(scored)))
    answer: list[float] = batch.targets[0, scored].tolist()
    if batch.values is not None:  # as few digits as name a float32 that was written with a few
        answer = [float(f"{value:.6g}") for value in batch.values[0, scored].flatten().tolist()]
    prompt = read if whole else read[: scored[0] + 1]
    return {"prompt": prompt, "image": _image(run.config.task.tokenizer, batch), "answer": answer}


def _image(reader: Reader, batch: Batch) -> dict[str, Any] | None:
    """Return a sequence of numbers as gray levels; None if it is neither picture nor sound."""
    if not isinstance(reader, Vectors) or batch.features is None:
        return None
    levels = reader.image(batch.features[0])
    if levels is None:
        return None
    return {"rows": levels.shape[0], "cols": levels.shape[1], "levels": levels.flatten().tolist()}
