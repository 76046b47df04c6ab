"""Scores of a tuned model's answers: of each label and on average, with intervals, and the wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from attnviz.analysis.entities import EntityScore, entity_report
from attnviz.analysis.scores import Interval
from attnviz.finetuning.tasks import TunedTags, TunedTask
from attnviz.tasks.base import IGNORE, Metric
from attnviz.tasks.language.bio import spans
from attnviz.training.engine.gradients import forward

__all__ = ["AT_ONCE", "AVERAGES", "MOST_WRONG", "Answers", "Report", "Tick", "Wrong", "answers", "report", "scored"]

AVERAGES = ("micro", "macro", "weighted")
AT_ONCE = 16  # texts
DRAWS = 1000  # of the bootstrap
MOST_WRONG = 500

Tick = Callable[[int], None]
"""Is told how many more items are done."""


class Answers(NamedTuple):
    """Answers to some items.

    Attributes:
        true: of each item the right labels, by their index; one of a text, one for each word of a sentence.
        said: the answers.
        sure: of each item the probability of its least right answer.
    """

    true: list[list[int]]
    said: list[list[int]]
    sure: list[float]


class Wrong(NamedTuple):
    """An item that was answered wrongly.

    Attributes:
        text: its text.
        read: the part of it that the model read: a text may be longer than the model reads.
        words: of a sentence the words whose tags are wrong; () of a text with one label.
        true: right labels; of a sentence those of these words.
        said: answers.
        sure: probability that the model gave to the wrong answer.
    """

    text: str
    read: str
    words: tuple[str, ...]
    true: tuple[str, ...]
    said: tuple[str, ...]
    sure: float


@dataclass(frozen=True)
class Report:
    """Scores of a model on some items.

    Attributes:
        n: items.
        metric: "accuracy" or "F1": which of the scores is the task's own.
        score: that score.
        interval: its 95 % interval, by bootstrap over the items.
        accuracy: share of right labels, of texts or of words.
        macro_interval: 95 % interval of the macro F1 of labels; None for entities.
        labels: precision, recall, F1 and support of each label, or type of entity.
        averages: micro, macro and weighted.
        names: names of the rows and columns of the confusion matrix.
        confusion: how often a label (row) was answered by another (column).
        wrong: wrong answers, the surest first.
    """

    n: int
    metric: Metric
    score: float
    interval: Interval
    accuracy: float
    macro_interval: Interval | None
    labels: tuple[EntityScore, ...]
    averages: tuple[EntityScore, ...]
    names: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    wrong: tuple[Wrong, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        values = dict(vars(self))
        for name in ("labels", "averages", "wrong"):
            values[name] = [each._asdict() for each in values[name]]
        return values


@torch.inference_mode()
def answers(network: nn.Module, task: TunedTask[Any], items: Sequence[Any], tick: Tick = lambda n: None) -> Answers:
    """Let a network answer items of a task."""
    network.eval()
    found = Answers([], [], [])
    for start in range(0, len(items), AT_ONCE):
        batch = task.batch(items[start : start + AT_ONCE])
        shares = forward(network, batch).float().softmax(-1)  # (B, T, n_labels)
        for row, due in enumerate(batch.targets):
            scored = due != IGNORE
            said = shares[row, scored]  # (n, n_labels)
            found.true.append(due[scored].tolist())
            found.said.append(said.argmax(-1).tolist())
            wrong = said.argmax(-1) != due[scored]
            found.sure.append(float(said.max(-1).values[wrong].max()) if bool(wrong.any()) else 0.0)
        tick(len(batch.targets))
    return found


def report(task: TunedTask[Any], items: Sequence[Any], found: Answers) -> Report:
    """Score some answers.

    Source:
        Efron 1979, "Bootstrap Methods: Another Look at the Jackknife": the percentile interval, over items drawn with
        replacement.
    """
    names = task.labels
    true, said = (np.array([label for row in rows for label in row], dtype=int) for rows in found[:2])
    confusion = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(confusion, (true, said), 1)
    macro_interval = None
    if isinstance(task, TunedTags):
        tags = [[[names[label] for label in row] for row in rows] for rows in found[:2]]
        entities = entity_report(tags[0], tags[1], sorted({name[2:] for name in names if name != "O"}))
        labels, averages = entities.types, entities.averages
    else:
        labels, averages = _label_scores(names, true, said)
        macro_interval = _interval(lambda draws: _macro(true[draws], said[draws], len(names)), len(true))
    score, interval = scored(task, found)
    return Report(
        len(items),
        task.metric,
        score,
        interval,
        float((true == said).mean()) if len(true) else 0.0,
        macro_interval,
        labels,
        averages,
        names,
        tuple(tuple(row) for row in confusion.tolist()),
        _wrong(task, items, found),
    )


def scored(task: TunedTask[Any], found: Answers) -> tuple[float, Interval]:
    """Return the score that a task is judged by, and its interval."""
    if isinstance(task, TunedTags):
        counts = np.array([_entities(task, *row) for row in zip(found.true, found.said, strict=True)])  # (n, 3)
        return float(_f1(counts.sum(0))), _interval(lambda draws: _f1(counts[draws].sum(0)), len(counts))
    right = np.array([true == said for true, said in zip(found.true, found.said, strict=True)])
    return float(right.mean()), _interval(lambda draws: right[draws].mean(), len(right))


def _entities(task: TunedTags, true: list[int], said: list[int]) -> tuple[int, int, int]:
    """Return the right, found and true entities of a sentence."""
    right, found = (set(spans(task.tags(row))) for row in (true, said))
    return len(right & found), len(found), len(right)


def _f1(counts: NDArray[Any]) -> float:
    right, found, true = counts
    return float(2 * right / max(1, found + true))


def _macro(true: NDArray[Any], said: NDArray[Any], n: int) -> float:
    """Return the mean F1 of the labels that occur."""
    right, found, given = (np.bincount(each, minlength=n) for each in (true[true == said], said, true))
    there = found + given > 0
    return float((2 * right[there] / (found + given)[there]).mean())


def _interval(statistic: Any, n: int) -> Interval:
    generator = np.random.default_rng(0)
    drawn = [statistic(generator.integers(0, n, n)) for _ in range(DRAWS)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(low), float(high))


def _label_scores(
    names: Sequence[str], true: NDArray[Any], said: NDArray[Any]
) -> tuple[tuple[EntityScore, ...], tuple[EntityScore, ...]]:
    from sklearn.metrics import precision_recall_fscore_support

    def scores(average: str | None) -> Any:
        return precision_recall_fscore_support(true, said, labels=range(len(names)), average=average, zero_division=0.0)

    columns = (column.tolist() for column in scores(None))
    labels = tuple(EntityScore(*values) for values in zip(names, *columns, strict=True))
    averages = [EntityScore(name, p, r, f1, len(true)) for name in AVERAGES for p, r, f1, _ in [scores(name)]]
    return labels, tuple(averages)


def _wrong(task: TunedTask[Any], items: Sequence[Any], found: Answers) -> tuple[Wrong, ...]:
    wrong = []
    for item, true, said, sure in zip(items, *found, strict=True):
        missed = [place for place, (due, given) in enumerate(zip(true, said, strict=True)) if due != given]
        if missed:
            words = tuple(item[place][0] for place in missed) if isinstance(task, TunedTags) else ()
            right, other = (tuple(task.labels[side[place]] for place in missed) for side in (true, said))
            wrong.append(Wrong(task.text_in(item), task.as_read(item), words, right, other, sure))
    return tuple(sorted(wrong, key=lambda each: -each.sure)[:MOST_WRONG])
