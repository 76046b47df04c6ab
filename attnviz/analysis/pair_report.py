"""How well an encoder-decoder writes: the texts it writes of some sources, and their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from attnviz.analysis.copying import copied
from attnviz.analysis.text_scores import TextScores, closeness, text_scores
from attnviz.models.generation import greedy
from attnviz.models.network import Network
from attnviz.tasks import OwnPairs, Task
from attnviz.tasks.base import CHUNK, Batch, collate
from attnviz.tokenizers import Tokenizer
from attnviz.training.run.probe import attention_weights, sequences

__all__ = ["Answer", "PairReport", "held_out_pairs", "pair_report"]


class Answer(NamedTuple):
    """A text that was written.

    Attributes:
        source: text that was read.
        target: text that would be right.
        written: text that was written, unknown tokens copied from the source.
        plain: text that was written, as the model has it.
        chrf: chrF2 of it, 0 to 100.
    """

    source: str
    target: str
    written: str
    plain: str
    chrf: float


@dataclass(frozen=True)
class PairReport:
    """Scores of a model on some pairs.

    Attributes:
        scores: scores of what was written, unknown tokens copied.
        exact: exact match without copying.
        unknown: texts in which an unknown token was written.
        answers: all of them, the worst first.
    """

    scores: TextScores
    exact: float
    unknown: int
    answers: tuple[Answer, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "answers": [each._asdict() for each in self.answers]}


def held_out_pairs(task: Task, n: int, seed: int) -> list[tuple[str, str]]:
    """Return n test pairs at most, as texts: all of one's own where there are no more than that, else drawn ones."""
    if isinstance(task, OwnPairs) and len(task.parts["test"]) <= n:
        return [(pair.source, pair.target) for pair in task.parts["test"]]
    rows = task.held_out(n, torch.Generator().manual_seed(seed), "test")
    return [task.text_of(row) for row in sequences(rows, n)]


def pair_report(task: Task, network: nn.Module, pairs: Sequence[tuple[str, str]]) -> PairReport:
    """Let a network write the targets of some sources, the most probable token each time, and score them."""
    plain, found = [], []
    for start in range(0, len(pairs), CHUNK):
        for text, after in _written(
            task, cast(Network, network), [source for source, _ in pairs[start : start + CHUNK]]
        ):
            plain.append(text)
            found.append(after)
    targets = [" ".join(target.split()) for _, target in pairs]
    answers = [
        Answer(source, target, after, before, closeness(after, target))
        for (source, _), target, after, before in zip(pairs, targets, found, plain, strict=True)
    ]
    return PairReport(
        text_scores(found, targets),
        sum(a == b for a, b in zip(plain, targets, strict=True)) / len(targets),
        sum(a != b for a, b in zip(plain, found, strict=True)),
        tuple(sorted(answers, key=lambda answer: answer.chrf)),
    )


def _written(task: Task, network: Network, sources: list[str]) -> list[tuple[str, str]]:
    """Return what is written of some sources: as the model has it, and with unknown tokens copied."""
    reader, tokenizer = task.source_tokenizer, task.tokenizer
    assert reader is not None  # of an encoder-decoder
    assert isinstance(tokenizer, Tokenizer)
    read = [_read(task, reader, source) for source in sources]
    ids, padding = collate([reader.encode_symbols(symbols) for symbols in read])
    texts = []
    limit = min(network.config.max_len, task.model_config().max_len)
    for row, written in enumerate(greedy(network, ids, padding, limit)):
        symbols = [tokenizer.label(token) for token in written]
        text = tokenizer.join(symbols)
        after = symbols
        if tokenizer.unknown and tokenizer.unknown in symbols:
            weights = _cross(network, written, ids[row : row + 1, : len(read[row])])
            after = symbols if weights is None else copied(symbols, read[row], weights, tokenizer.unknown)
        texts.append((text, tokenizer.join(after)))
    return texts


def _read(task: Task, reader: Tokenizer, source: str) -> list[str]:
    symbols = reader.split(source)
    return task.cut(symbols) if isinstance(task, OwnPairs) else symbols


def _cross(network: Network, written: list[int], source: Tensor) -> Tensor | None:
    """Return the last layer's cross-attention while a text was written, mean over heads; None: it has none."""
    tokens = torch.tensor([[Tokenizer.bos_id, *written[:-1]]])
    found = attention_weights(network, Batch(tokens, tokens, source=source))
    cross = [weights for name, weights in found.items() if name.endswith(".cross")]
    return cross[-1].mean(0) if cross else None
