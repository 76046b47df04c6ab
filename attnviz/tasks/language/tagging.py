"""Tasks with a BIO tag for each word: batches, the F1 of entities, and baselines."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from attnviz.tasks.base import IGNORE, Baseline, Batch, Split, Task, collate
from attnviz.tasks.language.bio import spans
from attnviz.tokenizers import Tokenizer

__all__ = ["TaggingTask", "tagged"]

N_TRAIN, N_TEST = 1000, 1000  # sentences that baselines are fitted and judged on


class TaggingTask(Task):
    """A task whose labels are BIO tags and whose metric is the micro F1 of whole entities."""

    architecture = "encoder"
    metric = "F1"

    def tags(self, indices: Sequence[int]) -> list[str]:
        """Return the tags of a sentence; where nothing is scored, none."""
        return [self.labels[index] for index in indices if index != IGNORE]

    def tally(self, logits: Tensor, batch: Batch) -> Tensor:
        """Entities whose ends and type are right, entities found, and true ones: (B, T, n_labels) -> (3,) float64."""
        return self._counts(logits.argmax(-1), batch.targets)

    def score(self, tally: Tensor) -> float:
        """F1 = 2 right / (found + true); 0 where there are none of either."""
        right, found, true = map(float, tally)
        return 2 * right / max(1.0, found + true)

    def _counts(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the right, found and true entities: (B, T) tags and the right ones."""
        outputs = outputs.where(targets != IGNORE, IGNORE)
        counts = torch.zeros(3, dtype=torch.float64)
        for row in zip(outputs.tolist(), targets.tolist(), strict=True):
            found, true = (set(spans(self.tags(indices))) for indices in row)
            counts += torch.tensor([len(found & true), len(found), len(true)])
        return counts

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """F1 on test sentences without a network.

        "tag of the word": the tag that a word has most often in training. "word and neighbours": logistic regression
        on a word, the one before and the one after it.
        """
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        (x, y), (test_x, test_y) = (self._windows(split, seed) for split in ("train", "test"))
        real, scored = y != IGNORE, test_y != IGNORE
        counts = torch.zeros(self.tokenizer.vocab_size, len(self.labels))
        counts.index_put_((x[..., 1][real], y[real]), torch.tensor(1.0), accumulate=True)
        outputs = {"tag of the word": counts.argmax(1)[test_x[..., 1]]}  # (B, T)
        if int(y[real].min()) < int(y[real].max()):  # it needs two classes
            model = make_pipeline(CountVectorizer(analyzer=_named), LogisticRegression(max_iter=300))
            model.fit(x[real].tolist(), y[real].numpy())
            found = torch.as_tensor(model.predict(test_x[scored].tolist()))
            outputs["word and neighbours"] = test_y.masked_scatter(scored, found)
        return tuple(Baseline(name, self.score(self._counts(tags, test_y))) for name, tags in outputs.items())

    def _windows(self, split: Split, seed: int) -> tuple[Tensor, Tensor]:
        """Return each word between its neighbours (B, T, 3), and its tag (B, T)."""
        generator = Generator().manual_seed(seed)
        batch = self.sample(N_TRAIN, generator) if split == "train" else self.judged(N_TEST, generator, split)
        edge = torch.full((len(batch.tokens), 1), Tokenizer.pad_id)
        return torch.cat((edge, batch.tokens, edge), 1).unfold(1, 3, 1), batch.targets


def _named(window: list[int]) -> list[tuple[int, int]]:
    """Return the words of a window with their places in it: what a linear model counts."""
    return list(enumerate(window))


def tagged(sentences: Sequence[Sequence[tuple[str, str]]], tokenizer: Tokenizer, labels: Sequence[str]) -> Batch:
    """Return the sentences of words and tags as a batch; `<bos>` is not tagged.

    Example:
        >>> tokenizer = Tokenizer("symbols", ("Anna", "sings"), add_bos=True)
        >>> batch = tagged([[("Anna", "B-PER"), ("sings", "O")], [("Anna", "B-PER")]], tokenizer, ("O", "B-PER"))
        >>> batch.targets
        tensor([[-100,    1,    0],
                [-100,    1, -100]])
    """
    place = {label: index for index, label in enumerate(labels)}
    words = [tokenizer.encode_symbols([word for word, _ in sentence]) for sentence in sentences]
    tokens, padding = collate([[Tokenizer.bos_id, *row] for row in words])
    targets, _ = collate([[IGNORE, *(place[tag] for _, tag in sentence)] for sentence in sentences], IGNORE)
    return Batch(tokens, targets, padding)
