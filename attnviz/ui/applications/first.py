"""The example that an application begins with: one on which its model does what the application is about."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch

from attnviz.analysis.telling import by_pattern
from attnviz.errors import AttnvizError
from attnviz.server.forward import run
from attnviz.server.listing import Listed
from attnviz.server.traces import TraceKey
from attnviz.tasks import Batch
from attnviz.training.engine.gradients import forward
from attnviz.ui.applications.case import FULL, Case, examples, opened, task_of

__all__ = ["first_case", "first_example"]

Works = Callable[[Case], int]

TRIED = 12  # examples
EXACT = ("accuracy", "exact match", "F1")
"""Metrics of tasks whose targets can all be right."""


@lru_cache(64)
def first_example(listed: Listed, works: Works | None) -> int:
    """Return the number, from 1, of the example that shows most among the first ones.

    Best is one without unknown tokens, whose answers are all right, and where a head reads what the task expects, as
    far as these are known; they count in this order. `works` asks for something else.
    """
    rows = examples(task_of(listed))[:TRIED]
    best, chosen = 0, 1
    for number, row in enumerate(rows, start=1):
        try:
            worth = (works or _worth)(_case(listed, row))
        except AttnvizError:  # it cannot be run: the page says why, if somebody chooses it
            continue
        if worth > best:
            best, chosen = worth, number
        if best >= FULL:
            break
    return chosen


def first_case(listed: Listed, works: Works | None) -> Case:
    """Return a model at work on its first example."""
    return _case(listed, examples(task_of(listed))[first_example(listed, works) - 1])


def _case(listed: Listed, row: Batch) -> Case:
    task = task_of(listed)
    text, _ = task.text_of(row)
    return Case(listed, opened(listed), task, run(TraceKey(listed.name, text, "", listed.version)), row)


def _worth(case: Case) -> int:
    """Return how much an example shows, up to `FULL`."""
    assert case.row is not None
    trace, task = case.trace, case.task
    is_known = getattr(task.tokenizer, "unknown", "") not in case.tokens
    is_right = task.metric not in EXACT or _is_right(case, case.row)
    expected = task.expected(trace.token_ids, trace.source_ids)
    reads = not expected or not trace.sites or by_pattern(trace, expected) is not None
    return 4 * is_known + 2 * is_right + reads


@torch.inference_mode()
def _is_right(case: Case, row: Batch) -> bool:
    return case.task.accuracy(forward(case.model.network, row), row) == 1
