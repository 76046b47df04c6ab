"""Tell the task that a listed model has learned, and the right outputs of a trace, as far as they are known."""

from __future__ import annotations

from functools import lru_cache

from attnviz.errors import NotLearned, RunError
from attnviz.loading import ZOO, is_checkpoint, open_checkpoint
from attnviz.server.traces import TraceKey
from attnviz.tasks import IGNORE, Pattern, Task
from attnviz.trace import Trace
from attnviz.training import RECIPES
from attnviz.zoo import ORDER

__all__ = ["asked_of", "check", "expected_of", "task_of", "truth_of"]


def task_of(name: str) -> Task | None:
    """Return the task of a shipped model or of a run's checkpoint; None for others, and where the run is gone."""
    if not is_checkpoint(name):
        shipped = name.removeprefix(ZOO)
        return RECIPES[shipped].task if shipped in ORDER else None
    try:
        return _kept(open_checkpoint(name)[0].config.task)
    except RunError:
        return None


@lru_cache(32)
def _kept(task: Task) -> Task:
    """Return the same object for the same task: what it has worked out of a person's data it keeps."""
    return task


def check(key: TraceKey) -> None:
    """Refuse a text to which any answer would mislead, though the model's tokenizer knows its symbols.

    Raises:
        NotLearned: it is nothing at all of what the model has learned.
    """
    task = task_of(key.model)
    if task is not None and key.text.strip() and task.refuses(key.text):
        raise NotLearned(task.name)


def expected_of(name: str, trace: Trace) -> tuple[Pattern, ...]:
    """Return the patterns that attention is expected to follow in a trace of a model; () where nobody knows."""
    task = task_of(name)
    return () if task is None else task.expected(trace.token_ids, trace.source_ids)


def asked_of(name: str, trace: Trace) -> tuple[int, ...]:
    """Return the rows of the logits that hold the answer, where there are others beside them; () where all do.

    A network that does not pool its states has a row for each token; one label for the whole is due at the first.
    """
    task = task_of(name)
    outputs = trace.outputs
    whole = task is not None and task.readout == "whole" and outputs is not None and outputs.kind == "labels"
    return (0,) if whole else ()


def truth_of(name: str, trace: Trace) -> tuple[str | None, ...]:
    """Return the right output at each row of the logits, None where none is due; () where nobody knows them."""
    task = task_of(name)
    if task is None or trace.outputs is None or trace.outputs.kind == "values":
        return ()
    answers = task.answers(trace.token_ids, trace.source_ids)
    rows = answers[:1] if trace.outputs.kind == "label" else answers
    known = tuple(None if answer == IGNORE else trace.outputs.label(answer) for answer in rows)
    return known if any(known) else ()
