"""Run a model on what people gave: the trace of a forward pass, or what a decoder writes after a text."""

from __future__ import annotations

import json
from collections.abc import Sequence

import attnviz
from attnviz.calculator import Problem, solve
from attnviz.calculator.link import from_json, to_json
from attnviz.edits import read_edits
from attnviz.errors import ImageNeeded, PlanMisfit
from attnviz.errors.base import Why
from attnviz.guard import guarded
from attnviz.models import SequenceModel, generate
from attnviz.server.limits import check_length
from attnviz.server.open_models import ModelKey
from attnviz.server.opening import open_model
from attnviz.server.stores import IMAGES, MODELS, TRACES, UPLOADS
from attnviz.server.traces import NUMBERS, Held, TraceKey
from attnviz.server.uploads import is_upload
from attnviz.trace import Edit, Trace
from attnviz.writing import Plan

__all__ = ["MOST_NEW", "continue_text", "edits_of", "has_template", "numbers_key", "run"]

MOST_NEW = 200  # tokens that a page has written at most


def run(key: TraceKey) -> Held:
    """Return the trace of a model on a text and an image, from the store or made now.

    Raises:
        AttnvizError: the model cannot be opened, or cannot read them.
    """
    held = TRACES.obtain(key, lambda: _trace(key))
    MODELS.get(ModelKey(key.model, key.version))  # a picture that is looked at keeps its model open
    return held


def numbers_key(problem: Problem, names: Sequence[str]) -> TraceKey:
    """Return the key of a trace of typed numbers and the names of their tokens."""
    return TraceKey(NUMBERS, json.dumps([to_json(problem), *names]))


def _trace(key: TraceKey) -> Trace:
    if key.model == NUMBERS:
        written, *names = json.loads(key.text)
        return solve(from_json(written, NUMBERS), names)
    model = open_model(key.model, key.version)
    plan = _plan(key) if key.write else None
    if isinstance(model, SequenceModel):
        if plan is not None:
            return attnviz.write(model, key.text, key.target, plan=plan, edits=edits_of(key))
        return attnviz.trace(model, key.text, key.target or None, edits=edits_of(key))
    _rehearse(key)
    with guarded(model.name):
        check_length(model, key.text, key.target)
        image = IMAGES.get(key.image) if key.image else None
        if image is None and model.sees_images:  # in its place the library would read the text as a path
            raise ImageNeeded(model.name)
        if plan is not None:
            return attnviz.write(model, key.text, key.target, plan=plan, image=image, edits=edits_of(key))
        return attnviz.trace(model, key.text, key.target or None, image=image, edits=edits_of(key))


def has_template(key: TraceKey) -> bool:
    """Whether a model has a chat template.

    Raises:
        AttnvizError: the model cannot be opened.
    """
    model = open_model(key.model, key.version)
    if isinstance(model, SequenceModel):
        return False
    from attnviz.huggingface.chat import template_of

    return template_of(model)


def _plan(key: TraceKey) -> Plan:
    plan = Plan.read(key.write)
    if plan.max_new > MOST_NEW:
        raise PlanMisfit("max_new", Why("plan-whole", low=1, high=MOST_NEW, given=plan.max_new))
    return plan


def edits_of(key: TraceKey) -> list[Edit]:
    """Return the edits of a key; the texts that patches come from are run where they are not held.

    Raises:
        AttnvizError: one is not written as it should be, or its source cannot be read.
    """
    return read_edits(key.edits, lambda text, target: run(key._replace(text=text, target=target, edits="")).trace)


def continue_text(key: TraceKey, max_new: int) -> str:
    """Return a text with what a decoder writes after it; the text itself where it has nothing to add.

    Raises:
        AttnvizError: see `run`.
    """
    model = open_model(key.model, key.version)
    if isinstance(model, SequenceModel):
        return generate(model, key.text, max_new=max_new)
    from attnviz import huggingface

    _rehearse(key)
    with guarded(model.name):
        check_length(model, key.text)
        return huggingface.continue_text(model, key.text, max_new)


def _rehearse(key: TraceKey) -> None:
    """Before the tokenizer that somebody handed in reads a text here, it has read the same text in its sandbox."""
    if is_upload(key.model):
        UPLOADS.read(key.model, (key.text, key.target or None), *([(key.target, None)] if key.target else []))
