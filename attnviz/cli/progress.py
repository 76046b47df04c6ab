"""How training goes, on a terminal as a bar, elsewhere as lines."""

from __future__ import annotations

import sys
import time
from typing import Protocol, Self

from tqdm import tqdm

from attnviz.training import Run, Step

__all__ = ["Bar", "Lines", "Progress"]


class Progress(Protocol):
    """Shows every step, from entering it to leaving it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def show(self, step: Step) -> None:
        """One more step was made."""


class Bar:
    """One line on the terminal: steps, time left, loss, and the metric when validation data was last looked at."""

    def __init__(self, run: Run) -> None:
        self.metric = run.config.task.metric
        self.score = ""
        self.bar = tqdm(total=run.config.training.steps, initial=run.state().step, unit=" steps", file=sys.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def show(self, step: Step) -> None:
        """Move on by one step."""
        if step.validation is not None:
            self.score = f", validation {self.metric} {step.validation.score(self.metric):.4f}"
        self.bar.set_postfix_str(f"loss {step.loss:.4f}{self.score}", refresh=False)
        self.bar.update(step.step - self.bar.n)


class Lines:
    """A line on standard output whenever validation data was looked at."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.start = time.process_time()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()

    def show(self, step: Step) -> None:
        """Print the step if there is something to say."""
        if step.validation is not None:
            metric, steps = self.run.config.task.metric, self.run.config.training.steps
            seconds = time.process_time() - self.start
            print(
                f"step {step.step:>6,}/{steps:,}  loss {step.loss:.4f} nats  "
                f"validation {metric} {step.validation.score(metric):.4f}  {seconds:.0f} CPU-s",
                flush=True,
            )
