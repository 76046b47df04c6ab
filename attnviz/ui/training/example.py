"""One sequence of a task, written down: what the model reads, and what it should write below."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from torch import Generator

from attnviz.locale import VISIBLE
from attnviz.tasks import IGNORE, Task
from attnviz.tokenizers import Tokenizer

__all__ = ["below_each_other", "worked_example"]

DRAWN = 16  # of which the shortest is shown
COLUMNS = 30
NOTHING = "·"


@lru_cache(64)
def worked_example(task: Task) -> dict[str, str]:
    """Lines by their name, "source" (of an encoder-decoder), "reads" and "writes"; a dot where nothing is scored.

    Example:
        >>> from attnviz.tasks import Majority
        >>> for line in worked_example(Majority(length=5)).values():
        ...     print(line)
        <bos> b a b b a
        b     · · · · ·
    """
    batch = task.sample(DRAWN, Generator().manual_seed(0), "validation")
    scored = batch.targets != IGNORE  # (B, T)
    real = batch.tokens != Tokenizer.pad_id
    lengths = real.sum(1) + 2 * scored.float().argmax(1)  # short ones that begin to be scored early
    row = int(lengths.argmin())
    features = None if batch.features is None else batch.features[row][real[row]]
    reads = list(task.tokenizer.labels(batch.tokens[row][real[row]].tolist(), features))
    targets = batch.targets[row][real[row]].tolist()
    if batch.values is None:
        names = task.labels or task.tokenizer.vocab
        answers = [NOTHING if target == IGNORE else names[target] for target in targets]
    else:
        values = batch.values[row][real[row]][:, 0].tolist()
        scores = zip(targets, values, strict=True)
        answers = [NOTHING if target == IGNORE else f"{value:.2f}" for target, value in scores]
    lines = dict(zip(("reads", "writes"), _aligned(reads, answers), strict=True))
    if batch.source is not None and task.source_tokenizer is not None:
        source = batch.source[row][batch.source[row] != Tokenizer.pad_id].tolist()
        lines = {"source": _aligned(list(map(task.source_tokenizer.label, source)))[0], **lines}
    return lines


def below_each_other(lines: Mapping[str, str]) -> str:
    """Named lines as one text, the names in a column of their own.

    Example:
        >>> print(below_each_other({"reads": "a b", "is": "b a"}))
        reads  a b
        is     b a
    """
    width = max(map(_width, lines))
    return "\n".join(f"{name}{' ' * (width - _width(name))}  {line}" for name, line in lines.items())


def _aligned(*rows: list[str]) -> list[str]:
    """Return the rows' symbols below each other, as many as there is room for."""
    shown = [[_visible(symbol) for symbol in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*shown, strict=True)]
    count, used = 0, 0
    while count < len(widths) and used + widths[count] + 1 <= COLUMNS:
        used += widths[count] + 1
        count += 1
    rest = " …" if count < len(widths) else ""
    return [
        " ".join(s + " " * (w - _width(s)) for s, w in zip(row[:count], widths[:count], strict=True)).rstrip() + rest
        for row in shown
    ]


def _visible(symbol: str) -> str:
    return {" ": "␣", **VISIBLE}.get(symbol, symbol)


def _width(symbol: str) -> int:
    """Return the columns that a monospaced face takes."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in symbol)
