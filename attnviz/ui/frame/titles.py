"""Tasks and models as people call them."""

from __future__ import annotations

from functools import lru_cache

from attnviz import locale
from attnviz.server.listing import Listed
from attnviz.training import RunConfig
from attnviz.ui.frame.language import current, say
from attnviz.view.page import described

__all__ = ["described", "full_title", "model_title", "run_title", "task_title"]

MOST = 4096  # titles that are kept: of all models there are, in all languages


def task_title(recipe: str) -> str:
    """Return a recipe's title in the session's language; its name where it has none."""
    key = f"task.{recipe}.title"
    return say(key) if locale.has(current(), key) else recipe


def run_title(config: RunConfig) -> str:
    """Return the title of what a run learns: its recipe's, or that of its task, which need have no recipe."""
    if config.recipe:
        return task_title(config.recipe)
    key = f"runs.task.{config.task.name.replace(' ', '-')}"
    return say(key) if locale.has(current(), key) else config.task.name


@lru_cache(MOST)
def model_title(model: Listed, lang: str) -> str:
    """Return the title of a model."""
    if model.step is not None:
        return locale.t(lang, "page.run_title", name=model.title, step=f"{model.step:,}")
    return described(model.name, "title", lang) or model.title


@lru_cache(MOST)
def full_title(model: Listed, lang: str) -> str:
    """Return the title and architecture of a model."""
    title = model_title(model, lang)
    kind = locale.t(lang, f"page.{model.architecture}") if model.architecture else model.kind
    return title if model.step is not None or not kind else locale.t(lang, "page.model_title", title=title, kind=kind)
