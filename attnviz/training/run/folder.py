"""A training run: a folder anyone can read.

folder/
  config.json                       format version, task, model, training, recording, created
  state.json                        where it stands, and which process looks after it
  metrics.jsonl                     one object a step: step, loss, learning_rate, seconds; at some also accuracy (of the
                                    step's batch), validation: loss, accuracy, outputs (see `Run.samples`), spectrum
  checkpoints/step-000100.safetensors   weights, on a log-spaced schedule and at the last step
  resume.safetensors                weights, moments and generators: from here it goes on
  attention.bin                     every head's weights on the probe sequences (see timeline.py)
  commands.jsonl                    what the run was told while it is training, and as what it was said
  owner.json                        who started it in a browser, as a hash
  .lease-7                          who works on it now (see lease.py)

A run that is resumed drops what comes again: first from attention.bin, then it replaces metrics.jsonl by a new file, so
that who reads along sees from the file's number (inode) that it has to begin anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from torch import nn

from attnviz.bounded import MALFORMED, open_regular, parse_json, read_bytes, read_json, reason
from attnviz.errors import RunCorrupt, RunNotFound, RunUnwritable
from attnviz.errors.base import Why
from attnviz.models.network import blank_network
from attnviz.models.tuned_config import TunedConfig
from attnviz.tasks.base import Batch
from attnviz.training.engine.loop import SAMPLES, Evaluation, Step, first_batch
from attnviz.training.engine.memory import check_memory
from attnviz.training.run.config import RunConfig
from attnviz.training.run.control import CommandFile
from attnviz.training.run.files import move_folder, why_unwritable, write_json, writing
from attnviz.training.run.lease import Lease, claim, looked_after
from attnviz.training.run.probe import probe_sequences, sequences
from attnviz.training.run.resume import check_weights, load_weights
from attnviz.training.run.state import RunState
from attnviz.training.run.timeline import Timeline

__all__ = ["Metrics", "Run", "owner_of"]

CONFIG, STATE, CHECKPOINTS, OWNER = "config.json", "state.json", "checkpoints", "owner.json"
NEW = ".new-"
"""Begins the hidden name of a run that is being made."""
CHECKPOINT = re.compile(r"step-(\d{6}|[1-9]\d{6,11})\.safetensors", re.ASCII)
MOST_METRICS = 2**29  # bytes of metrics.jsonl: of a million steps they are a third
MOST_STEPS = 2**53  # that JavaScript counts to
MOST_NUMBER = 1e300
TAIL = 2**18  # bytes that hold a line of any task


@dataclass(frozen=True)
class Metrics:
    """One line of metrics.jsonl.

    Attributes:
        step: number of updates so far.
        loss: loss in nats per scored position, on the batch of this step.
        learning_rate: used for the update.
        seconds: processor seconds of training so far, however busy the machine was.
        validation: validation on data that is not trained on, where it was looked at.
        accuracy: there also: on the batch of this step.
        spectrum: there also, of a task that has one.
    """

    step: int
    loss: float
    learning_rate: float
    seconds: float
    validation: Evaluation | None = None
    accuracy: float | None = None
    spectrum: tuple[float, ...] | None = None

    @classmethod
    def of(cls, step: Step, seconds: float) -> Metrics:
        """Return the metrics of a step."""
        return cls(**vars(step), seconds=seconds)

    def to_line(self) -> bytes:
        """Write the metrics as one line of JSON."""
        values = {name: value for name, value in vars(self).items() if value is not None}
        if self.validation is not None:
            values["validation"] = {name: getattr(self.validation, name) for name in ("loss", "accuracy", "outputs")}
        return json.dumps(values).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Metrics:
        """Read the metrics from one line of JSON.

        Raises:
            MALFORMED: it is none of ours; see bounded.py.
        """
        values: dict[str, Any] = parse_json(line)
        _check_numbers(values, ("loss", "learning_rate", "seconds", "accuracy"))
        if type(values.get("step")) is not int or not 0 <= values["step"] <= MOST_STEPS:
            raise ValueError(f"step is {str(values.get('step'))[:40]!r}, no number of a step")
        if (validation := values.get("validation")) is not None:
            _check_numbers(validation, ("loss", "accuracy"))
            outputs = tuple(_numbers("outputs", row) for row in validation.pop("outputs", ()))
            values["validation"] = Evaluation(**validation, outputs=outputs)
        if (spectrum := values.get("spectrum")) is not None:
            values["spectrum"] = _numbers("spectrum", spectrum)
        return cls(**values)


def owner_of(folder: Path) -> str:
    """Return the owner of the run in a folder, see `Run.owner`, also of one that cannot be opened."""
    try:
        return str(read_json(folder / OWNER, strict=True)["owner"])
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except MALFORMED:
        return "?"  # is nobody's hash: what was damaged is not everybody's


def _link_or_copy(source: str, target: str) -> None:
    """Give a file another name, where the disk can; else copy it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _numbers(name: str, values: Sequence[Any]) -> tuple[Any, ...]:
    for value in values:
        _check_numbers({name: value}, (name,))
    return tuple(values)


def _check_numbers(values: dict[str, Any], names: Sequence[str]) -> None:
    """Refuse what is no number, or none that a float can hold; what is missing is refused by who needs it."""
    for name in names:
        value = values.get(name, 0.0)
        optional = value is None and name == "accuracy"
        if not optional and (type(value) not in (int, float) or (type(value) is int and abs(value) > MOST_NUMBER)):
            raise ValueError(f"{name} is {str(value)[:40]!r}, no number")


@dataclass(frozen=True)
class Run:
    """A run in its folder; reading it disturbs nobody who writes it.

    Attributes:
        folder: folder that holds it; its name is the name of the run.
        config: what it computes.
    """

    folder: Path
    config: RunConfig

    @classmethod
    def create(cls, folder: Path, config: RunConfig, owner: str = "") -> Run:
        """Make the folder of a new run, to be trained by `record` or given to a queue.

        It is made under another name and moved: of many who ask for one name at once, one gets it, and nobody ever
        meets half of a run.

        Args:
            owner: hash of who may steer it in a browser; "" for everybody.

        Raises:
            RunExists: there is such a folder, with something in it.
            RunUnwritable: it cannot be made.
            ConfigError: it would take more memory than there is for it.
        """
        check_memory(config.model, config.training.batch_size, config.task)
        hidden = folder.with_name(f"{NEW}{uuid4().hex}.tmp")  # is no name of a run
        try:
            with writing(folder.name):
                (hidden / CHECKPOINTS).mkdir(parents=True)
                cls(hidden, config).write_state(RunState("stopped"))
                write_json(hidden / CONFIG, config.to_dict())
                for name, content in config.task.files().items():
                    if isinstance(content, Path):
                        shutil.copytree(content, hidden / name, copy_function=_link_or_copy)
                    else:
                        (hidden / name).write_bytes(content)
                if owner:
                    write_json(hidden / OWNER, {"owner": owner})
                move_folder(hidden, folder)
        finally:
            shutil.rmtree(hidden, ignore_errors=True)
        config.task.settle(folder)
        return cls(folder, config)

    @classmethod
    def open(cls, folder: Path) -> Run:
        """Open a run.

        Raises:
            RunNotFound: there is no config.json there.
            RunCorrupt: it was edited into something that cannot be, or written by a newer version.
        """
        try:
            run = cls(folder, RunConfig.from_dict(read_json(folder / CONFIG, strict=True)))
            run.config.task.settle(folder)
            return run
        except (FileNotFoundError, NotADirectoryError) as error:
            raise RunNotFound(folder.name) from error
        except MALFORMED as error:
            raise RunCorrupt(folder.name, CONFIG, reason(error)) from error

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def metrics_path(self) -> Path:
        """Path of metrics.jsonl."""
        return self.folder / "metrics.jsonl"

    @property
    def timeline_path(self) -> Path:
        """Path of attention.bin."""
        return self.folder / "attention.bin"

    @property
    def resume_path(self) -> Path:
        """Path of resume.safetensors."""
        return self.folder / "resume.safetensors"

    @property
    def owner(self) -> str:
        """Hash of who may steer the run in a browser; "" for everybody."""
        return owner_of(self.folder)

    @property
    def commands(self) -> CommandFile:
        """File of commands to the run: `run.commands.send("pause")`."""
        return CommandFile(self.folder / "commands.jsonl")

    def state(self, claimed: bool = False) -> RunState:
        """State of the run; "interrupted", at its last recorded step, when its process is gone, and "failed" while its
        folder cannot be written to.

        Args:
            claimed: the caller has claimed it: nobody else is at work on it, whatever state.json says.

        Raises:
            RunCorrupt: state.json was edited into something that cannot be, or is missing.
        """
        noted = self.noted_state()
        if not noted.active or (not claimed and looked_after(self.folder, noted)):
            return noted
        step = noted.step if noted.state == "queued" else self.last_step()  # state.json is written now and then
        if problem := why_unwritable(self.folder):  # whoever was at work could not even say so
            return RunState.failed(RunUnwritable(self.name, problem), step)
        return replace(noted, state="interrupted", step=step, process=None)

    def noted_state(self) -> RunState:
        """Read state.json, whether or not the process that wrote it is still there.

        Raises:
            RunCorrupt: see `state`.
        """
        try:
            return RunState.from_dict(read_json(self.folder / STATE, strict=True))
        except MALFORMED as error:
            raise RunCorrupt(self.name, STATE, reason(error)) from error

    def last_step(self) -> int:
        """Return the last step that metrics.jsonl tells of; 0 before the first. Reads the end of the file alone."""
        try:
            with open_regular(self.metrics_path) as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
                lines = file.read().split(b"\n")[:-1]  # what follows the last line break is still being written
        except OSError:  # there is none that can be read
            return 0
        for line in reversed(lines):
            with suppress(*MALFORMED):
                return Metrics.from_line(line).step
        return 0

    def write_state(self, state: RunState, force: bool = True) -> None:
        """Replace state.json, atomically; see `files.write_atomically`.

        Raises:
            OSError: the disk is full, or the folder cannot be written to.
        """
        write_json(self.folder / STATE, state.to_dict(), force)

    def metrics(self) -> list[Metrics]:
        """Return every step so far; a last line that was not written to its end is left out.

        Raises:
            RunCorrupt: another line is not one that a run writes.
        """
        try:
            lines = read_bytes(self.metrics_path, MOST_METRICS).split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise RunCorrupt(self.name, self.metrics_path.name, reason(error)) from error
        found: list[Metrics] = []
        for number, line in enumerate(lines, 1):
            try:
                found.append(Metrics.from_line(line))
            except MALFORMED as error:
                raise RunCorrupt(
                    self.name, self.metrics_path.name, Why("line", line=number, reason=reason(error))
                ) from error
        return found

    def checkpoint_path(self, step: int) -> Path:
        """Return the path of a step's weights, whether or not they were kept."""
        return self.folder / CHECKPOINTS / f"step-{step:06}.safetensors"

    def checkpoints(self) -> list[int]:
        """Return the steps whose weights were kept, rising."""
        try:
            names = os.listdir(self.folder / CHECKPOINTS)
        except OSError:  # there are none that can be opened
            return []
        return sorted(int(match[1]) for name in names if (match := CHECKPOINT.fullmatch(name)))

    def network(self, step: int) -> nn.Module:
        """Return the network as it was at one of `checkpoints()`.

        Raises:
            RunCorrupt: there is no such checkpoint, or it cannot be read.
        """
        path, model = self.checkpoint_path(step), self.config.model
        if not isinstance(model, TunedConfig):
            check_weights(path, blank_network(model))  # before there is memory for them
        network = self.config.task.build(model, self.config.training.seed)
        load_weights(path, network)
        return network

    def best_step(self) -> int | None:
        """Return the checkpoint to answer with: of a run that stops early the best one, else the last; None: no one.

        Raises:
            RunCorrupt: metrics.jsonl cannot be read.
        """
        kept = self.checkpoints()
        if not kept or self.config.training.patience is None:
            return max(kept, default=None)
        losses = {line.step: line.validation.loss for line in self.metrics() if line.validation}
        return min((step for step in kept if step in losses), key=losses.__getitem__, default=kept[-1])

    def model(self, step: int) -> Any:
        """Return a checkpoint as a model to look into: a `SequenceModel`, or of a tuned one a `HuggingFaceModel`.

        Raises:
            RunCorrupt: there is no such checkpoint, or it cannot be read.
        """
        network, title = self.network(step).eval().requires_grad_(False), f"{self.name}, step {step:,}"
        origin = {"recipe": self.config.recipe, "seed": self.config.training.seed}
        return self.config.task.bundle(network, name=self.name, title=title, **origin)

    def probe(self) -> Sequence[Batch]:
        """Return the sequences on which attention is watched, each a batch of one without padding."""
        return probe_sequences(self.config.task, self.config.recording.sequences, self.config.recording.seed)

    def samples(self) -> Sequence[Batch]:
        """Return the sequences to which `Evaluation.outputs` are the answers, each a batch of one without padding."""
        return sequences(first_batch(self.config.task, self.config.training), SAMPLES)

    def timeline(self) -> Timeline:
        """Return the snapshots of attention so far.

        Raises:
            RunCorrupt: the file is not a timeline of this version.
        """
        return Timeline(self.timeline_path)

    def claimed(self, left: int = 0) -> Lease:
        """Be the only one who trains this run, until the lease is released or the process ends, however it ends.

        Args:
            left: number of the lease that its holder leaves to this process; 0 for none.

        Raises:
            RunBusy: somebody else does.
            RunNotFound: the folder is gone.
            RunUnwritable: the folder cannot be written to.
        """
        return claim(self.folder, left)
