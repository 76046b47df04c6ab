"""Tasks: families of sequences with right answers, one subject a file."""

from attnviz.tasks.addition import Addition
from attnviz.tasks.base import IGNORE, Batch, Metric, Split, Task, split_of
from attnviz.tasks.dates import Dates
from attnviz.tasks.induction import Induction
from attnviz.tasks.recall import Recall
from attnviz.tasks.reverse import Reverse
from attnviz.tasks.sort import Sort
from attnviz.tasks.stories import Stories

__all__ = [
    "IGNORE",
    "Addition",
    "Batch",
    "Dates",
    "Induction",
    "Metric",
    "Recall",
    "Reverse",
    "Sort",
    "Split",
    "Stories",
    "Task",
    "split_of",
]
