"""What the numbers of a trace mean: scores of heads against patterns that are known."""

from attnviz.analysis.patterns import HeadScore, PatternScores, mean_scores, pattern_scores, score_heads

__all__ = ["HeadScore", "PatternScores", "mean_scores", "pattern_scores", "score_heads"]
