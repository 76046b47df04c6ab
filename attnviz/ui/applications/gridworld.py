"""Decisions: the way that a model goes for a sign and a target return, and which earlier steps it looks back at."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import cast

import streamlit as st

from attnviz.analysis.decisions import Episode, Success, attended, logged, on_grid, play, policy, success, table_policy
from attnviz.figures.gridworld import grid
from attnviz.server.forward import run
from attnviz.server.listing import Listed
from attnviz.server.traces import TraceKey
from attnviz.tasks.decisions.gridworld import BEST, MAP, RETURNS, SIGNS, Gridworld, world
from attnviz.trace import AttentionSite
from attnviz.ui.applications.case import FULL, Case, choose_head, opened, task_of
from attnviz.ui.applications.state import ApplicationsState
from attnviz.ui.applications.strip import shaded, strip
from attnviz.ui.frame.charts import PICTURE, theme
from attnviz.ui.frame.language import current, plain, say
from attnviz.ui.frame.markdown import table
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.widgets import select

__all__ = ["pays", "view", "walk"]

SHAPE = len(MAP), len(MAP[0])
CONTROLS = (ApplicationsState.wanted, ApplicationsState.sign, ApplicationsState.start)


def view(case: Case) -> None:
    """Controls for what is wanted; the walk on the grid, one of its decisions with what it read, and many walks."""
    task = cast(Gridworld, case.task)
    given = case.tokens[:3]
    starts = [task.tokenizer.label(task.first["cell"] + place) for place in range(world().n_floor)]
    if len(given) < 3 or given[0] not in RETURNS or given[1] not in SIGNS or given[2] not in starts:
        st.info(say("applications.gridworld.begin", text=f"{BEST} {SIGNS[0]} {starts[-1]}"))
        return
    _controls(given, starts)
    wanted, sign, start = given
    episode, walked = walk(case, wanted, sign, start)
    st.markdown(_told(episode, wanted, sign))
    left, right = st.columns(2, gap="medium")
    with right:
        chosen = choose_head(walked, kind="self") if walked.trace.sites else None
        step = _step(walked, episode)
        if chosen is None:
            st.info(say("applications.no_attention"))
        else:
            _reads(walked, chosen, step)
        _successes(successes(case.listed))
    with left:
        _grid(case, walked, episode, chosen, step)


def walk(case: Case, wanted: str, sign: str, start: str) -> tuple[Episode, Case]:
    """Return the way that the model goes from a start, and the model at work on it."""
    task = cast(Gridworld, case.task)
    episode = play(policy(case.model.network, task), task, sign, start, wanted)
    text = " ".join(map(task.tokenizer.label, episode.tokens))
    return episode, replace(case, held=run(TraceKey(case.listed.name, text, "", case.listed.version)), row=None)


def pays(case: Case) -> int:
    """Return FULL if the model is asked for the best return and reaches the goal, else 0."""
    wanted, sign, start = case.tokens[:3]
    return FULL * (wanted == BEST and walk(case, wanted, sign, start)[0].paid)


def _controls(given: tuple[str, ...], starts: list[str]) -> None:
    """Choose target return, sign and start; they write the text that the model reads."""
    begins = [name for name in starts if int(name[1]) >= 6 or name == given[2]]
    titles = {
        "wanted": {name: f"{name[1:]} %" for name in RETURNS},
        "sign": {name: say(f"applications.gridworld.{name}") for name in SIGNS},
        "start": {name: say("applications.gridworld.at", row=name[1], column=name[2]) for name in begins},
    }
    with st.container(horizontal=True, key="app-world", gap="small"):
        for (name, options), widget, value in zip(titles.items(), CONTROLS, given, strict=True):
            widget.value = value
            select(say(f"applications.gridworld.{name}"), widget, options, on_change=_write, width=200)


def _write() -> None:
    ApplicationsState.text.value = " ".join(widget.value for widget in CONTROLS)
    page_state(ApplicationsState).leave_input()


def _told(episode: Episode, wanted: str, sign: str) -> str:
    """Say how the walk ended; with a target return of 0, ending elsewhere is success."""
    goal = say(f"applications.gridworld.{sign}")
    end = "paid" if episode.paid else "as_wanted" if wanted == RETURNS[0] else "not_paid"
    return plain(say(f"applications.gridworld.{end}", goal=goal, steps=episode.steps, shortest=episode.shortest))


def _step(walk: Case, episode: Episode) -> int:
    """Choose a decision, at first the one where the sign is expected to be read."""
    query = ApplicationsState.query
    rows = [int(place) for p in walk.task.expected(episode.tokens) for place in p.reads.any(1).nonzero()[:, 0]]
    query.hold(range(episode.steps), (rows[0] - 2) // 2 if rows else episode.steps - 1)
    if episode.steps > 1:
        st.slider(say("applications.gridworld.step"), 0, episode.steps - 1, **query.kept)
    return query.value


def _reads(walk: Case, chosen: tuple[AttentionSite, int], step: int) -> None:
    """Show all that was read by then, as tokens: target return and sign first, which are not on the grid."""
    query = 2 + 2 * step
    weights = chosen[0].weights(chosen[1])[query, : query + 1].tolist()
    st.caption(say("applications.reads_marked"))
    marked = shaded(walk.tokens[: query + 1], weights, walk.expected(query))
    strip(marked, label=say("applications.attention"))
    shares = [f"{weight:.0%}" for weight in weights[:2]]
    st.caption(say("applications.gridworld.shares", wanted=shares[0], sign=shares[1]))


def _grid(case: Case, walk: Case, episode: Episode, chosen: tuple[AttentionSite, int] | None, step: int) -> None:
    masses = None
    if chosen is not None:
        site, head = chosen
        masses = on_grid(episode.path, attended(site.weights(head), episode.tokens).steps[step], SHAPE)
    paths = {say("applications.gridworld.walk"): episode.path}
    if case.row is not None and len(case.tokens) > 3:
        paths[say("applications.gridworld.logged")] = _logged(case)
    figure = grid(MAP, paths, masses, episode.path[step], theme(), current())
    st.plotly_chart(figure, key="gridworld", **PICTURE)


def _logged(case: Case) -> tuple[tuple[int, int], ...]:
    """Return the places of the example's walk, and the one its last action led to."""
    task = cast(Gridworld, case.task)
    assert case.row is not None
    places = [token - task.first["cell"] for token in case.trace.token_ids[2::2]]
    action = int(case.row.targets[0, -1]) - task.first["action"]
    places.append(int(world().following[places[-1], action]))
    return tuple(world().cells[place] for place in places)


def _successes(found: dict[str, Success]) -> None:
    """Show the share of walks that were paid, of shortest ones, and the mean return."""
    columns = [say(f"applications.gridworld.{name}") for name in ("policy", "success", "shortest", "return")]
    rows = [
        [say(f"applications.gridworld.by.{name}"), f"{each.paid:.0%}", f"{each.shortest:.0%}", f"{each.reward:.2f}"]
        for name, each in found.items()
    ]
    st.markdown(table(columns, rows))
    st.caption(say("applications.gridworld.judged", n=found["model"].n, logged=found["logged"].n))


@lru_cache(16)
def successes(listed: Listed) -> dict[str, Success]:
    """Measure the model, the walks it learned from, and the best policy that knows only the place."""
    task = cast(Gridworld, task_of(listed))
    return {
        "model": success(policy(opened(listed).network, task), task),
        "logged": logged(task),
        "place": success(table_policy(task.place_alone(), task), task),
    }
