"""The Runs page: every run in a list; one is watched again, several are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import quote

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.column_types import ColumnConfig

from attnviz.analysis.scores import SHARES, score_number
from attnviz.errors import AttnvizError, SweepNotFound
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.cost import n_parameters
from attnviz.models.recurrent_config import AnyConfig, RecurrentConfig
from attnviz.models.tuned_config import TunedConfig
from attnviz.server.people.rights import authority, checked_authority, offers
from attnviz.server.run_routes import RUNS_PATH
from attnviz.server.shelf import Entry, is_own
from attnviz.server.words import in_words
from attnviz.training import Run, RunConfig, runs_root
from attnviz.training.run.manage import delete_run, rename_run
from attnviz.ui.frame.address import Address, notice_error
from attnviz.ui.frame.choices import entries, find_run
from attnviz.ui.frame.head import head_row, link_to, message_box
from attnviz.ui.frame.language import code, current, explain, say
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.table import Row, Table
from attnviz.ui.frame.texts import written_texts
from attnviz.ui.frame.titles import run_title, task_title
from attnviz.ui.frame.watch import PLACE, notice_place, show_compare, watch
from attnviz.ui.frame.who import me
from attnviz.ui.runs.settings import told_differences
from attnviz.ui.runs.state import RunsState
from attnviz.ui.runs.sweep import choose_sweep, seen_sweeps, show_sweep
from attnviz.ui.training.draft import Draft
from attnviz.ui.training.state import TrainingState

__all__ = ["show"]

EVERY = "2s"
MOST_CHOSEN = 16  # by a link
SCORINGS = ("dot", "scaled_dot", "additive")
FILES = ("metrics.csv", "model.safetensors", "model.py", "tensorboard", "run.zip")
COLORS = {
    "running": "#009e73",
    "paused": "#e69f00",
    "queued": "#e69f00",
    "failed": "#d55e00",
    "interrupted": "#d55e00",
    "unreadable": "#d55e00",
    "done": "#0072b2",
    "recorded": "#0072b2",
    "stopped": "#808080",
    "rung": "#e69f00",
    "halving": "#808080",
    "pruner": "#808080",
}
EXAMPLE = "grokking"
MOST = 7  # rows that are seen at once


def _apply(link: Mapping[str, str]) -> None:
    """Choose runs from an address; those that do not exist are noticed. Without any, the newest is chosen."""
    RunsState.sweep.value = link.get("sweep", "")
    if RunsState.sweep.value and RunsState.sweep.value not in seen_sweeps(entries()):
        notice_error(SweepNotFound(RunsState.sweep.value))
        RunsState.sweep.value = ""
    chosen = []
    for name in list(dict.fromkeys(filter(None, link.get("run", "").split(","))))[:MOST_CHOSEN]:
        try:
            run = find_run(name)
            chosen.append(run.name)
            if link["run"] == name:
                notice_place(run, link)
        except AttnvizError as error:
            notice_error(error)
    if not chosen:
        readable = [entry for entry in entries() if entry.run is not None and entry.error is None]
        chosen = [entry.name for entry in sorted(readable, key=_later)[:1]]
    page_state(RunsState).chosen = chosen


def _later(entry: Entry) -> tuple[bool, bool]:
    """Order runs by what there is to see at first: one's own, then the example that the page tells about."""
    return entry.run is None or not is_own(entry.run), entry.name != EXAMPLE


PARAMETERS = frozenset({"run", "sweep"})
ADDRESS = Address("runs", _apply, names=PARAMETERS, steps=PARAMETERS, view=PLACE)


def show() -> None:
    """Show the list, and below it what was chosen in it."""
    ADDRESS.arrive()
    with st.container(key="controls"), head_row():
        st.space("stretch")
    messages = message_box()
    found = entries()
    state = page_state(RunsState)
    chosen = [entry for entry in found if entry.name in state.chosen]
    state.chosen = [entry.name for entry in chosen]
    sweeps = seen_sweeps(found)
    with st.container(key="sweeps"):
        choose_sweep(sweeps)
    sweep = sweeps.get(RunsState.sweep.value)
    with st.container(key="list"):
        if sweep is not None:
            show_sweep(sweep)
        else:
            _show_list(found)
    with st.container(key="chosen"):
        if found and sweep is None:
            _shown(chosen, messages)
    ADDRESS.publish({"run": ",".join(state.chosen)} if sweep is None else {"sweep": sweep.name})


def _show_list(found: Sequence[Entry]) -> None:
    if not any(entry.run is None or is_own(entry.run) for entry in found):
        _teach()
    if found:
        alive = _alive(found)
        st.fragment(_list, run_every=EVERY if alive else None)(alive, page_state(RunsState).chosen)


def _teach() -> None:
    with st.container(key="teach"):
        st.header(say("runs.teach.title"), anchor=False)
        st.markdown(say("runs.teach.text"))
        link_to("training", say("runs.teach.train"), "play_arrow")


def _alive(found: Sequence[Entry]) -> set[str]:
    return {entry.name for entry in found if entry.active}


def _list(alive: set[str], chosen: list[str]) -> None:
    """Show the table; it is drawn again by itself as long as a run is alive."""
    found = entries()
    if _alive(found) != alive or page_state(RunsState).chosen != chosen:
        st.rerun()  # what may be done with a run is another thing now; and with the last one, the clock stops
    table = Table(
        "runs-table", say("runs.caption"), _columns(), _choose, lambda _, name: _choose([name]), "multi-row", MOST
    )
    table.show({entry.name: _row(entry) for entry in found}, chosen)


def _choose(names: list[str]) -> None:
    page_state(RunsState).chosen = names


def _columns() -> dict[str, ColumnConfig]:
    column = st.column_config
    return {
        "name": column.TextColumn(say("runs.name"), width=180),
        "state": column.MultiselectColumn(
            say("runs.state"),
            options=[_state(state) for state in COLORS],
            color=[f"{color}40" for color in COLORS.values()],
        ),
        "task": column.TextColumn(say("runs.task"), width=220),
        "model": column.TextColumn(say("runs.model")),
        "parameters": column.NumberColumn(say("runs.parameters"), format="%,d"),
        "step": column.NumberColumn(say("runs.step"), format="%,d"),
        "steps": column.NumberColumn(say("runs.steps"), format="%,d"),
        "metric": column.TextColumn(say("runs.metric")),
        "best": column.NumberColumn(say("runs.best"), format="%.3g"),
        "rate": column.NumberColumn(say("training.set.lr"), format="%.3g"),
        "seed": column.NumberColumn(say("runs.seed"), format="%d"),
        "created": column.DatetimeColumn(
            say("runs.created"), format="YYYY-MM-DD HH:mm", timezone=st.context.timezone or "UTC"
        ),
    }


def _row(entry: Entry) -> Row:
    """Return a run as the table shows it; where it cannot be read, the reason stands in place of the task."""
    actions = {"show": say("runs.show")}
    cells: dict[str, Any] = {"name": entry.name}
    if entry.run is None or entry.state is None:
        cells["state"] = [_state("unreadable")]
        if entry.error is not None:
            cells["task"] = in_words(current(), entry.error.code, entry.error.details)
        return Row(cells, actions, COLORS["unreadable"])
    state, config = entry.state.state if is_own(entry.run) else "recorded", entry.run.config
    metric = config.task.metric
    name = say(f"applications.metric.{metric.replace(' ', '-')}")
    cells |= {
        "state": [
            _state(entry.state.by or state),
            *([] if entry.place is None else [say("runs.place", n=entry.place)]),
        ],
        "task": _task(config),
        "model": _shape(config.model),
        "parameters": n_parameters(config.model),
        "step": entry.step,
        "steps": config.training.steps,
        "rate": config.training.learning_rate,
        "seed": config.training.seed,
        "created": datetime.fromisoformat(config.created).astimezone(UTC),
        "metric": say("runs.percent", metric=name) if metric in SHARES else name,
        "best": None if entry.best is None else score_number(metric, entry.best),
    }
    return Row(cells, actions, COLORS[state])


def _state(state: str) -> str:
    return say(f"runs.state.{state}")


def _shape(model: AnyConfig) -> str:
    """Layers, heads and width, or kind, layers and width; then the scores of attention between states or over them."""
    scorings: tuple[str, ...] = (model.pooling,)
    if isinstance(model, TunedConfig):
        return f"{model.kind}, {model.method}"
    if isinstance(model, RecurrentConfig):
        cell = f"{'Bi' if model.bidirectional else ''}{model.cell.upper()}"
        size, scorings = f"{cell} {model.n_layers} × {model.d_model}", (model.attention, model.pooling)
    elif isinstance(model, ConvolutionalConfig):
        size = f"CNN {model.n_layers} × {model.d_model}"
    else:
        size = f"{model.n_layers} × {model.n_heads} × {model.d_model}"
    named = dict.fromkeys(scoring for scoring in scorings if scoring in SCORINGS)  # the same is named once
    return " + ".join([size, *(scoring.replace("_", " ") for scoring in named)])


def _task(config: RunConfig) -> str:
    """Return the task's title; a run need not come from a recipe."""
    draft = Draft.of_run(config)
    return run_title(config) if draft is None else task_title(draft.recipe)


def _shown(chosen: Sequence[Entry], messages: DeltaGenerator) -> None:
    """Show one run, or several beside each other."""
    readable = [entry for entry in chosen if entry.error is None and entry.run is not None]
    for entry in chosen:
        if entry.error is not None:
            messages.error(explain(entry.error))
    if len(chosen) == 1:
        _actions(chosen[0])
    if len(readable) == 1:
        run = cast(Run, readable[0].run)
        watch(run, messages, follow=False)
        written_texts(run)
        if isinstance(run.config.model, TunedConfig) and not readable[0].active and authority(me(), run.folder):
            from attnviz.ui.runs.evaluation import evaluate  # with what fine-tuned runs alone need

            evaluate(run)
    elif readable:
        runs = [cast(Run, entry.run) for entry in readable]
        show_compare(runs, told_differences([run.config for run in runs]), key="compare")
    elif not chosen:
        st.info(say("runs.choose_some"))


def _actions(entry: Entry) -> None:
    """Offer the actions on one run."""
    run = entry.run if entry.error is None else None
    with st.container(horizontal=True, key="actions", gap="small", vertical_alignment="center"):
        if run is not None:
            link_to("training", say("runs.settings"), "tune", run=run.name)
        if run is not None and isinstance(run.config.model, TunedConfig) and offers(me(), "modes"):
            from attnviz.ui.runs.evaluation import before_and_after  # as below

            before_and_after(run)
        if run is not None and offers(me(), "export") and (not is_own(run) or authority(me(), run.folder)):
            with st.popover(say("runs.export"), icon=":material/download:", key="export"):
                _files(run.name)
        if run is not None and not is_own(run):
            st.caption(say("runs.shipped"))
            return
        if run is not None and not authority(me(), run.folder):
            st.caption(say("runs.not_yours"))
            return
        with st.popover(say("runs.rename"), icon=":material/edit:", key="rename", disabled=entry.active or run is None):
            _rename(entry.name)
        if entry.active:
            st.caption(say("runs.active_help"))
        if st.button(say("runs.delete"), key="delete", icon=":material/delete:", disabled=entry.active):
            st.dialog(say("runs.delete_title"))(_ask_to_delete)(entry.name)


def _files(name: str) -> None:
    with st.container(gap="xxsmall"):
        for file in FILES:
            st.link_button(
                say(f"runs.file.{file.replace('.', '-')}"), f"{RUNS_PATH}/{quote(name)}/{file}", type="tertiary"
            )


def _rename(name: str) -> None:
    st.text_input(say("runs.new_name"), value=name, key=f"new-name-{name}")
    st.button(say("runs.rename"), key="rename-now", type="primary", on_click=_do_rename, args=(name,))


def _do_rename(name: str) -> None:
    state = st.session_state
    try:
        checked_authority(me(), runs_root() / name)
        new = rename_run(name, state[f"new-name-{name}"] or "").name
    except AttnvizError as error:
        notice_error(error)
        return
    _choose([new])
    training = page_state(TrainingState)
    if training.watched == name:
        training.watched = new


def _ask_to_delete(name: str) -> None:
    """Show the dialog: it names the run, and what is lost."""
    st.markdown(say("runs.delete_ask", name=code(name, 100)))
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(say("runs.keep"), key="keep"):
            st.rerun()
        if st.button(say("runs.delete_now"), key="delete-now", type="primary", on_click=_delete, args=(name,)):
            st.rerun()


def _delete(name: str) -> None:
    try:
        checked_authority(me(), runs_root() / name)
        delete_run(name)
    except AttnvizError as error:
        notice_error(error)
