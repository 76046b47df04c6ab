"""The pages as the server builds them, without a browser; a queue that trains nothing."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import attnviz.ui.frame
from attnviz.server import workers
from attnviz.training import Run, RunState
from attnviz.training.run.process import ProcessId
from attnviz.training.run.queue import Share
from attnviz.ui import CLASSROOM, PAGES

S = TypeVar("S")

FIRST = next(iter(PAGES))
PATIENCE = 600  # seconds for a page: only a fault makes it take so long
ENTRY = str(Path(attnviz.ui.frame.__file__).parent / "entry.py")


def open_page(name: str, **params: str) -> AppTest:
    """A page as a link opens it."""
    page = AppTest.from_file(ENTRY, default_timeout=PATIENCE)
    if name != FIRST:
        page.switch_page(str(PAGES.get(name, CLASSROOM)))
    for key, value in params.items():
        page.query_params[key] = value
    return run(page)


def turn_to(page: AppTest, name: str) -> AppTest:
    """Another page, as the navigation opens it."""
    page.switch_page(str(PAGES[name]))
    return run(page)


def state_of(page: AppTest, kind: type[S]) -> S:
    """Return the state that a session keeps of a page."""
    state: S = page.session_state[kind.__name__]
    return state


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, page.exception[0].message
    return page


def click(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click()
    return run(page)


def messages(page: AppTest) -> str:
    return "\n".join(m.value for kind in (page.error, page.warning, page.info, page.caption) for m in kind)


def payload(page: AppTest, has: str) -> dict[str, Any] | None:
    """What the component was given whose data have this key; None when it is not on the page."""
    for element in page.main:
        text = getattr(getattr(element, "proto", None), "json", "")
        data = json.loads(text) if text else None
        if isinstance(data, dict) and has in data:
            return data
    return None


def rows(page: AppTest) -> dict[str, dict[str, Any]]:
    """The rows of the page's table, by the names that its cards have; None for what is missing."""
    data = payload(page, "cards")
    assert data is not None
    records = page.dataframe[0].value.to_dict("records")
    return {
        card["name"]: {key: _cell(value) for key, value in record.items()} | {"actions": list(card["actions"])}
        for card, record in zip(data["cards"], records, strict=True)
    }


def _cell(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return list(value)
    return None if value != value else value


def choose(page: AppTest, *names: str) -> AppTest:
    """Choose rows of the page's table, as the browser tells it."""
    table, listed = page.dataframe[0], list(rows(page))
    selection = {"selection": {"rows": [listed.index(name) for name in names]}}
    states = page._tree.get_widget_states()
    states.widgets.add(id=table.proto.id, string_value=json.dumps(selection))
    page._run(states)
    return run(page)


def tell(page: AppTest, name: str, value: float | None = None, *before: dict[str, Any]) -> dict[str, Any]:
    """Tell the run that is watched, as its view does, with what it told a moment before; returns what it told."""
    data = payload(page, "steer")
    assert data is not None
    command = {"at": before[-1]["at"] + 1 if before else 1.0, "run": data["run"], "name": name, "value": value}
    page.session_state["watch"] = {"command": [*before, command]}
    return command


def address(page: AppTest) -> dict[str, str]:
    """What is published, without what is empty."""
    data = payload(page, "parameters")
    assert data is not None
    return {name: value for name, value in data["parameters"].items() if value}


class Queue:
    """Keeps the runs that were submitted; they wait, and nobody trains them."""

    workers, waiting = 1, 0

    def __init__(self) -> None:
        self.submitted: list[str] = []

    def submit(self, run: Run, learning_rate: float | None = None, until: int | None = None) -> None:
        self.submitted.append(run.name)
        run.write_state(RunState("queued", run.state().step, ProcessId.current(), queued=float(len(self.submitted))))

    def shared(self) -> Share:
        """As if one core trained all of them."""
        return Share(1, len(self.submitted)) if self.submitted else Share(0, 0)

    def ahead(self, large: bool) -> int:
        return self.waiting

    def withdraw(self, run: Run) -> bool:
        run.write_state(RunState("stopped"))
        return True


def train_nothing(monkeypatch: pytest.MonkeyPatch) -> Queue:
    """Put a queue in place of the server's, whose threads look after every run and sweep until the process ends.

    Those of later tests, too.
    """
    made = Queue()
    monkeypatch.setattr(workers, "queue", cache(lambda: made))
    return made
