"""Scores of labels or of types of entities as a table."""

from __future__ import annotations

from collections.abc import Sequence

from attnviz.analysis.entities import EntityScore
from attnviz.analysis.scores import rounded
from attnviz.ui.frame.language import plain, say
from attnviz.ui.frame.markdown import table

__all__ = ["score_table"]


def score_table(kinds: Sequence[EntityScore], averages: Sequence[EntityScore], kind: str) -> str:
    """Write precision, recall, F1 and support of each kind, and the averages, as Markdown.

    Args:
        kinds: a score for each label or type.
        averages: "micro", "macro" and "weighted".
        kind: title of the first column.
    """
    columns = [kind, *(say(f"applications.entities.{name}") for name in ("precision", "recall", "f1", "support"))]
    named = [(plain(score.name), score) for score in kinds]
    named += [(say(f"applications.entities.{score.name}"), score) for score in averages]
    return table(
        columns,
        (
            [name, *map(rounded, (score.precision, score.recall, score.f1)), f"{score.support:,}"]
            for name, score in named
        ),
    )
