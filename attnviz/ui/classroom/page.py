"""The teacher's page: all runs at a glance, what students may do, what is taken away, and the end of the class."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import streamlit as st

from attnviz import locale
from attnviz.errors import AttnvizError, RunBusy
from attnviz.server import workers
from attnviz.server.people import register
from attnviz.server.people.classes import CONTROLS, Classroom, Rules
from attnviz.server.people.routes import CLASS_PATH
from attnviz.server.people.wall import class_runs
from attnviz.training.run.manage import delete_run
from attnviz.ui import PAGES
from attnviz.ui.classroom.state import ClassroomState
from attnviz.ui.frame.address import Address, notice, notice_error
from attnviz.ui.frame.head import head_row, message_box
from attnviz.ui.frame.language import current, plain, say
from attnviz.ui.frame.watch import Told, obey
from attnviz.ui.frame.who import me
from attnviz.ui.frame.widgets import button

__all__ = ["show"]

PATIENCE = 5.0  # seconds for runs to stop before they are deleted
PAUSABLE = {"pause": ("running", "queued"), "resume": ("paused",)}
EXPORTS = {"csv": "runs.csv", "xapi": "statements.json"}
MOST = 10**6

_wall = st.components.v2.component("attnviz.wall", js=(Path(__file__).parent / "wall.js").read_text("utf-8"))


def _apply(link: Mapping[str, str]) -> None:
    """Nothing of this page is in its address."""


ADDRESS = Address("class", _apply, names=frozenset(), steps=frozenset())


def show() -> None:
    """Show the page to the teacher; others read whose it is."""
    ADDRESS.arrive()
    with st.container(key="controls"), head_row():
        st.space("stretch")
    messages = message_box()
    person = me()
    if person.role != "teacher" or person.room is None:
        messages.info(say("class.none"))
        ADDRESS.publish({})
        return
    room = person.room
    _head(room)
    if room.is_over:
        messages.info(say("class.over"))
    _actions(room)
    _rules(room)
    st.header(say("class.wall"), anchor=False)
    said = locale.strings(current(), "class.wall.")
    words = {key.removeprefix("class.wall."): text for key, text in said.items()}
    states = {state: say(f"runs.state.{state}") for state in ("queued", "running", "paused", "stopped", "done")}
    states |= {state: say(f"runs.state.{state}") for state in ("interrupted", "failed")}
    _wall(key="wall", data={"texts": words, "states": states, "student": say("class.student", n="{n}")})
    ADDRESS.publish({})


def _head(room: Classroom) -> None:
    zone = ZoneInfo(st.context.timezone or "UTC")
    until = datetime.fromtimestamp(room.expires, zone).strftime("%Y-%m-%d %H:%M")
    with st.container(horizontal=True, key="class-head", vertical_alignment="bottom", gap="small"):
        st.header(say("class.title", name=plain(room.name)), anchor=False, width="content")
        if not room.is_over:
            st.caption(say("class.until", time=until), width="content")


def _actions(room: Classroom) -> None:
    with st.container(horizontal=True, key="class-actions", gap="small", vertical_alignment="center"):
        button(say("class.pause"), "class-pause", _tell_all, "pause", icon="pause", type="primary")
        button(say("class.resume"), "class-resume", _tell_all, "resume", icon="play_arrow")
        with st.popover(say("class.export"), icon=":material/download:", key="class-export"):
            for form, file in EXPORTS.items():
                st.link_button(say(f"class.export.{form}"), f"{CLASS_PATH}/{file}", type="tertiary")
        if not room.is_over and st.button(say("class.close"), key="class-close", icon=":material/logout:"):
            st.dialog(say("class.close"))(_ask)("close")
        if st.button(say("class.delete"), key="class-delete", icon=":material/delete:"):
            st.dialog(say("class.delete"))(_ask)("delete")


def _ask(what: str) -> None:
    """Show the dialog: it says what is lost."""
    st.markdown(say(f"class.{what}.ask"))
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(say("class.keep"), key="class-keep"):
            st.rerun()
        act = _close if what == "close" else _delete
        if st.button(say(f"class.{what}"), key=f"class-{what}-now", type="primary", on_click=act):
            st.rerun()


def _room() -> Classroom | None:
    """Return the class of a teacher; None for others, whatever their browsers send."""
    person = me()
    return person.room if person.role == "teacher" else None


def _tell_all(command: str) -> None:
    """Pause all runs that go on, or have all go on that are paused."""
    if _room() is None:
        return
    told = 0
    for entry in class_runs():
        if entry.run is None or entry.state is None or entry.state.state not in PAUSABLE[command]:
            continue
        try:
            obey(workers.queue(), entry.run, Told(command))
            told += 1
        except AttnvizError as error:
            notice_error(error)
    notice(f"class.{command}d", n=str(told))


def _rules(room: Classroom) -> None:
    state, rules = ClassroomState, room.rules
    state.look.value = rules.look
    state.pages.value, state.controls.value = list(rules.pages), list(rules.controls)
    for widget, value in ((state.runs, rules.runs), (state.steps, rules.steps), (state.megabytes, rules.megabytes)):
        widget.value = value or 0
    titles = {name: say(f"page.{name}") for name in PAGES}
    controls = {name: say(f"class.control.{name}") for name in CONTROLS}
    with st.expander(say("class.rules"), icon=":material/tune:", key="class-rules"):
        st.toggle(say("class.look"), on_change=_change_rules, **state.look.kept)
        with st.container(horizontal=True, gap="medium"):
            st.multiselect(
                say("class.pages"), list(titles), format_func=titles.__getitem__, on_change=_change_rules,
                placeholder=say("class.choose"), **state.pages.kept,
            )  # fmt: skip
            st.multiselect(
                say("class.controls"), list(controls), format_func=controls.__getitem__, on_change=_change_rules,
                placeholder=say("class.choose"), **state.controls.kept,
            )  # fmt: skip
        with st.container(horizontal=True, gap="medium"):
            for name, widget in (("runs", state.runs), ("steps", state.steps), ("megabytes", state.megabytes)):
                st.number_input(say(f"class.{name}"), 0, MOST, step=1, on_change=_change_rules, **widget.kept)


def _change_rules() -> None:
    room, state = _room(), ClassroomState
    if room is None:
        return
    rules = Rules(
        state.look.value,
        tuple(name for name in state.pages.value if name in PAGES),
        tuple(name for name in state.controls.value if name in CONTROLS),
        state.runs.value or None,
        state.steps.value or None,
        state.megabytes.value or None,
    )
    try:
        register.set_rules(room, rules)
    except AttnvizError as error:
        notice_error(error)


def _close() -> None:
    room = _room()
    if room is None:
        return
    try:
        register.close(room)
    except AttnvizError as error:
        notice_error(error)


def _delete() -> None:
    """Stop and delete the runs of all members, then the class; one that does not stop in time is named."""
    room = _room()
    if room is None:
        return
    mine = [entry for entry in class_runs() if entry.run is not None and entry.run.owner in room.members]
    try:
        for entry in mine:
            if entry.active and entry.run is not None:
                obey(workers.queue(), entry.run, Told("stop"))
        names, end = [entry.name for entry in mine], time.monotonic() + PATIENCE
        busy = _delete_idle(names)
        while busy and time.monotonic() < end:
            time.sleep(0.1)
            busy = _delete_idle(busy)
        if busy:
            notice("class.delete.busy", names=busy)
            return
        register.delete(room)
        notice("class.deleted", n=str(len(names)))
    except AttnvizError as error:
        notice_error(error)


def _delete_idle(names: list[str]) -> list[str]:
    """Delete runs; return those that somebody still works on."""
    busy = []
    for name in names:
        try:
            delete_run(name)
        except RunBusy:
            busy.append(name)
    return busy
