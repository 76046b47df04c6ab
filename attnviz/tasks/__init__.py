"""Tasks: families of sequences with right answers, one subject a file."""

from attnviz.tasks.addition import Addition
from attnviz.tasks.base import IGNORE, Baseline, Batch, Metric, Readout, Split, Task, split_of
from attnviz.tasks.brackets import Brackets, OpenBracket
from attnviz.tasks.choice import Choice
from attnviz.tasks.copy import Copy
from attnviz.tasks.dates import Dates
from attnviz.tasks.dialogue import Dialogue
from attnviz.tasks.digits import Digits
from attnviz.tasks.entities import Entities
from attnviz.tasks.extract import Extract
from attnviz.tasks.first import FirstSymbol
from attnviz.tasks.gridworld import Gridworld
from attnviz.tasks.headline import Headline
from attnviz.tasks.histogram import Histogram
from attnviz.tasks.induction import Induction
from attnviz.tasks.majority import Majority
from attnviz.tasks.modular import ModularAddition
from attnviz.tasks.needle import Needle
from attnviz.tasks.own_entities import OwnEntities
from attnviz.tasks.own_labelled import OwnLabelled
from attnviz.tasks.own_series import OwnSeries
from attnviz.tasks.own_text import OwnText
from attnviz.tasks.parity import Parity, ScratchpadParity
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.recall import Recall
from attnviz.tasks.reverse import Reverse
from attnviz.tasks.running_parity import RunningParity
from attnviz.tasks.sentiment import Sentiment
from attnviz.tasks.series import Seasonal
from attnviz.tasks.sessions import Sessions
from attnviz.tasks.sort import Sort
from attnviz.tasks.sound import Sound
from attnviz.tasks.stories import Stories
from attnviz.tasks.translation import Translation

__all__ = [
    "IGNORE",
    "Addition",
    "Baseline",
    "Batch",
    "Brackets",
    "Choice",
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
