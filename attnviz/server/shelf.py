"""The runs that the pages show: those of this server's folder, and those that come with attnviz."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from attnviz.bounded import reason
from attnviz.errors import RunCorrupt, RunError, RunNotFound
from attnviz.tasks.base import Metric
from attnviz.training import Run, RunConfig, RunState, open_run, runs_root
from attnviz.training.engine.config import LARGEST_SEED
from attnviz.training.run.folder import CONFIG
from attnviz.training.run.progress import Progress, Seen, is_steered
from attnviz.training.run.runs import found_runs
from attnviz.zoo import EXAMPLE_RUNS

__all__ = ["Entry", "entries", "is_own", "readable_runs", "twin", "unused_seed"]


@dataclass(frozen=True)
class Entry:
    """A run in the list.

    Attributes:
        run: None where it cannot be opened.
        state: where it stands; None where it cannot be opened.
        place: place in the queue, 1 is next; None: it does not wait.
        step: the last one that was recorded.
        best: value of its task's metric; None before it was looked at.
        steered: whether its learning rate is another one than it was configured to be.
        seen: all that its metrics say so far.
        error: why it cannot be read.
    """

    name: str
    run: Run | None = None
    state: RunState | None = None
    place: int | None = None
    step: int = 0
    best: float | None = None
    steered: bool = False
    seen: Seen = field(default_factory=Seen)
    error: RunError | None = None

    @property
    def active(self) -> bool:
        """Whether somebody is at work on it or will be."""
        return self.state is not None and self.state.active


def entries() -> list[Entry]:
    """Return every run, the newest first, those that come with attnviz last; what did not change is not read again."""
    mine = [_entry(run) for run in _runs(runs_root())]
    waiting = sorted((e.state.queued, e.name) for e in mine if e.state is not None and e.state.state == "queued")
    places = {name: place for place, (_, name) in enumerate(waiting, 1)}
    examples = [_entry(run) for run in _runs(EXAMPLE_RUNS)]
    return [replace(entry, place=places.get(entry.name)) for entry in mine] + examples


def readable_runs() -> list[Run]:
    """Return every run that can be opened, in the order of `entries`."""
    return [run for root in (runs_root(), EXAMPLE_RUNS) for run in _runs(root) if isinstance(run, Run)]


def is_own(run: Run) -> bool:
    """Whether the run may be trained, renamed and deleted here."""
    return run.folder.parent == runs_root()


def twin(config: RunConfig, among: Iterable[Entry]) -> Entry | None:
    """Return a run that computes the same and is done or under way, so that it need not be trained again."""
    found = (entry for entry in among if _is_twin(entry, config.digest))
    return min(found, key=lambda entry: entry.active, default=None)  # one that is done before others


def _is_twin(entry: Entry, digest: str) -> bool:
    if entry.run is None or entry.state is None or entry.steered:
        return False
    return (entry.active or entry.state.state == "done") and entry.run.config.digest == digest


def unused_seed(config: RunConfig) -> int:
    """Return the next seed with which nobody has trained the same."""
    digests = {entry.run.config.digest for entry in entries() if entry.run is not None}
    seed, used = config.training.seed, True
    while used:
        seed = (seed + 1) % LARGEST_SEED
        used = replace(config, training=replace(config.training, seed=seed)).digest in digests
    return seed


def _runs(root: Path) -> list[Run | RunError]:
    return found_runs(root, _open)


def _open(folder: Path) -> Run | RunError | None:
    """The run in a folder, or why it cannot be opened; None: there is no run in it, or it is being made or deleted."""
    try:
        stamp = (folder / CONFIG).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:  # not ours to read, a link without an end ...
        return RunCorrupt(folder.name, CONFIG, reason(error))
    return _opened(folder, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(1024)
def _opened(folder: Path, changed: int, size: int) -> Run | RunError | None:
    try:
        return open_run(folder.name, folder.parent)
    except RunNotFound:  # its name is none
        return None
    except RunError as error:
        return error


def _entry(run: Run | RunError) -> Entry:
    if isinstance(run, RunError):
        return Entry(run.name, error=run)
    try:
        state = run.state()
        seen = _progress(run.metrics_path, run.config.task.metric).look()
    except RunError as error:
        return Entry(run.name, run, error=error)
    steered = is_steered(run.config.training, seen)
    return Entry(run.name, run, state, step=max(seen.step, state.step), best=seen.best, steered=steered, seen=seen)


@lru_cache(1024)
def _progress(path: Path, metric: Metric) -> Progress:
    return Progress(path, metric)
