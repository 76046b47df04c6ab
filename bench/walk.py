"""Count the calls from a typed text's rerun to the view's payload: `python -m bench.walk`.

A call is the entering of a function of attnviz; it changes rooms where the function of attnviz that called it, directly
or through a library, lies in another folder of the package. The text is new, the page and the model are warm. The
numbers are counts, the same on every machine.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from streamlit.testing.v1 import AppTest

import attnviz
from attnviz.ui import frame
from bench.common import Figure, report

PACKAGE = Path(attnviz.__file__).parent
ENTRY = Path(frame.__file__).parent / "entry.py"
TEXTS = ("t o n", "l e a r n")  # for the first model that ships, which reverses letters
MOST_CALLS, MOST_CHANGES = 500, 120


@cache
def room(file: str) -> str | None:
    """The folder under attnviz in which a file lies, or the name of one that lies in none; None: it is not ours."""
    path = Path(file)
    return path.relative_to(PACKAGE).parts[0] if path.is_relative_to(PACKAGE) else None


class Walk:
    """A profiler that counts calls, by function and by change of rooms."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.changes: Counter[tuple[str, str]] = Counter()

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """Note a call; what Python runs of its own (a module, a comprehension) is none."""
        code = frame.f_code
        here = room(code.co_filename)
        if event != "call" or here is None or (code.co_name.startswith("<") and code.co_name != "<lambda>"):
            return
        self.calls[f"{Path(code.co_filename).relative_to(PACKAGE)}:{code.co_qualname}"] += 1
        caller = frame.f_back
        while caller is not None and room(caller.f_code.co_filename) is None:
            caller = caller.f_back
        before = here if caller is None else room(caller.f_code.co_filename)
        if before is not None and before != here:
            self.changes[before, here] += 1


def walk() -> Walk:
    """Open the Explorer, type one text and count what a second one takes."""
    page = AppTest.from_file(str(ENTRY), default_timeout=60).run()
    for text in TEXTS[:-1]:
        page.text_area(key="text").set_value(text).run()
    counted = Walk()
    threading.setprofile(counted)  # the page runs in a thread of its own
    try:
        page.text_area(key="text").set_value(TEXTS[-1]).run()
    finally:
        threading.setprofile(None)
    assert not page.exception
    return counted


def measure() -> Sequence[Figure]:
    """Return both figures; with --functions, also who was called how often."""
    counted = walk()
    return [
        Figure("calls of one typed text", sum(counted.calls.values()), "calls", MOST_CALLS),
        Figure("changes of rooms", sum(counted.changes.values()), "changes", MOST_CHANGES),
    ]


if __name__ == "__main__":
    if "--functions" in sys.argv:
        found = walk()
        for counter in (found.calls, found.changes):
            print(*(f"{count:6} {name}" for name, count in counter.most_common(40)), sep="\n")
    else:
        report(measure, __doc__)
