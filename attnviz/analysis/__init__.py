"""Analyses of traces, such as scores of heads against known patterns."""

from attnviz.analysis.patterns import (
    ExpectedCells,
    HeadScore,
    PatternScores,
    expected_cells,
    mean_scores,
    pattern_scores,
    score_heads,
)

__all__ = [
    "ExpectedCells",
    "HeadScore",
    "PatternScores",
    "expected_cells",
    "mean_scores",
    "pattern_scores",
    "score_heads",
]
