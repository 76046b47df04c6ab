"""A run taken elsewhere: its numbers as CSV or for TensorBoard, its network as PyTorch, its whole folder as a zip.

All of it works at any time, also while the run is being trained: what is there so far is taken.
"""

from __future__ import annotations

import csv
import io
import json
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime
from math import copysign, inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from attnviz.errors import RunCorrupt
from attnviz.errors.base import Why
from attnviz.tasks.base import LOSSES, Metric, counted
from attnviz.training.engine.loop import perplexity
from attnviz.training.run.folder import CONFIG, OWNER, STATE, Metrics, Run
from attnviz.training.run.script import pytorch_script
from attnviz.training.run.settings import settings_of

__all__ = [
    "columns",
    "metrics_csv",
    "model_files",
    "pytorch_script",
    "run_zip",
    "scalars",
    "tensorboard",
    "tensorboard_zip",
    "write_run_zip",
]

GREATEST = 3.4e38  # that a 32-bit float holds
MOST_BYTES = 2**34  # of one file in a zip
LEFT_OUT = {"lock", OWNER, "commands.jsonl"}  # of no use away from who trains the run


def columns(metric: Metric) -> tuple[str, ...]:
    """Return the names of what is measured at every step and, the last half of them, at some; see `metrics_csv`.

    Example:
        >>> columns("F1")
        ('step', 'loss', 'learning_rate', 'seconds', 'F1', 'validation_loss', 'validation_F1')
        >>> columns("nats per symbol")[4:]
        ('perplexity', 'accuracy', 'validation_loss', 'validation_perplexity', 'validation_accuracy')
    """
    names = _names(metric)
    held_out = (f"validation_{name}" for name in ("loss", *names))
    return ("step", "loss", "learning_rate", "seconds", *names, *held_out)


def _names(metric: Metric) -> tuple[str, ...]:
    """Return the names of the measures beside a loss."""
    name = counted(metric).replace(" ", "_")
    return ("perplexity", name) if metric in LOSSES else (name,)


def _beside(metric: Metric, loss: float, score: float | None) -> tuple[float | None, ...]:
    """Return the values of those names; perplexity = exp(loss)."""
    return (perplexity(loss), score) if metric in LOSSES else (score,)


def metrics_csv(run: Run) -> str:
    """Return all metrics as CSV: a header, a line for each step, full precision, empty where not measured.

    step                 updates so far
    loss                 on the batch of the step, before the update, per scored position, in nats or as a squared error
    learning_rate        used for the update
    seconds              of the processor, in training so far
    perplexity           of a language model: exp(loss)
    exact_match, F1 ...  the task's metric under its own name, on the same batch (of a language model the accuracy, the
                         share of right arg-max outputs); like what follows, only where validation data was looked at
    validation_loss ...  the same on validation data, after the update
    spectrum_1 ...       of a task that has one: see `Task.spectrum`

    Raises:
        RunCorrupt: metrics.jsonl holds a line that no run writes.
    """
    metrics, metric = run.metrics(), run.config.task.metric
    n_frequencies = max((len(line.spectrum or ()) for line in metrics), default=0)
    nothing = (None,) * (1 + len(_names(metric)))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*columns(metric), *(f"spectrum_{number}" for number in range(1, n_frequencies + 1))])
    for line in metrics:
        held = line.validation
        train = _beside(metric, line.loss, line.accuracy)
        validation = nothing if held is None else (held.loss, *_beside(metric, held.loss, held.accuracy))
        spectrum = line.spectrum or (None,) * n_frequencies
        writer.writerow([line.step, line.loss, line.learning_rate, line.seconds, *train, *validation, *spectrum])
    return file.getvalue()


def model_files(run: Run, step: int | None = None) -> bytes:
    """Return the weights of a checkpoint as a safetensors file, as `pytorch_script` loads it.

    Args:
        step: one of `run.checkpoints()`; None: the last.

    Raises:
        RunCorrupt: there is no such checkpoint, or it cannot be read.
    """
    step = max(run.checkpoints(), default=0) if step is None else step
    run.network(step)  # not a byte leaves before it is known to be whole
    return run.checkpoint_path(step).read_bytes()


def tensorboard(run: Run, folder: Path) -> Path:
    """Write the metrics of a run as an event file for TensorBoard; the same run gives the same bytes.

    Scalars train/loss, train/learning_rate, train/exact_match (or what the task's metric is called, see
    `metrics_csv`), validation/loss and validation/exact_match, at the times they were measured (pauses left out), and
    the configuration as text, and the settings for the tab HPARAMS, by which runs are compared there.

    Args:
        folder: of event files, made when missing; `tensorboard --logdir` shows those of several runs in folders side
            by side.

    Returns:
        The file.

    Raises:
        RunCorrupt: metrics.jsonl holds a line that no run writes.
        OSError: the folder cannot be written to.
    """
    from tensorboardX.proto.event_pb2 import Event  # a second of import, for this alone
    from tensorboardX.proto.summary_pb2 import Summary
    from tensorboardX.record_writer import RecordWriter
    from tensorboardX.summary import hparams, text

    begin = datetime.fromisoformat(run.config.created).timestamp()
    metrics, metric = run.metrics(), run.config.task.metric
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events.out.tfevents.{begin:.0f}.{run.name}"
    config = json.dumps(run.config.to_dict(), ensure_ascii=False, indent=1)
    with closing(RecordWriter(str(path))) as writer:
        writer.write(Event(wall_time=begin, file_version="brain.Event:2").SerializeToString())
        summary = text("config", f"```json\n{config}\n```")
        writer.write(Event(wall_time=begin, step=0, summary=summary).SerializeToString())
        for summary in hparams(settings_of(run.config), dict.fromkeys(_measured(metrics, metric))):
            writer.write(Event(wall_time=begin, step=0, summary=summary).SerializeToString())
        for line in metrics:
            summary = Summary(
                value=[Summary.Value(tag=tag, simple_value=value) for tag, value in scalars(line, metric)]
            )
            writer.write(Event(wall_time=begin + line.seconds, step=line.step, summary=summary).SerializeToString())
    return path


def tensorboard_zip(run: Run) -> bytes:
    """Return the files that `tensorboard` writes as a zip, in a folder named after the run."""
    with TemporaryDirectory() as folder:
        path = tensorboard(run, Path(folder))
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, f"{run.name}/{path.name}")
    return file.getvalue()


def run_zip(run: Run) -> bytes:
    """Return the zip that `write_run_zip` writes, in memory."""
    file = io.BytesIO()
    write_run_zip(run, file)
    return file.getvalue()


def write_run_zip(run: Run, file: BinaryIO) -> None:
    """Write the whole folder of a run as a zip, file by file.

    resume.safetensors is in it: unpacked into another folder of runs, the run is there, and what is not done goes on.
    A run that is being trained is "interrupted" in the copy, for there nobody trains it. The claim and the commands
    are left out.

    Args:
        file: file to write to, from its beginning.

    Raises:
        RunCorrupt: state.json cannot be read, or a file is larger than any that a run writes.
        OSError: a file cannot be read, or the zip not be written.
    """
    state = run.state()
    if state.active:
        state = replace(state, state="interrupted")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(run):
            name = f"{run.name}/{path.relative_to(run.folder).as_posix()}"
            if (size := path.stat().st_size) > MOST_BYTES:
                raise RunCorrupt(run.name, path.name, Why("most-bytes", size=size, most=MOST_BYTES))
            if path.name == STATE:
                archive.writestr(name, json.dumps(replace(state, process=None).to_dict(), ensure_ascii=False, indent=1))
            else:
                with suppress(FileNotFoundError):  # a run that is resumed drops what comes again
                    archive.write(path, name)


def _files(run: Run) -> Iterator[Path]:
    """The files of a run, the state to resume from first: the others may be newer, then they are cut back to it."""
    first = [path for path in (run.resume_path, run.folder / CONFIG) if _is_own(path)]
    yield from first
    for path in sorted(run.folder.rglob("*")):
        named = not path.name.startswith(".") and path.name not in LEFT_OUT
        if named and path not in first and _is_own(path):
            yield path


def _is_own(path: Path) -> bool:
    """Whether a path is a file of the run's own: no folder, no pipe, no link out of it."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:  # it went, or cannot be read
        return False


def _measured(metrics: Sequence[Metrics], metric: Metric) -> list[str]:
    """Return the tags of the last validation, by which TensorBoard compares runs."""
    last = next((line for line in reversed(metrics) if line.validation is not None), None)
    return [tag for tag, _ in scalars(last, metric) if tag.startswith("validation/")] if last else []


def scalars(line: Metrics, metric: Metric) -> list[tuple[str, float]]:
    """Tags and values; what was not measured is left out, and what a 32-bit float cannot hold is infinite."""
    names = _names(metric)
    found: dict[str, float | None] = {"train/loss": line.loss, "train/learning_rate": line.learning_rate}
    found |= zip((f"train/{name}" for name in names), _beside(metric, line.loss, line.accuracy), strict=True)
    if held := line.validation:
        found["validation/loss"] = held.loss
        values = _beside(metric, held.loss, held.accuracy)
        found |= zip((f"validation/{name}" for name in names), values, strict=True)
    return [
        (tag, copysign(inf, value) if abs(value) > GREATEST else value)
        for tag, value in found.items()
        if value is not None
    ]
