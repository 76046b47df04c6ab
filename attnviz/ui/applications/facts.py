"""Facts of an application: scores of its models, where their heads look, and what that does not show."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from attnviz import locale
from attnviz.analysis.scores import score_text
from attnviz.loading import is_checkpoint
from attnviz.server.listing import Listed
from attnviz.tasks.base import Metric
from attnviz.tasks.pattern import pattern_key
from attnviz.training.recipes import OWN, RECIPES
from attnviz.ui.applications.case import Case, Judged, baselines, judged, opened, patterns, recipe_of, task_of
from attnviz.ui.frame.head import link_to
from attnviz.ui.frame.language import code, current, plain, say
from attnviz.ui.frame.markdown import table
from attnviz.ui.frame.titles import model_title

__all__ = ["facts", "train_link"]


def facts(application: str, models: Mapping[str, Listed], model: Listed, case: Case | None) -> None:
    """Show the models of the task beside baselines, the best heads, and links to train or look further."""
    with st.spinner(say("applications.judging"), show_time=True):
        _scores(models, model)
        _heads(model)
    for key in (f"task.{recipe_of(model.name)}.shows", f"applications.{application}.shows"):
        if locale.has(current(), key):
            st.info(plain(say(key)))
            break
    with st.container(gap="xxsmall"):
        if case is not None:
            given = {"model": model.name, "text": case.trace.text, "target": case.trace.target or ""}
            link_to("explorer", say("applications.explorer"), "search", **given)
        train_link(recipe_of(model.name))


def train_link(recipe: str) -> None:
    """Link to the Training page with a recipe."""
    given = {"recipe": recipe} if recipe in RECIPES or recipe in OWN else {}
    link_to("training", say("applications.train"), "play_arrow", **given)


def _scores(models: Mapping[str, Listed], model: Listed) -> None:
    """Show the same test data for all: models that ship with attnviz, the chosen one, and the baselines."""
    task = task_of(model)
    same = [
        each
        for name, each in models.items()
        if task_of(each).same_test(task) and (each == model or not is_checkpoint(name))
    ]
    metric = say(f"applications.metric.{task.metric.replace(' ', '-')}")
    rows = []
    for each in same:
        figure, size = judged(each), f"{opened(each).network.n_parameters:,}"
        mark = "**" if each == model else ""
        title = model_title(each, current())
        name = code(title) if is_checkpoint(each.name) else plain(title)
        rows.append([f"{mark}{name}{mark}", f"{mark}{_together(task.metric, figure.score)}{mark}", size])
    for baseline in baselines(model):
        name = say(f"baseline.{baseline.name.replace(' ', '-')}")
        rows.append([name, _together(task.metric, baseline.score), ""])
    st.markdown(table([say("applications.on_test"), metric, say("applications.parameters")], rows))
    origin = "own" if recipe_of(model.name) in OWN else "generated"
    st.caption(locale.sentences([_judged_on(judged(model), task.metric), say(f"applications.judged.{origin}")]))


def _together(metric: Metric, score: float) -> str:
    """Return a score that stays on one line, "> 0.999" too."""
    return score_text(metric, score).replace(" ", "\u00a0")


def _judged_on(figure: Judged, metric: Metric) -> str:
    """Say how many test sequences the score was computed on, and its confidence interval."""
    key = "all" if figure.whole else "drawn"
    said = [say(f"applications.judged.{key}", n=f"{figure.n:,}")]
    if figure.interval is not None:
        low, high = (score_text(metric, end) for end in figure.interval)
        if figure.whole and metric == "accuracy":
            said.append(say("applications.judged.right", right=round(figure.score * figure.n), n=figure.n))
        said.append(say("applications.judged.interval", low=low, high=high))
    return locale.sentences(said)


def _heads(model: Listed) -> None:
    """Show the best head of each expected pattern, beside chance."""
    found = patterns(model)
    if not found:
        return
    columns = [say(f"applications.{name}") for name in ("expected", "best_head", "chance")]
    st.markdown(table(columns, [[say(pattern_key(s.pattern)), f"{s.mass:.0%}", f"{s.chance:.0%}"] for s in found]))
