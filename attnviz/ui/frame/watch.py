"""Training runs in the browser: one that is watched and steered, or several beside each other.

The browser asks `attnviz.server.run_routes` by itself for what is new; nothing here runs again while a network learns.
What a person presses comes back as a command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.errors import AttnvizError
from attnviz.server import workers
from attnviz.server.kept import plotly_address
from attnviz.server.paths import whole
from attnviz.server.people.rights import authority, checked_authority
from attnviz.server.shelf import is_own
from attnviz.training import COMMANDS, Run, TrainingQueue
from attnviz.training.run.files import writing
from attnviz.ui.frame.address import notice
from attnviz.ui.frame.language import code, current, explain, say
from attnviz.ui.frame.loader import loader
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.titles import run_title
from attnviz.ui.frame.who import me
from attnviz.view.modules import later_address
from attnviz.view.run_header import run_header, unit_of
from attnviz.view.texts import address

__all__ = ["PLACE", "Told", "notice_place", "obey", "prepare", "show_compare", "told", "watch"]

PLACE = {
    "step": r"\d{1,9}",
    "site": r"\w+\.\d+\.\w+",
    "head": r"\d{1,9}",
    "seq": r"\d{1,9}",
    "cell": r"\d{1,5}\.\d{1,5}",
}
"""Parameters of the address that the view of a run writes, and their values."""

SUBMIT = "submit"
MOST = 1e9  # no rate and no speed is as high
LATEST = 1e15  # ms; no clock is as late

_watch = st.components.v2.component("attnviz.watch", js=loader("watch"))
_prepare = st.components.v2.component("attnviz.prepare", js=loader("prepare"))
_compare = st.components.v2.component("attnviz.compare", js=loader("compare"))


class Told(NamedTuple):
    """Command of a person to a run.

    Attributes:
        name: one of `attnviz.training.COMMANDS`, or "submit": train it, or go on with it.
        value: the learning rate or the speed that goes with it.
    """

    name: str
    value: float | None = None


@dataclass
class Heard:
    """Note of the latest command that this session obeyed, so that none is obeyed twice.

    Attributes:
        latest: time in the browser at which it was given, in ms.
    """

    latest: float = -inf


def show_watch(run: Run, *, key: str, steer: bool, follow: bool, replay: int = 0) -> list[Told]:
    """Place the view of a run; returns what it was just told, the latest last, for `obey`.

    Args:
        steer: with the transport: play, pause, step, stop, learning rate, speed.
        follow: begin at the newest step and stay there while there are newer ones; the address may name another one.
        replay: with another number than before, a run that is done plays from its beginning; 0: it does not.
    """
    payload = {**run_header(run), **_common(), "recorded": not is_own(run)}
    payload["later"] = {"formed": later_address("formed")}
    payload |= {"steer": steer, "follow": follow, "replay": replay}
    result = _watch(key=key, data=payload, on_command_change=lambda: None)
    return told(run, result.get("command")) if steer else []


def notice_place(run: Run, link: Mapping[str, str]) -> None:
    """Have the page say once which parameters of the link point outside of a run, where the nearest is shown."""
    header = run_header(run)
    heads = {site["name"]: site["heads"] for site in header["sites"]}
    most = {
        "step": header["steps"],
        "head": heads.get(link.get("site", ""), max(heads.values(), default=0)) - 1,
        "seq": len(header["sequences"]) - 1,
    }
    outside = [name for name, last in most.items() if (whole(link.get(name, ""), 0, 10**9) or 0) > max(0, last)]
    if re.fullmatch(PLACE["site"], link.get("site", "")) and link["site"] not in heads:
        outside.append("site")
    if outside:
        notice("page.unknown_place", names=outside)


def prepare() -> None:
    """On a page that has no run yet: have the browser fetch what the view of one takes."""
    _prepare(key="prepare", data=_common())


def show_compare(runs: Sequence[Run], differs: Sequence[str], *, key: str) -> None:
    """Place the curves of several runs on one chart each.

    Args:
        differs: of each run the settings in which it differs from others, in words.
    """
    curves = [{**_curve(run), "differs": words} for run, words in zip(runs, differs, strict=True)]
    _compare(key=key, data={**_common(), "runs": curves})


def obey(queue: TrainingQueue, run: Run, told: Told) -> None:
    """Do what a run was told by the person of this session.

    Raises:
        RunNotYours: may not steer it.
        AttnvizError: it is trained already, or cannot be read or written.
    """
    by = checked_authority(me(), run.folder)
    with writing(run.name):
        if told.name == SUBMIT:
            queue.submit(run, told.value)
        elif run.state().active:
            if told.name == "stop":
                queue.withdraw(run)  # where it waits
            run.commands.send(cast(Any, told.name), told.value, by)  # others read there who stopped it


def watch(run: Run, messages: DeltaGenerator, *, follow: bool, replay: int = 0) -> None:
    """Place the view of a run, and do what people tell the run there; what cannot be done is said above.

    Args:
        messages: where to say it.
        follow: begin at the newest step and stay there.
        replay: see `show_watch`.
    """
    with st.container(key="watch-box"):
        steer = bool(authority(me(), run.folder))
        commands = show_watch(run, key="watch", steer=steer, follow=follow, replay=replay)
    for command in commands:
        try:
            if command.name != SUBMIT and not run.state().active:  # it has ended since, or somebody else stopped it
                messages.info(say("training.not_under_way", name=code(run.name, 100)))
                continue
            obey(workers.queue(), run, command)
        except AttnvizError as error:
            messages.error(explain(error))


def _common() -> dict[str, Any]:
    lang = current()
    return {"lang": lang, "texts": address(lang), "plotly": plotly_address()}


def _curve(run: Run) -> dict[str, Any]:
    task, training = run.config.task, run.config.training
    return {
        "run": run.name,
        "task": run_title(run.config),
        "metric": task.metric,
        "predicts": run.config.model.predicts,
        "unit": unit_of(run.config),
        "steps": training.steps,
    }


def told(run: Run, value: object) -> list[Told]:
    """Return the commands to a run from the browser, which may send anything; those that were heard before left out."""
    heard = page_state(Heard)
    commands = []
    for each in value if isinstance(value, list) else []:
        if not isinstance(each, dict) or each.get("name") not in (*COMMANDS, SUBMIT) or each.get("run") != run.name:
            continue
        at, number = _number(each.get("at"), LATEST), _number(each.get("value"), MOST)
        if at is not None and at > heard.latest and (number is not None or each.get("value") is None):
            heard.latest = at
            commands.append(Told(each["name"], number))
    return commands


def _number(value: object, most: float) -> float | None:
    """Return a number whose size is below `most`; None for everything else."""
    return float(value) if type(value) in (int, float) and abs(value) < most else None  # type: ignore[arg-type]
