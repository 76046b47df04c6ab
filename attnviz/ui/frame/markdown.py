"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["table"]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], sides: str = "") -> str:
    """Write a table.

    Args:
        heads: titles of the columns.
        rows: a cell for each column.
        sides: "l" or "r" for each column; by default the first one is at the left, and numbers at the right.

    Example:
        >>> print(table(["layer", "bytes"], [["GRU", "7"]]))
        | layer | bytes |
        | --- | ---: |
        | GRU | 7 |
    """
    lines = ["---" if side == "l" else "---:" for side in sides or f"l{'r' * (len(heads) - 1)}"]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, lines, *rows))
