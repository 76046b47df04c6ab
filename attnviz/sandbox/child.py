"""The process in which a stranger's model is opened first: `python -m attnviz.sandbox.child`.

Reads lines of JSON and answers in lines of JSON. The first line names the folder; each further one holds texts, which
the tokenizer of the model reads, or one that its chat template is to be put around. It ends with its input: a server
that dies takes it along.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from attnviz.errors import AttnvizError

__all__ = ["main"]


def main() -> int:
    """Open one model and try it, then have its tokenizer read what comes."""
    answers = _take_over_output()

    def tell(**values: object) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    lines = _lines(os.fdopen(os.dup(0), encoding="utf-8"))
    job = json.loads(lines.get())
    from attnviz import locale
    from attnviz.errors import AttnvizError
    from attnviz.sandbox.seal import bound_memory, seal
    from attnviz.sandbox.trial import Trial  # all that is heavy is imported before the limits hold

    locale.catalogue(locale.DEFAULT)  # the words of errors, read while files can be
    trial = Trial(Path(job["folder"]), job["title"])
    tried = seal(trial.folder)
    bound_memory(job["memory"])
    _answer(tell, tried, AttnvizError, lambda: trial.open(lambda stage: tell(at=stage), whole=job["whole"]))
    while True:
        asked = json.loads(lines.get())
        work = partial(trial.read, asked["texts"]) if "texts" in asked else partial(trial.render, asked["said"])
        _answer(tell, tried, AttnvizError, work)


def _lines(source: TextIO) -> queue.SimpleQueue[str]:
    """Read the input in a thread, so that this process ends with it even in the middle of its work."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        while line := source.readline():
            lines.put(line)
        os._exit(0)

    threading.Thread(target=listen, daemon=True, name="attnviz-input").start()
    return lines


def _take_over_output() -> TextIO:
    """The pipe for answers, which nothing else can write to: what libraries print goes to the standard error stream."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _answer(
    tell: Callable[..., None], tried: list[str], known: type[AttnvizError], work: Callable[[], Mapping[str, Any] | None]
) -> None:
    """Do something, and tell how it ended; whatever is raised, this process goes on."""
    started = time.process_time()
    try:
        found = work() or {}
    except known as error:
        tell(refused=error.code, details=error.details, tried=tried[:1])
    except MemoryError:
        tell(memory=True)
    except BaseException as error:  # code in Rust raises what is no Exception
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        memory = "allocate memory" in str(error) or "not enough memory" in str(error)
        tell(memory=memory, failed=(lines or [type(error).__name__])[0][:200], tried=tried[:1])
    else:
        tell(passed=True, cpu=time.process_time() - started, tried=tried[:1], **found)


if __name__ == "__main__":
    sys.exit(main())
