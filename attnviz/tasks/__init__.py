"""Tasks: families of sequences with right answers, one subject a file."""

from attnviz.tasks.addition import Addition
from attnviz.tasks.base import IGNORE, Batch, Metric, Split, Task, split_of
from attnviz.tasks.brackets import Brackets, OpenBracket
from attnviz.tasks.choice import Choice
from attnviz.tasks.copy import Copy
from attnviz.tasks.dates import Dates
from attnviz.tasks.histogram import Histogram
from attnviz.tasks.induction import Induction
from attnviz.tasks.majority import Majority
from attnviz.tasks.modular import ModularAddition
from attnviz.tasks.needle import Needle
from attnviz.tasks.own_text import OwnText
from attnviz.tasks.parity import Parity, ScratchpadParity
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.recall import Recall
from attnviz.tasks.reverse import Reverse
from attnviz.tasks.sort import Sort
from attnviz.tasks.stories import Stories

__all__ = [
    "IGNORE",
    "Addition",
    "Batch",
    "Brackets",
    "Choice",
    "Copy",
    "Dates",
    "Histogram",
    "Induction",
    "Majority",
    "Metric",
    "ModularAddition",
    "Needle",
    "OpenBracket",
    "OwnText",
    "Parity",
    "Pattern",
    "Recall",
    "Reverse",
    "ScratchpadParity",
    "Sort",
    "Split",
    "Stories",
    "Task",
    "split_of",
]
