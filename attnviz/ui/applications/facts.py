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
from attnviz.ui.frame.head import page as link_to
from attnviz.ui.frame.language import code, current, plain, say

__all__ = ["facts", "title", "train_link"]


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
            label = say("applications.explorer")
            st.page_link(link_to("explorer"), label=label, icon=":material/search:", query_params=given)
        train_link(recipe_of(model.name))


def train_link(recipe: str) -> None:
    """Link to the Training page with a recipe."""
    known = recipe in RECIPES or recipe in OWN
    st.page_link(
        link_to("training"),
        label=say("applications.train"),
        icon=":material/play_arrow:",
        query_params={"recipe": recipe} if known else {},
    )


def title(model: Listed) -> str:
    """Return the title of a model."""
    if model.step is not None:
        return say("page.run_title", name=model.title, step=f"{model.step:,}")
    return say(f"task.{model.name}.title")


def _scores(models: Mapping[str, Listed], model: Listed) -> None:
    """Show the same test data for all: models that ship with attnviz, the chosen one, and the baselines."""
    task = task_of(model)
    same = [
        each
        for name, each in models.items()
        if task_of(each).same_test(task) and (each == model or not is_checkpoint(name))
    ]
    metric = say(f"applications.metric.{task.metric.replace(' ', '-')}")
    rows = [f"| {say('applications.on_test')} | {metric} | {say('applications.parameters')} |", "|---|---:|---:|"]
    for each in same:
        figure, size = judged(each), f"{opened(each).network.n_parameters:,}"
        mark = "**" if each == model else ""
        name = code(title(each)) if is_checkpoint(each.name) else plain(title(each))
        rows.append(f"| {mark}{name}{mark} | {mark}{_together(task.metric, figure.score)}{mark} | {size} |")
    for baseline in baselines(model):
        name = say(f"baseline.{baseline.name.replace(' ', '-')}")
        rows.append(f"| {name} | {_together(task.metric, baseline.score)} | |")
    st.markdown("\n".join(rows))
    origin = "own" if recipe_of(model.name) in OWN else "generated"
    st.caption(f"{_judged_on(judged(model), task.metric)} {say(f'applications.judged.{origin}')}")


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
    return " ".join(said)


def _heads(model: Listed) -> None:
    """Show the best head of each expected pattern, beside chance."""
    found = patterns(model)
    if not found:
        return
    columns = (say(f"applications.{name}") for name in ("expected", "best_head", "chance"))
    rows = ["| {} | {} | {} |".format(*columns), "|---|---:|---:|"]
    rows += [f"| {say(pattern_key(s.pattern))} | {s.mass:.0%} | {s.chance:.0%} |" for s in found]
    st.markdown("\n".join(rows))
