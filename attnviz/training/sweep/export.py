"""A sweep taken elsewhere: as a table, for TensorBoard, and offline for Weights & Biases."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attnviz.errors import ExtraMissing
from attnviz.training.run.export import scalars, tensorboard
from attnviz.training.run.folder import Run
from attnviz.training.run.settings import settings_of
from attnviz.training.sweep.members import Member, metric_of
from attnviz.training.sweep.plan import Sweep

__all__ = ["sweep_csv", "tensorboard_runs", "wandb_offline"]

OFFLINE = {"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true", "WANDB_CONSOLE": "off"}
"""Nothing is sent, and nothing of this machine is looked at: neither its code nor what it prints."""
PROJECT = "attnviz"
STOPPED = {"halving": "halved", "pruner": "pruned"}


def sweep_csv(sweep: Sweep, found: Sequence[Member]) -> str:
    """Return the runs of a sweep as CSV: a header, a line for each planned run, full precision.

    run      name of the run; empty where it is missing
    ...      the settings that are varied, then seed
    state    as in state.json, or "halved" or "pruned": stopped as a poor one; empty where it is missing
    step     updates so far
    best_... the best value of the task's metric on validation data so far, under its name
    seconds  of the processor, in training
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["run", *sweep.keys, "seed", "state", "step", f"best_{_key(metric_of(found))}", "seconds"])
    for planned, run, state, seen in found:
        said = "" if state is None else STOPPED.get(state.by, state.state)
        told = (
            ("", *planned.values, planned.seed, said)
            if run is None
            else (run.name, *planned.values, planned.seed, said)
        )
        writer.writerow([*told, seen.step, seen.best, seen.seconds])
    return file.getvalue()


def _key(metric: str) -> str:
    return metric.replace(" ", "_")


def tensorboard_runs(runs: Sequence[Run], folder: Path) -> list[Path]:
    """Write runs for TensorBoard, each in a folder of its own.

    Returns:
        The files.

    Raises:
        RunCorrupt, OSError: see `attnviz.training.run.export.tensorboard`.
    """
    return [tensorboard(run, folder / run.name) for run in runs]


def wandb_offline(runs: Sequence[Run], folder: Path, group: str = "") -> list[Path]:
    """Write runs as Weights & Biases keeps them without a network: `wandb sync FOLDER/wandb/offline-*` sends them.

    Every step's scalars, as for TensorBoard, and the settings as the run's config. A run has the same id whenever it
    is written.

    Args:
        runs: to be written.
        folder: made when missing.
        group: name of the group they form; "" for none.

    Returns:
        The folders, one for each run.

    Raises:
        ExtraMissing: the package is not installed.
        RunCorrupt: metrics.jsonl holds a line that no run writes.
        OSError: the folder cannot be written to.
    """
    with _environment(OFFLINE):
        try:
            import wandb
        except ImportError as error:
            raise ExtraMissing("wandb", "wandb") from error
        folder.mkdir(parents=True, exist_ok=True)
        return [_written(wandb, run, folder, group) for run in runs]


def _written(wandb: Any, run: Run, folder: Path, group: str) -> Path:
    metric, metrics = run.config.task.metric, run.metrics()
    settings = wandb.Settings(
        mode="offline", host=PROJECT, console="off", silent=True, save_code=False, disable_git=True, disable_code=True,
        x_disable_stats=True, x_disable_meta=True, x_disable_machine_info=True,
    )  # fmt: skip
    made = wandb.init(
        project=PROJECT,
        dir=str(folder),
        id=run.config.digest[:16],
        name=run.name,
        group=group or None,
        config=settings_of(run.config),
        settings=settings,
    )
    try:
        for line in metrics:
            made.log(dict(scalars(line, metric)), step=line.step)
        return Path(made.dir).parent
    finally:
        made.finish()


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
