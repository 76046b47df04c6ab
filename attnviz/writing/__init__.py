"""Writing step by step: which tokens could come next, which one is taken, and what every head did on the way."""

from attnviz.writing.plan import MOST_BEAMS, MOST_NEW, Plan, Strategy
from attnviz.writing.search import Move, Rules, Scoring, Search, search
from attnviz.writing.values import values_of
from attnviz.writing.written import Beam, Candidate, Step, Written, written

__all__ = [
    "MOST_BEAMS",
    "MOST_NEW",
    "Beam",
    "Candidate",
    "Move",
    "Plan",
    "Rules",
    "Scoring",
    "Search",
    "Step",
    "Strategy",
    "Written",
    "search",
    "values_of",
    "written",
]
