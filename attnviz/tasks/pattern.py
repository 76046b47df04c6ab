"""Expected attention: which keys a head that does the task's work should read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

__all__ = ["Pattern", "pattern_key", "previous_token"]


@dataclass(frozen=True, eq=False)
class Pattern:
    """Keys that the queries of one sequence are expected to attend to, in the stack that writes the answer.

    Attributes:
        name: short name, such as "anti-diagonal".
        reads: (Tq, Tk) bool, True for the keys that a query should read; a row without any is not scored.
        kind: kind of the attention it is about: "self", or "cross" in an encoder-decoder.
    """

    name: str
    reads: Tensor
    kind: Literal["self", "cross"] = "self"

    @classmethod
    def of(
        cls,
        name: str,
        pairs: Iterable[tuple[int, int]],
        queries: Sequence[object],
        keys: Sequence[object] | None = None,
    ) -> Pattern:
        """Return a pattern from its (query, key) positions; with `keys` it is about cross-attention.

        Example:
            >>> Pattern.of("anti-diagonal", [(0, 2), (1, 1), (2, 0)], "abc").reads.int()
            tensor([[0, 0, 1],
                    [0, 1, 0],
                    [1, 0, 0]], dtype=torch.int32)
        """
        reads = torch.zeros(len(queries), len(queries if keys is None else keys), dtype=torch.bool)
        if cells := [*pairs]:
            reads[tuple(torch.tensor(cells).T)] = True
        return cls(name, reads, "self" if keys is None else "cross")


def previous_token(tokens: Sequence[int]) -> Pattern:
    """Return the pattern in which every position attends to the one before it.

    Example:
        >>> previous_token([7, 8, 9]).reads.nonzero().tolist()
        [[1, 0], [2, 1]]
    """
    return Pattern.of("previous token", ((i, i - 1) for i in range(1, len(tokens))), tokens)


def pattern_key(name: str) -> str:
    """Return the message that names an expected pattern.

    Example:
        >>> pattern_key("same symbol or <bos>")
        'watch.pattern.same-symbol-or-bos'
    """
    return f"watch.pattern.{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}"
