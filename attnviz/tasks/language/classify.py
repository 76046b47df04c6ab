"""Tasks with one label for a whole: their batches and baselines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from attnviz.tasks.base import IGNORE, Baseline, Batch, Split, Task, collate
from attnviz.tokenizers import Tokenizer

__all__ = ["label_baselines", "labelled", "linear_baselines"]

N_TRAIN, N_TEST = 4000, 1000  # texts that baselines are fitted and judged on


def labelled(rows: list[list[int]], labels: Sequence[int], fill: int = Tokenizer.pad_id) -> Batch:
    """Return the texts as a batch whose labels are due at the first token, such as `<bos>`; `fill` ends short ones.

    Example:
        >>> labelled([[1, 5, 6], [1, 7]], [0, 1]).targets
        tensor([[   0, -100, -100],
                [   1, -100, -100]])
    """
    tokens, padding = collate(rows, fill)
    targets = torch.full_like(tokens, IGNORE)
    targets[:, 0] = torch.tensor(labels)
    return Batch(tokens, targets, padding)


def label_baselines(task: Task, seed: int = 0) -> tuple[Baseline, ...]:
    """Return the accuracy on test texts without a network.

    "most frequent label": the label that training texts have most often. "bag of words": logistic regression on how
    often each word (or character) occurs, fitted on training texts; the order of words means nothing to it.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(CountVectorizer(analyzer=list), LogisticRegression(max_iter=1000))
    return fitted_baselines("bag of words", model, *(_texts(task, split, seed) for split in ("train", "test")))


def linear_baselines(name: str, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> tuple[Baseline, ...]:
    """Judge the most frequent label and logistic regression on numbers, flattened: each (N, ...) and (N,)."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=2000)
    return fitted_baselines(name, model, *((x.flatten(1).numpy(), y) for x, y in (train, test)))


def fitted_baselines(
    name: str, model: Any, train: tuple[Any, Tensor], test: tuple[Any, Tensor]
) -> tuple[Baseline, ...]:
    """Judge the most frequent label, and a classifier that is fitted here; it needs two labels."""
    (x, y), (test_x, test_y) = train, test
    found = [Baseline("most frequent label", float((test_y == y.bincount().argmax()).float().mean()))]
    if int(y.min()) < int(y.max()):
        found.append(Baseline(name, float(model.fit(x, y.numpy()).score(test_x, test_y.numpy()))))
    return tuple(found)


def _texts(task: Task, split: Split, seed: int) -> tuple[list[list[int]], Tensor]:
    """Some texts as their tokens, special ones left out, and their labels (N,)."""
    generator = Generator().manual_seed(seed)
    batch = task.sample(N_TRAIN, generator) if split == "train" else task.judged(N_TEST, generator, split)
    first = task.tokenizer.n_specials
    return [[token for token in row if token >= first] for row in batch.tokens.tolist()], batch.targets[:, 0]
