"""Tasks and models as people call them."""

from __future__ import annotations

from attnviz import locale
from attnviz.server.listing import Listed
from attnviz.ui.frame.language import current, say

__all__ = ["described", "model_title", "task_title"]


def task_title(recipe: str) -> str:
    """A recipe's title in the session's language; its name where it has none."""
    key = f"task.{recipe}.title"
    return say(key) if locale.has(current(), key) else recipe


def model_title(model: Listed) -> str:
    """A model as people call it."""
    if model.step is not None:
        return say("page.run_title", name=model.title, step=f"{model.step:,}")
    return described(model.name, "title") or model.title


def described(model: str, part: str) -> str:
    """Title or description of a model that ships: its own, or that of the recipe of the same name; "" without any."""
    keys = (f"{kind}.{model}.{part}" for kind in ("zoo", "task"))
    return next((say(key) for key in keys if locale.has(current(), key)), "")
