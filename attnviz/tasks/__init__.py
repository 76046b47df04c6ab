"""Tasks: families of sequences with right answers, one subject a file."""

from attnviz.tasks.base import IGNORE, Baseline, Batch, Metric, Readout, Split, Task, split_of
from attnviz.tasks.choice import Choice
from attnviz.tasks.decisions.gridworld import Gridworld
from attnviz.tasks.decisions.sessions import Sessions
from attnviz.tasks.language.comprehension import Comprehension
from attnviz.tasks.language.dates import Dates
from attnviz.tasks.language.dialogue import Dialogue
from attnviz.tasks.language.entities import Entities
from attnviz.tasks.language.extract import Extract
from attnviz.tasks.language.headline import Headline
from attnviz.tasks.language.sentiment import Sentiment
from attnviz.tasks.language.stories import Stories
from attnviz.tasks.language.translation import Translation
from attnviz.tasks.own.entities import OwnEntities
from attnviz.tasks.own.labelled import OwnLabelled
from attnviz.tasks.own.pairs import OwnPairs
from attnviz.tasks.own.series import OwnSeries
from attnviz.tasks.own.text import OwnText
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.sequences.addition import Addition
from attnviz.tasks.sequences.brackets import Brackets, OpenBracket
from attnviz.tasks.sequences.copy import Copy
from attnviz.tasks.sequences.first import FirstSymbol
from attnviz.tasks.sequences.histogram import Histogram
from attnviz.tasks.sequences.induction import Induction
from attnviz.tasks.sequences.majority import Majority
from attnviz.tasks.sequences.modular import ModularAddition
from attnviz.tasks.sequences.needle import Needle
from attnviz.tasks.sequences.parity import Parity, RunningParity, ScratchpadParity
from attnviz.tasks.sequences.recall import Recall
from attnviz.tasks.sequences.reverse import Reverse
from attnviz.tasks.sequences.sort import Sort
from attnviz.tasks.signals.digits import Digits
from attnviz.tasks.signals.series import Seasonal
from attnviz.tasks.signals.sound import Sound

__all__ = [
    "IGNORE",
    "Addition",
    "Baseline",
    "Batch",
    "Brackets",
    "Choice",
    "Comprehension",
    "Copy",
    "Dates",
    "Dialogue",
    "Digits",
    "Entities",
    "Extract",
    "FirstSymbol",
    "Gridworld",
    "Headline",
    "Histogram",
    "Induction",
    "Majority",
    "Metric",
    "ModularAddition",
    "Needle",
    "OpenBracket",
    "OwnEntities",
    "OwnLabelled",
    "OwnPairs",
    "OwnSeries",
    "OwnText",
    "Parity",
    "Pattern",
    "Readout",
    "Recall",
    "Reverse",
    "RunningParity",
    "ScratchpadParity",
    "Seasonal",
    "Sentiment",
    "Sessions",
    "Sort",
    "Sound",
    "Split",
    "Stories",
    "Task",
    "Translation",
    "split_of",
]
