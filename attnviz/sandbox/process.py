"""The server's side: starts the process in which a model is opened first, watches it, and ends it."""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import psutil

from attnviz import errors
from attnviz.bounded import reason
from attnviz.errors import (
    AttnvizError,
    ModelFailed,
    TemplateFailed,
    UploadCrashed,
    UploadHolds,
    UploadMemory,
    UploadReaches,
    UploadSlow,
    UploadText,
)
from attnviz.errors.base import Why
from attnviz.sandbox.launch import Started, start

__all__ = ["HOLD_SECONDS", "MEMORY", "OPEN_SECONDS", "STAGES", "Sandbox"]

STAGES = ("starting", "opening", "running", "reading")
"""Steps that people are told while they wait."""

START_SECONDS = 180  # a fresh Python with torch and transformers, on a busy machine
OPEN_SECONDS = 60
"""Seconds that opening a model and trying it may take."""

READ_SECONDS, READ_CPU = 20, 1.0  # of the tokenizer with one text: by the clock, and computed
HOLD_SECONDS = 1.0
"""Seconds of computation in which, while a model is opened, nobody else is answered."""

MEMORY = 768 * 2**20
"""Bytes that opening a model may take beside its weights."""

WEIGHTS_TIMES = 4  # of the weights' bytes: read, changed to float32, and what they are made from
LINE = 2**20  # characters of an answer: a prompt whose every sign is escaped is shorter
EVERY = 0.1  # seconds between two looks at its memory
IDLE_SECONDS = 300
NO_MEMORY = ("memory allocation of", "bad_alloc", "allocate memory", "capacity overflow")
"""Last words of code in Rust and C++ that gets no memory and ends the process."""

log = logging.getLogger(__name__)


class Sandbox:
    """A process for one folder, started when it is needed; safe to use from several threads, one after the other.

    Args:
        folder: folder of the model.
        nbytes: bytes of its files.
    """

    def __init__(self, folder: Path, title: str, nbytes: int) -> None:
        self.folder, self.title = folder, title
        self.memory = MEMORY + WEIGHTS_TIMES * nbytes
        self.reads = True  # it has a tokenizer that has to be tried on every text
        self._lock = threading.Lock()
        self._passed = False
        self._process: Started | None = None
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._said: deque[str | None] = deque(maxlen=20)
        self._stderr: threading.Thread | None = None
        self._base = 0  # bytes that the process had when it began to open the model
        self._idle: threading.Timer | None = None

    def examine(self, tell: Callable[[str], None] = lambda stage: None) -> None:
        """Open the model and try it, once.

        Args:
            tell: is told each of `STAGES`.

        Raises:
            UploadMemory, UploadSlow, UploadHolds: it costs too much.
            UploadReaches: it reaches for the network, a program, or a file elsewhere.
            UploadCrashed: the process died.
            AttnvizError: why it cannot be opened.
        """
        with self._lock:
            if self._passed:
                return
            try:
                self._start(tell, whole=True)
            except BaseException:  # also of whoever is told the steps, and does not want to wait any more
                self._end()
                raise
            self._passed = True
            self._rest()

    def read(self, *texts: tuple[str, str | None]) -> None:
        """Have the tokenizer read texts, each with a second one or None, before the server's own does.

        Raises:
            UploadText: it takes too much time or memory, or dies.
            AttnvizError: what else the tokenizer says of them.
        """
        with self._lock:
            if self.reads:
                self._ask(UploadText(self.title), texts=texts)

    def render(self, text: str) -> str:
        """Put a text into the chat template of the model, and have its tokenizer read what comes of it.

        Raises:
            TemplateFailed: the template refuses the text, or takes too much time or memory.
            AttnvizError: what else the tokenizer says of it.
        """
        with self._lock:
            return str(self._ask(TemplateFailed(self.title, Why("template-slow")), said=text)["prompt"])

    def _ask(self, too_much: AttnvizError, **asked: Any) -> dict[str, Any]:
        """Return the answer to a question about a text; raise `too_much` where it takes too much time or memory."""
        try:
            if not self.alive:
                self._start(lambda stage: None, whole=False)
            self._send(**asked)
            answer = self._wait(READ_SECONDS, lambda stage: None)
            if answer["cpu"] > READ_CPU:
                raise too_much
        except (UploadMemory, UploadSlow, UploadCrashed) as error:
            self._end()
            raise too_much from error
        self._rest()
        return answer

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.alive

    def _start(self, tell: Callable[[str], None], whole: bool) -> None:
        self._end()
        tell("starting")
        self._answers = queue.SimpleQueue()
        self._said.clear()
        try:
            self._process = start()
        except OSError as error:
            raise UploadCrashed(self.title, reason(error)) from error
        _listener(self._process.stdout, self._answers.put)
        self._stderr = _listener(self._process.stderr, self._said.append)
        self._base = 0
        self._send(folder=str(self.folder.resolve()), title=self.title, memory=self.memory, whole=whole)
        answer = self._wait(START_SECONDS, tell)  # until it begins to open
        answer = self._wait(OPEN_SECONDS, tell)
        if answer["hold"] > HOLD_SECONDS:
            raise UploadHolds(self.title, f"{answer['hold']:.1f}")
        self.reads = bool(answer["tokens"])
        if not self.reads:
            self._end()

    def _send(self, **values: Any) -> None:
        process = self._process
        assert process is not None
        try:
            process.stdin.write(json.dumps(values) + "\n")
            process.stdin.flush()
        except OSError as error:
            raise self._died() from error

    def _wait(self, seconds: float, tell: Callable[[str], None]) -> dict[str, Any]:
        """Return the next answer; while it is awaited, the process is watched."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._answers.get(timeout=EVERY)
            except queue.Empty:
                self._watch()
                if time.monotonic() > end:
                    raise UploadSlow(self.title, f"{seconds:,.0f}") from None
                continue
            if line is None:
                raise self._died()
            answer = json.loads(line)
            if "at" not in answer:
                return self._judged(answer)
            tell(str(answer["at"]))
            if not self._base:
                self._base = self._taken()
                return {}

    def _judged(self, answer: dict[str, Any]) -> dict[str, Any]:
        if answer.get("tried"):
            raise UploadReaches(self.title, str(answer["tried"][0]))
        if answer.get("memory"):
            raise UploadMemory(self.title, _megabytes(self.memory))
        if "failed" in answer:
            raise ModelFailed(self.title, answer["failed"])
        if "refused" in answer:
            raise _told(answer)
        return answer

    def _watch(self) -> None:
        if self._base and self._taken() > self._base + self.memory:
            raise UploadMemory(self.title, _megabytes(self.memory))

    def _taken(self) -> int:
        """Return the bytes of memory that the process has; 0 when it has ended."""
        assert self._process is not None
        try:
            return int(self._process.process.memory_info().rss)
        except psutil.Error:
            return 0

    def _died(self) -> AttnvizError:
        words = self._last_words()
        if any(sign in line for line in words for sign in NO_MEMORY):
            return UploadMemory(self.title, _megabytes(self.memory))
        return UploadCrashed(self.title, words[-1][:200] if words else Why("silent"))

    def _last_words(self) -> list[str]:
        """Return the last lines that the process wrote before its end."""
        if self._stderr is not None:
            self._stderr.join(5)
        lines = [line.strip() for line in list(self._said) if line and line.strip()]
        log.warning("the process for %s ended: %s", self.title, " | ".join(lines))
        return [line for line in lines if not line.startswith("note:")]

    def _rest(self) -> None:
        """It may be asked again soon; after a while it goes."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = threading.Timer(IDLE_SECONDS, self.close)
        self._idle.daemon = True
        self._idle.start()

    def _end(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        process, self._process = self._process, None
        if process is None:
            return
        process.end()


def _listener(pipe: IO[str], take: Callable[[str | None], object]) -> threading.Thread:
    thread = threading.Thread(target=_listen, args=(pipe, take), daemon=True, name="attnviz-sandbox")
    thread.start()
    return thread


def _listen(pipe: IO[str], take: Callable[[str | None], object]) -> None:
    """Pass on the lines of a pipe, each of bounded length, and then None."""
    with pipe:
        while line := pipe.readline(LINE):
            take(line)
    take(None)


def _told(answer: dict[str, Any]) -> AttnvizError:
    """Return the error that the process met, as one of this process."""
    found = [getattr(errors, name) for name in errors.__all__]
    kinds: dict[str, type[AttnvizError]] = {kind.code: kind for kind in found}
    kind = kinds[answer["refused"]]
    error: AttnvizError = kind.__new__(kind)
    error.details = answer["details"]
    return error


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MB"
