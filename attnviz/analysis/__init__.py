"""What the numbers of a trace mean: scores of heads against patterns that are known."""

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
