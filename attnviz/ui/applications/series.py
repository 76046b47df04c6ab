"""Time series: what comes next, one step and many steps ahead, and which earlier points that was read from."""

from __future__ import annotations

from typing import cast

import streamlit as st
import torch
from torch import Tensor

from attnviz.analysis.forecast import forecast
from attnviz.figures.look import plain as letter_by_letter
from attnviz.figures.look import short
from attnviz.figures.series import Reading, series
from attnviz.models import RecurrentConfig, SequenceModel
from attnviz.tasks import OwnSeries, Seasonal
from attnviz.tasks.own.series import estimated_period
from attnviz.ui.applications.case import Case, choose_head, opened, recipe_of, task_of
from attnviz.ui.applications.state import NOT_CHOSEN, ApplicationsState
from attnviz.ui.frame.charts import PICTURE, theme
from attnviz.ui.frame.choices import listed
from attnviz.ui.frame.language import code, current, plain, say
from attnviz.ui.frame.markdown import table
from attnviz.vectors import NUMBER_ID

__all__ = ["HIDDEN", "forecast_of", "view"]

MOST = 48  # steps ahead
HIDDEN = 16  # points at first
BESIDE = ("series-lstm", "own-series")  # recipes of what is drawn beside


def view(case: Case) -> None:
    """Show the series with all forecasts; below it what one of them read."""
    task = cast(Seasonal | OwnSeries, case.task)
    features = task.tokenizer.features(case.trace.text)  # (T, 1)
    values = features[:, 0]
    if case.row is not None and case.row.values is not None:
        values = torch.cat((values, case.row.values[0, -1]))  # the one after the last is known, too
    begin, steps = _ahead(len(features))
    forecasts = {say("applications.series.model"): forecast_of(case.model, features[:begin], steps)}
    rival = _rival(case)
    if rival is not None:
        forecasts[say("applications.series.lstm")] = forecast_of(rival, features[:begin], steps)
    period, origin = _period(case, features[:, 0])
    reading = _reading(case, period)
    mean, deviation, unit = _scale(case)
    values = values * deviation + mean
    forecasts = {name: each * deviation + mean for name, each in forecasts.items()}
    figure = series(
        values,
        case.trace.logits[:, 0] * deviation + mean,
        forecasts,
        begin,
        reading,
        letter_by_letter(unit),
        theme(),
        current(),
    )
    st.plotly_chart(figure, key="series", **PICTURE)
    _errors(forecasts, values[begin : begin + steps])
    _tell(reading, period, origin)
    if unit:
        st.caption(say("applications.series.unit", name=code(unit), mean=short(mean), deviation=short(deviation)))


def _tell(reading: Reading | None, period: int | None, origin: str) -> None:
    """Say how much of the attention lies whole periods back, beside chance."""
    if reading is None:
        st.info(say("applications.no_attention"))
    elif period is None:
        st.caption(say("applications.series.no_period"))
    else:
        share = float(reading.weights[list(reading.lags)].sum())
        chance = len(reading.lags) / len(reading.weights)
        st.markdown(
            plain(
                say(f"applications.series.share.{origin}", period=period, share=f"{share:.0%}", chance=f"{chance:.0%}")
            )
        )


def _ahead(length: int) -> tuple[int, int]:
    """Controls: where the forecast begins, and how many steps it takes."""
    begin, steps = ApplicationsState.begin, ApplicationsState.steps
    if length < 2:
        return length, steps.default
    first = length - HIDDEN if begin.value == NOT_CHOSEN else begin.value
    begin.value = min(max(1, first), length)
    steps.value = steps.value  # where a slider begins
    with st.container(horizontal=True, key="app-ahead", gap="medium"):
        st.slider(say("applications.series.begin"), 1, length, **begin.kept)
        st.slider(say("applications.series.steps"), 1, MOST, **steps.kept)
    return begin.value, steps.value


def forecast_of(model: SequenceModel, features: Tensor, steps: int) -> Tensor:
    """(steps,) by what it says being fed back to it."""
    tokens = torch.full((len(features),), NUMBER_ID)
    return forecast(model.network, tokens, features, steps)[:, 0]


def _rival(case: Case) -> SequenceModel | None:
    """A recurrent model that learned the same task; None where there is none, or where it is the one that is shown."""
    for each in listed().values():
        if each != case.listed and recipe_of(each.name) in BESIDE and task_of(each) == case.task:
            model = opened(each)
            if isinstance(model.network.config, RecurrentConfig):
                return model
    return None


def _period(case: Case, values: Tensor) -> tuple[int | None, str]:
    """Points after which the series comes again, and where that comes from.

    It is "known" of the task, estimated from the training part of a series of one's "own", or "estimated" from what is
    shown.
    """
    task = case.task
    if isinstance(task, OwnSeries):
        return task.period, "own"
    if isinstance(task, Seasonal) and task.min_period == task.max_period:
        return task.max_period, "known"
    return estimated_period(values, len(values) // 3), "estimated"


def _reading(case: Case, period: int | None) -> Reading | None:
    """Controls for a head and a point, and what that head reads for the value after the point."""
    if not case.trace.sites:
        return None
    last, query = len(case.tokens) - 1, ApplicationsState.query
    query.hold(range(last + 1), last)
    with st.container(horizontal=True, key="app-reading", gap="medium"):
        site, head = choose_head(case, kind="self")
        if last:
            st.slider(say("applications.series.asks"), 0, last, **query.kept)
    place = query.value
    lags = [] if period is None else list(range(place + 1 - period, -1, -period))
    return Reading(place, site.weights(head)[place, : place + 1], lags)


def _scale(case: Case) -> tuple[float, float, str]:
    """Mean, deviation and name of a column of one's own, of which the model reads (value - mean) / deviation."""
    if isinstance(case.task, OwnSeries):
        return *case.task.scale, case.task.column.name or say("applications.series.value")
    return 0.0, 1.0, ""


def _errors(forecasts: dict[str, Tensor], truth: Tensor) -> None:
    """Show the error of each forecast on the points that are known."""
    if not len(truth):
        return
    errors = {name: float((said[: len(truth)] - truth).square().mean().sqrt()) for name, said in forecasts.items()}
    rows = [[name, short(error)] for name, error in errors.items()]
    heads = [say("applications.series.error", n=len(truth)), say("applications.series.value")]
    st.markdown(table(heads, rows))
