"""Training a run: the loop's steps, written to its folder while commands are obeyed."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from math import isfinite, log, nan
from pathlib import Path
from typing import cast

import torch

from attnviz.bounded import reason
from attnviz.errors import RunTaken, RunUnwritable, TrainingDiverged
from attnviz.models.recurrent_config import AnyConfig
from attnviz.training.engine.divergence import LossWatch
from attnviz.training.engine.loop import Step, TrainingState, train
from attnviz.training.engine.memory import check_memory
from attnviz.training.run.control import Command, Control
from attnviz.training.run.files import write_atomically
from attnviz.training.run.folder import Metrics, Run
from attnviz.training.run.lease import Lease
from attnviz.training.run.probe import attention_weights
from attnviz.training.run.process import ProcessId
from attnviz.training.run.resume import ResumeWriter, load_resume, save_weights
from attnviz.training.run.state import Phase, RunState
from attnviz.training.run.timeline import TimelineWriter

__all__ = ["Work", "in_turns", "is_milestone", "milestones", "record"]

Work = Generator[float, None, RunState]
"""A run that is being trained: it gives way after every step, and says for how many seconds it has nothing to do."""

POLL_SECONDS = 0.02  # between two looks for commands while a run is paused or slow
SHARE = 20  # times as long as they take to write, a run goes on before they are written again
NOTE_SECONDS = 1.0  # between two notes of the step that a run is at


def record(run: Run, control: Control | None = None, on_step: Callable[[Step], None] | None = None) -> RunState:
    """Train a run to its end, its target or a command to stop, from where it was, on one thread.

    The weights at every step depend on the configuration and on the commands alone: a run that was stopped or killed
    and is recorded again has the same ones, bit for bit, as one that went through (on the same machine).

    Args:
        run: new, stopped, interrupted or failed; one that is done is left as it is.
        control: where commands come from, usually `run.commands`; None: nobody has a say.
        on_step: is shown every step after it was written.

    Returns:
        The last state: "done" or "stopped".

    Raises:
        ConfigError: it would take more memory than there is for it.
        RunBusy: another process trains it.
        RunCorrupt: what it is to be resumed from cannot be read.
        RunTaken: another process has taken it over, for this one was silent: nothing was written since.
        RunUnwritable: the disk is full, or the folder cannot be written to; what is there stays readable.
        TrainingDiverged: the loss ran away; the state says so, the last good checkpoint is kept.
    """
    with _one_thread(), torch.random.fork_rng(devices=[]), closing(in_turns(run, control, on_step)) as work:
        while True:
            try:
                wait = next(work)
            except StopIteration as end:
                return cast(RunState, end.value)
            if wait:
                time.sleep(wait)


def in_turns(
    run: Run, control: Control | None = None, on_step: Callable[[Step], None] | None = None, left: int = 0
) -> Work:
    """Train a run as `record` does, in a process that others train in as well: whoever asks decides when it goes on.

    torch must use one thread. Its own generator, from which dropout draws, may be used by others while this one gives
    way: the run has the same weights, bit for bit, as one that is trained alone. A run that is closed before its end is
    interrupted.

    Args:
        run: as for `record`.
        control: as for `record`.
        on_step: as for `record`.
        left: number of the lease that its holder leaves to this process; 0 for none.

    Yields:
        After each step 0; while it is paused or slowed down the seconds for which it has nothing to do.
    """
    with run.claimed(left) as lease:
        before = run.state()
        if before.state == "done":
            return before
        try:
            return (yield from _Recorder(run, lease, control, on_step).go())
        except RunTaken:  # the run is somebody else's now
            raise
        except OSError as error:
            unwritable = RunUnwritable(run.name, reason(error))
            with suppress(OSError):  # the disk may have no room for this either; the caller gets the error
                _fail(run, lease, unwritable)
            raise unwritable from error
        except (KeyboardInterrupt, GeneratorExit):
            with suppress(RunTaken):
                lease.check()
                _end(run, "interrupted")
            raise
        except Exception as error:
            _fail(run, lease, error)
            raise


def is_milestone(step: int) -> bool:
    """Whether a checkpoint is kept of a step: 0, 1, 2, 5, 10, 20, 50, 100 ..., dense where attention forms.

    Example:
        >>> [step for step in range(1001) if is_milestone(step)]
        [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    """
    return str(step).rstrip("0") in ("", "1", "2", "5")


def milestones(steps: int) -> int:
    """Return how many steps before a number of steps are milestones.

    Example:
        >>> milestones(1), milestones(6), milestones(1001)
        (1, 4, 11)
    """
    return 1 + sum(int(digit + "0" * power) < steps for power in range(len(str(steps))) for digit in "125")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums in another order round otherwise: with one thread, whoever trains a run computes the same numbers."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Lines:
    """Appends lines to a file; closed every NOTE_SECONDS, for then a network file system shows them to others."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open()

    def _open(self) -> None:
        self._file = self._path.open("ab")
        self._opened = time.monotonic()

    def write(self, line: bytes) -> None:
        self._file.write(line)
        self._file.flush()
        if time.monotonic() > self._opened + NOTE_SECONDS:
            self.close()
            self._open()

    def close(self) -> None:
        self._file.close()


class _Recorder:
    """One process's work on one run."""

    def __init__(self, run: Run, lease: Lease, control: Control | None, on_step: Callable[[Step], None] | None) -> None:
        self.run, self.lease, self.control, self.on_step = run, lease, control, on_step
        self.config = run.config.training
        check_memory(run.config.model, self.config.batch_size, run.config.task)
        self.network = run.config.task.build(run.config.model, self.config.seed)
        self.probe = run.probe()
        self.attends = bool(attention_weights(self.network, self.probe[0]))
        self.resumed = run.resume_path.exists()
        if self.resumed:
            resumed = load_resume(run.resume_path, self.network, self.config)
            self.state, self.seconds = resumed.state, resumed.seconds
            torch.set_rng_state(resumed.global_generator)
        else:
            self.state, self.seconds = TrainingState.begin(self.network, self.config), 0.0
            torch.manual_seed(self.config.seed)
        self.kept = [line for line in run.metrics() if line.step <= self.state.step]
        self.looks = [line.validation.loss for line in self.kept if line.validation]
        self.saved_at = self.saving_took = 0.0
        self.watch = LossWatch(_loss_of_knowing_nothing(run.config.model))
        for line in self.kept:
            self.watch.see(line.loss)
        self.saved = ResumeWriter(run.resume_path, self.state)
        self.process = ProcessId.current()
        self.begun = False
        self.paused = False
        self.single_steps = 0
        self.until: Command | None = None
        self.seconds_per_step = 0.0  # at least
        self.last_step = time.monotonic()
        self.noted: Phase | None = None
        self.noted_at = 0.0

    def go(self) -> Work:
        try:
            return (yield from self._train())
        except TrainingDiverged:
            if not self.watch.learned:  # weights thrown about by too high a rate learn badly: begin again
                self.lease.check()
                self.run.resume_path.unlink(missing_ok=True)
            raise

    def _train(self) -> Work:
        self._forget_what_comes_again()
        if not self.resumed:
            self._keep_weights()
            self._keep_attention()
            self._save()
        task = self.run.config.task
        steps = (
            iter(())
            if self._target_reached() or self._is_stale()
            else train(self.network, task, self.config, self.state)
        )
        outcome: Phase = "done"
        with closing(_Lines(self.run.metrics_path)) as metrics:
            while True:
                if not (yield from self._obey()):
                    outcome = "stopped"
                    break
                begin = time.thread_time()
                step = next(steps, None)
                if step is None:
                    break
                self._check(step)
                self.seconds += time.thread_time() - begin
                self.lease.check()
                metrics.write(Metrics.of(step, self.seconds).to_line())
                self._keep(step)
                if self._is_stale():
                    break
                yield from self._give_way()
        self._save()
        self._keep_weights()
        self._keep_attention()
        return self._note(outcome, by=self._until_by() if outcome == "stopped" else "")

    def _forget_what_comes_again(self) -> None:
        """Drop what was recorded after the saved state: the same steps are about to be made again."""
        self.lease.check()
        self.timeline = TimelineWriter(self.run.timeline_path, self.state.step)
        write_atomically(self.run.metrics_path, b"".join(line.to_line() for line in self.kept))  # last: see run.py
        for step in self.run.checkpoints():
            if step > self.state.step:
                self.run.checkpoint_path(step).unlink()

    def _target_reached(self) -> bool:
        last = self.kept[-1].validation if self.kept else None
        return bool(last and self.config.target and last.reaches(self.config.target, self.run.config.task.metric))

    def _is_stale(self) -> bool:
        """Whether validation data has shown nothing better for as long as the run is to wait."""
        best = self.looks.index(min(self.looks)) if self.looks else 0
        return self.config.patience is not None and len(self.looks) - best > self.config.patience

    def _give_way(self, seconds: float = 0.0) -> Generator[float]:
        """Let others have the process, and torch's own generator."""
        mine = torch.get_rng_state()
        yield seconds
        torch.set_rng_state(mine)

    def _obey(self) -> Generator[float, None, bool]:
        """Do as told, wait while paused; False when the run is to stop."""
        while True:
            for command in self.control.poll() if self.control else ():
                if command.name == "stop":
                    return False
                if command.name == "learning_rate":
                    assert command.value is not None  # the command saw to it
                    self.state.rate_factor = command.value / self.config.learning_rate
                    self._save()
                elif command.name == "until":
                    self.until = command
                elif command.name == "speed":
                    self.seconds_per_step = 1 / command.value if command.value else 0.0
                else:
                    self.paused = command.name != "resume"
                    self.single_steps += command.name == "step" and self.begun  # else it was taken before a crash
            self.begun = True
            if self._is_until():
                return False
            if not self.paused:
                self._note_once("running")
                wait = self.last_step + self.seconds_per_step - time.monotonic()
                if self.seconds_per_step == 0 or wait <= 0:
                    self.last_step = time.monotonic()
                    return True
                yield from self._give_way(min(wait, POLL_SECONDS))
                continue
            if self.single_steps:
                self.single_steps -= 1
                self.noted = None  # the step in state.json is about to be old
                return True
            if self.noted != "paused":
                self._save()
            self._note_once("paused")
            yield from self._give_way(POLL_SECONDS)

    def _is_until(self) -> bool:
        """Whether the run has come as far as it was told, and would go on."""
        value = None if self.until is None else self.until.value
        return value is not None and value <= self.state.step < self.config.steps

    def _until_by(self) -> str:
        """Return who told the run to come as far as it has come; "" where that is not why it stops."""
        return self.until.by if self.until is not None and self._is_until() else ""

    def _check(self, step: Step) -> None:
        """Stop a run whose loss runs away: it will not come back."""
        self.watch.see(step.loss)
        validated = step.loss if step.validation is None else step.validation.loss
        if self.watch.diverged or not isfinite(validated):
            raise TrainingDiverged(step.step, step.loss if isfinite(validated) else validated, step.learning_rate)

    def _keep(self, step: Step) -> None:
        milestone = is_milestone(step.step)
        if step.validation is not None:
            self.looks.append(step.validation.loss)
        best = self.config.patience is not None and step.validation and self.looks[-1] == min(self.looks)
        if milestone or best:
            self._keep_weights()
        recording = step.step % self.run.config.recording.every == 0
        if milestone or recording:
            self._keep_attention()
        if recording:
            if not self.saved.large or time.monotonic() > self.saved_at + SHARE * self.saving_took:
                self._save(force=False)
            if time.monotonic() > self.noted_at + NOTE_SECONDS:
                self._note(self.noted or "running", force=False)
        if self.on_step:
            self.on_step(step)

    def _keep_weights(self) -> None:
        self.lease.check()
        path = self.run.checkpoint_path(self.state.step)
        if not path.exists():
            save_weights(path, self.network)

    def _keep_attention(self) -> None:
        self.lease.check()
        if self.attends and self.timeline.last_step != self.state.step:
            self.timeline.append(self.state.step, [attention_weights(self.network, batch) for batch in self.probe])

    def _save(self, force: bool = True) -> None:
        """Write what to resume from; of a run that is running away, what was written before stays."""
        if not self.watch.sane:
            return
        self.lease.check()
        begin = time.monotonic()
        try:
            self.saved.save(self.seconds, force)
            self.saved_at = time.monotonic()
            self.saving_took = self.saved_at - begin
        except FloatingPointError as error:
            rate = self.config.rate(self.state.step) * self.state.rate_factor
            raise TrainingDiverged(self.state.step, nan, rate) from error

    def _note_once(self, state: Phase) -> None:
        if self.noted != state:
            self._note(state)

    def _note(self, state: Phase, force: bool = True, by: str = "") -> RunState:
        self.noted, self.noted_at = state, time.monotonic()
        process = self.process if state in ("running", "paused") else None
        noted = RunState(state, self.state.step, process, by=by)
        self.lease.check()
        self.run.write_state(noted, force)
        return noted


def _loss_of_knowing_nothing(model: AnyConfig) -> float:
    """Return the loss of a uniform guess; for values the variance, to which tasks give the value 1."""
    return 1.0 if model.predicts == "values" else log(model.output_size)


def _end(run: Run, state: Phase) -> None:
    run.write_state(RunState(state, run.last_step()))


def _fail(run: Run, lease: Lease, error: Exception) -> None:
    lease.check()
    run.write_state(RunState.failed(error, run.last_step()))
