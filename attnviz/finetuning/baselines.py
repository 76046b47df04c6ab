"""Scores that need no tuning, on the same texts: what a tuned model is to be better than."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnviz.analysis.scores import Interval
from attnviz.finetuning.evaluation import AT_ONCE, Answers, Tick, scored
from attnviz.finetuning.tasks import TunedLabels, TunedTags, TunedTask
from attnviz.tasks.base import IGNORE, Batch

__all__ = ["Baseline", "baselines"]


class Baseline(NamedTuple):
    """A baseline: a score that takes no tuning.

    Attributes:
        name: "most frequent", "bag of words", "word alone" or "frozen features".
        score: accuracy of labels, micro F1 of entities.
        interval: its 95 % interval, by bootstrap.
    """

    name: str
    score: float
    interval: Interval


def baselines(
    task: TunedTask[Any], items: Sequence[Any], base: Any, tick: Tick = lambda n: None
) -> tuple[Baseline, ...]:
    """Score what needs no tuning on the same items, learned from the same training items.

    "most frequent": the label that comes most often. "bag of words": logistic regression on words and pairs of words;
    of tags "word alone": the tag that a word has most often. "frozen features": logistic regression on what the base
    model makes of a text, the mean of its last layer; of tags of each word's first piece.

    Args:
        task: whose training items are learned from.
        items: items to answer.
        base: base model, opened.
        tick: is told how many more items the base model has read: those to learn from, then `items`.
    """
    sides = (task.parts["train"], items)
    found = {"most frequent": _most_frequent(task, *sides)}
    if isinstance(task, TunedTags):
        found["word alone"] = _word_alone(task, *sides)
    else:
        found["bag of words"] = _bag_of_words(cast(TunedLabels, task), *sides)
    found["frozen features"] = _frozen(task, *sides, base, tick)
    return tuple(Baseline(name, *scored(task, each)) for name, each in found.items())


def _given(task: TunedTask[Any], items: Sequence[Any]) -> list[list[int]]:
    """Return the labels of each item that a model is asked for: those that it reads."""
    targets = [task.batch([item]).targets[0] for item in items]
    return [row[row != IGNORE].tolist() for row in targets]


def _answered(true: list[list[int]], said: list[list[int]]) -> Answers:
    return Answers(true, said, [0.0] * len(true))


def _most_frequent(task: TunedTask[Any], train: Sequence[Any], items: Sequence[Any]) -> Answers:
    (best, _), *_ = Counter(label for row in _given(task, train) for label in row).most_common(1)
    true = _given(task, items)
    return _answered(true, [[best] * len(row) for row in true])


def _word_alone(task: TunedTags, train: Sequence[Any], items: Sequence[Any]) -> Answers:
    tags: dict[str, Counter[int]] = {}
    for item in train:
        for word, tag in item:
            tags.setdefault(word, Counter())[task.labels.index(tag)] += 1
    true = _given(task, items)
    said = [
        [tags[word].most_common(1)[0][0] if word in tags else 0 for word, _ in item][: len(row)]
        for item, row in zip(items, true, strict=True)
    ]
    return _answered(true, said)


def _bag_of_words(task: TunedLabels, train: Sequence[Any], items: Sequence[Any]) -> Answers:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        CountVectorizer(ngram_range=(1, 2), token_pattern=r"\w|\w+"), LogisticRegression(max_iter=1000)
    )
    texts, asked = ([task.text_in(item) for item in side] for side in (train, items))
    given = [row[0] for row in _given(task, train)]
    if len(set(given)) < 2:
        return _most_frequent(task, train, items)
    said = model.fit(texts, given).predict(asked)
    return _answered(_given(task, items), [[int(label)] for label in said])


def _frozen(task: TunedTask[Any], train: Sequence[Any], items: Sequence[Any], base: Any, tick: Tick) -> Answers:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    (x, y), (asked, due) = (_features(task, side, base, tick) for side in (train, items))
    if len(set(y.tolist())) < 2:
        return _most_frequent(task, train, items)
    said = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x, y).predict(asked)
    true, answered, start = _given(task, items), [], 0
    for row in true:
        answered.append([int(label) for label in said[start : start + len(row)]])
        start += len(row)
    assert start == len(due)
    return _answered(true, answered)


@torch.inference_mode()
def _features(task: TunedTask[Any], items: Sequence[Any], base: Any, tick: Tick) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return what a base model makes of some items, (n, d), and their labels (n,); of tags, of each word."""
    network = base.network.base_model.eval()
    rows: list[Tensor] = []
    labels: list[int] = []
    for item in items:
        batch: Batch = task.batch([item])
        hidden = network(input_ids=batch.tokens, attention_mask=torch.ones_like(batch.tokens))[0][0].float()  # (T, d)
        scored = batch.targets[0] != IGNORE
        rows.append(hidden[scored] if isinstance(task, TunedTags) else hidden.mean(0, keepdim=True))
        labels += batch.targets[0, scored].tolist()
        if len(rows) % AT_ONCE == 0:
            tick(AT_ONCE)
    tick(len(rows) % AT_ONCE)
    return torch.cat(rows).numpy(), np.array(labels)
