"""The changes of the forward pass that a page of the server offers, and why not the rest."""

from __future__ import annotations

from typing import Any

from attnviz import locale
from attnviz.loading import ZOO
from attnviz.server.experiments import is_scored
from attnviz.server.learned import task_of
from attnviz.server.listing import Listed, find
from attnviz.tasks.base import counted
from attnviz.trace import Trace
from attnviz.view.modules import later_address
from attnviz.view.what_if import told
from attnviz.zoo import TWINS

__all__ = ["TWIN", "twin_of", "what_if"]

TWIN = "twin"
"""The view sends it to open the model with one layer less."""


def what_if(trace: Trace, lang: str, undo: bool = False, edited: Trace | None = None) -> dict[str, Any] | None:
    """Return the offers of `attnviz.view.what_if` and more; None where there is no attention to edit.

    "module" is where the menu stands, "undo" says whether there is a change to be undone, "score" names what the edits
    of a second trace can be judged by on test data, "" where they cannot.
    """
    if not trace.sites:
        return None
    twin = {TWIN: {"edits": TWIN, "why": ""}} if twin_of(trace.model.facts.name) else {}
    score = _score(edited, lang) if edited else ""
    return {"module": later_address("whatif"), "undo": undo, "score": score, **told(trace, lang), **twin}


def _score(trace: Trace, lang: str) -> str:
    task = task_of(trace.model.facts.name) if is_scored(trace) else None
    return locale.t(lang, f"watch.metric.{counted(task.metric).replace(' ', '-')}") if task else ""


def twin_of(name: str) -> Listed | None:
    """Return the shipped model that was trained as another one, with one layer less."""
    twin = TWINS.get(name.removeprefix(ZOO))
    return find(twin) if twin else None
