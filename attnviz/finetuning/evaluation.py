"""How well a tuned model answers, for each label and on average, beside what can be had without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from attnviz.analysis.entities import EntityScore, entity_report
from attnviz.analysis.scores import Interval
from attnviz.finetuning.tasks import TunedLabels, TunedTags, TunedTask
from attnviz.tasks.base import CHUNK, IGNORE, Batch
from attnviz.tasks.language.bio import spans
from attnviz.training.engine.gradients import forward

__all__ = ["AVERAGES", "Answers", "Baseline", "Report", "Wrong", "answers", "baselines", "report"]

AVERAGES = ("micro", "macro", "weighted")
DRAWS = 1000  # of the bootstrap
MOST_WRONG = 500


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
        true: right labels; of a sentence those of the words that are wrong.
        said: answers.
        sure: probability that the model gave to the wrong answer.
    """

    text: str
    true: tuple[str, ...]
    said: tuple[str, ...]
    sure: float


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
    metric: str
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
def answers(network: nn.Module, task: TunedTask[Any], items: Sequence[Any]) -> Answers:
    """Let a network answer items of a task."""
    network.eval()
    found = Answers([], [], [])
    for start in range(0, len(items), CHUNK):
        batch = task.batch(items[start : start + CHUNK])
        shares = forward(network, batch).float().softmax(-1)  # (B, T, n_labels)
        for row, due in enumerate(batch.targets):
            scored = due != IGNORE
            said = shares[row, scored]  # (n, n_labels)
            found.true.append(due[scored].tolist())
            found.said.append(said.argmax(-1).tolist())
            wrong = said.argmax(-1) != due[scored]
            found.sure.append(float(said.max(-1).values[wrong].max()) if bool(wrong.any()) else 0.0)
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
        labels, averages, metric = entities.types, entities.averages, "F1"
    else:
        labels, averages, metric = *_label_scores(names, true, said), "accuracy"
        macro_interval = _interval(lambda draws: _macro(true[draws], said[draws], len(names)), len(true))
    score, interval = scored(task, found)
    return Report(
        len(items),
        metric,
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
        missed = [(right, other) for right, other in zip(true, said, strict=True) if right != other]
        if missed:
            names = [tuple(task.labels[pair[side]] for pair in missed) for side in (0, 1)]
            wrong.append(Wrong(task.text_in(item), names[0], names[1], sure))
    return tuple(sorted(wrong, key=lambda each: -each.sure)[:MOST_WRONG])


def baselines(task: TunedTask[Any], items: Sequence[Any], base: Any) -> tuple[Baseline, ...]:
    """Score what needs no tuning on the same items, learned from the same training items.

    "most frequent": the label that comes most often. "bag of words": logistic regression on words and pairs of words;
    of tags "word alone": the tag that a word has most often. "frozen features": logistic regression on what the base
    model makes of a text, the mean of its last layer; of tags of each word's first piece.

    Args:
        task: whose training items are learned from.
        items: items to answer.
        base: base model, opened.
    """
    sides = (task.parts["train"], items)
    found = {"most frequent": _most_frequent(task, *sides)}
    if isinstance(task, TunedTags):
        found["word alone"] = _word_alone(task, *sides)
    else:
        found["bag of words"] = _bag_of_words(cast(TunedLabels, task), *sides)
    found["frozen features"] = _frozen(task, *sides, base)
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


def _frozen(task: TunedTask[Any], train: Sequence[Any], items: Sequence[Any], base: Any) -> Answers:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    (x, y), (asked, due) = (_features(task, side, base) for side in (train, items))
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
def _features(task: TunedTask[Any], items: Sequence[Any], base: Any) -> tuple[NDArray[Any], NDArray[Any]]:
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
    return torch.cat(rows).numpy(), np.array(labels)
