"""Alignment of two sequences of tokens: the runs of tokens that both have, in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

__all__ = ["Block", "equal_blocks"]


class Block(NamedTuple):
    """Tokens that two sequences have in common: a[first : first + size] == b[second : second + size].

    Attributes:
        first: index of the first of them in the one sequence.
        second: index of the first of them in the other.
        size: number of tokens, at least 1.
    """

    first: int
    second: int
    size: int


def equal_blocks(a: Sequence[str], b: Sequence[str]) -> list[Block]:
    """Return the runs of equal tokens, in order; a token is in one run at most, and runs do not cross.

    What both begin and end with is found first; of the rest the longest run, then what is left and right of it.

    Example:
        >>> equal_blocks("the cat sat".split(), "the old cat sat".split())
        [Block(first=0, second=0, size=1), Block(first=1, second=2, size=2)]
        >>> equal_blocks(["a"], ["b"])
        []
    """
    most = min(len(a), len(b))
    start = next((n for n in range(most) if a[n] != b[n]), most)
    end = next((n for n in range(most - start) if a[-1 - n] != b[-1 - n]), most - start)
    middle = SequenceMatcher(None, a[start : len(a) - end], b[start : len(b) - end], autojunk=False)
    found = [Block(start + i, start + j, size) for i, j, size in middle.get_matching_blocks()]
    found = [Block(0, 0, start), *found, Block(len(a) - end, len(b) - end, end)]
    return [block for block in found if block.size]
