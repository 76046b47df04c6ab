"""Help with a text that the chosen model cannot read or was not trained on: one line, and what to type instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.errors import AttnvizError, InputError, NotLearned, TextTooLong, UnknownSymbols
from attnviz.loading import ZOO
from attnviz.locale import visible
from attnviz.server.learned import task_of
from attnviz.server.traces import TraceKey
from attnviz.tasks import Task
from attnviz.tasks.base import LETTERS
from attnviz.training import RECIPES
from attnviz.ui.explorer import link
from attnviz.ui.frame.choices import find
from attnviz.ui.frame.language import code, current, explain, plain, say, symbols
from attnviz.ui.frame.titles import full_title
from attnviz.ui.frame.widgets import button

__all__ = ["help_with"]

OTHERS = ("dates", "addition", "translation", "sentiment-en", "sentiment-zh", "english", "chinese")
"""Models that may read what another does not, those that read least first."""

MOST_OTHERS = 2
EXAMPLE_CHARS = 44


def help_with(key: TraceKey, messages: DeltaGenerator, error: AttnvizError | None = None) -> None:
    """Say what is wrong with a text, and offer buttons that put another text, or another model, in place.

    Args:
        key: the chosen model and text.
        messages: where to say it.
        error: why it was not run; None: it was, and the line says if the model was not trained for it.
    """
    task = task_of(key.model)
    if task is None or task.fits(key.text) or not key.text.strip() or not isinstance(error, InputError | None):
        if error is not None:
            (messages.warning if isinstance(error, InputError) else messages.error)(explain(error))
        elif task is not None and not task.target_fits(key.text, key.target):
            messages.info(say("fit.target"))
            with messages:
                button(say("fit.use_own_target"), "fit-target", link.use, key.text, "")
        return
    (messages.info if error is None else messages.warning)(_line(task, key.text, error))
    with messages, st.container(horizontal=True, key="fit", gap="xsmall"):
        _offer(task, key)


def _line(task: Task, text: str, error: InputError | None) -> str:
    reads = plain(_reads(task))
    if isinstance(error, UnknownSymbols):
        return say("fit.unknown", symbols=symbols(error.symbols), reads=reads)
    if isinstance(error, TextTooLong):
        return say("fit.too_long", length=f"{error.length:,}", reads=reads)
    if isinstance(error, NotLearned):
        return say("fit.only", reads=reads)
    if error is not None:
        return explain(error)
    if words := task.unread(text):
        return say("fit.read_as", words=symbols(words), unknown=code(getattr(task.tokenizer, "unknown", "")))
    return say("fit.unlike", reads=reads)


def _reads(task: Task) -> str:
    """Return what a task reads, as a part of a sentence."""
    numbers = {field.name: getattr(task, field.name) for field in fields(task) if field.type in ("int", int)}  # type: ignore[arg-type]
    example = task.examples()[0]
    shown = visible(example if isinstance(example, str) else example[0], EXAMPLE_CHARS)
    last = LETTERS[numbers.get("n_symbols", len(LETTERS)) - 1]
    return say(f"fit.reads.{task.reads}", **numbers, example=shown, last=last)


def _offer(task: Task, key: TraceKey) -> None:
    suggestion = task.suggestion(key.text)
    if suggestion:
        label = say("fit.use", text=code(suggestion, EXAMPLE_CHARS))
        button(label, "fit-use", link.use, suggestion, "", help=say("fit.use_help"))
    if not suggestion or len(key.text.split()) > 1:
        for name, title in _others(key):
            label = say("fit.use_model", model=plain(title))
            button(label, f"fit-{name}", _open, name, key.text, help=say("fit.use_model_help"))


def _others(key: TraceKey) -> Iterator[tuple[str, str]]:
    """Yield the names and titles of shipped models that a text fits as it is."""
    others = (name for name in OTHERS if name != key.model.removeprefix(ZOO) and RECIPES[name].task.fits(key.text))
    for name, _ in zip(others, range(MOST_OTHERS), strict=False):
        if (model := find(name)) is not None:
            yield name, full_title(model, current())


def _open(name: str, text: str) -> None:
    link.start(find(name))
    link.use(text, "")
