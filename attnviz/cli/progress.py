"""Progress of training: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Self

from tqdm import tqdm

from attnviz.analysis.scores import rounded
from attnviz.tasks.base import LOSSES, Metric
from attnviz.training import Evaluation, Run, Step
from attnviz.training.engine.loop import perplexity

__all__ = ["Bar", "Lines", "told"]


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
            self.score = f", validation {told(step.validation, self.metric)}"
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
            unit = "squared error" if metric == "R2" else "nats"
            print(
                f"step {step.step:>6,}/{steps:,}  loss {step.loss:.4f} {unit}  "
                f"validation {told(step.validation, metric)}  {seconds:.0f} CPU-s",
                flush=True,
            )


def told(found: Evaluation, metric: Metric) -> str:
    """Return the task's metric under its name; beside a loss, the perplexity."""
    beside = f", perplexity {perplexity(found.loss):.3f}" if metric in LOSSES else ""
    return f"{metric} {rounded(found.score(metric), 4)}{beside}"
