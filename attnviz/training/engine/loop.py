"""The training loop, a generator of steps: whoever asks for the next step decides whether there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import exp, inf, isfinite
from typing import cast

import torch
from torch import Generator, Tensor, nn

from attnviz.errors import TrainingDiverged
from attnviz.models.network import Network
from attnviz.tasks.base import CHUNK, IGNORE, LOSSES, Batch, Metric, Split, Task, listed, seeded
from attnviz.training.engine.config import TrainConfig
from attnviz.training.engine.gradients import add_gradients, forward, loss_sum
from attnviz.training.engine.optimizer import AdamW, new_optimizer

__all__ = ["SAMPLES", "Evaluation", "Step", "TrainingState", "evaluate", "first_batch", "perplexity", "train"]

SAMPLES = 6  # validation sequences whose outputs are kept


@dataclass(frozen=True)
class Evaluation:
    """Results on data that was not trained on.

    Attributes:
        loss: per scored position: cross-entropy in nats, or the squared error of values.
        accuracy: the metric that `counted` names; see `Task.accuracy`.
        outputs: outputs for the first few sequences, where asked for: the arg-max at each scored position, in order; of
            values, the forecasts themselves, to four digits.
        n: sequences that were judged.
        tally: tally of all of them; see `Task.tally`.
    """

    loss: float
    accuracy: float
    outputs: tuple[tuple[float, ...], ...] = ()
    n: int = 0
    tally: tuple[float, ...] = ()

    def score(self, metric: Metric) -> float:
        """Return the value of a task's metric."""
        return self.loss if metric in LOSSES else self.accuracy

    def reaches(self, target: float, metric: Metric) -> bool:
        """Whether the metric is as good as the target: as high, or for a loss as low."""
        return self.loss <= target if metric in LOSSES else self.accuracy >= target


@dataclass(frozen=True)
class Step:
    """One update of the weights.

    Attributes:
        step: number of updates so far, from 1.
        loss: loss on the batch of this step, before the update, per scored position, in nats or as a squared error.
        learning_rate: used for the update.
        validation: after the update, at the interval of the configuration and at the last step, else None.
        accuracy: accuracy at the same steps, on the batch of this step, before the update; see `Task.accuracy`.
        spectrum: spectrum at the same steps, after the update, where the task has one; see `Task.spectrum`.
    """

    step: int
    loss: float
    learning_rate: float
    validation: Evaluation | None = None
    accuracy: float | None = None
    spectrum: tuple[float, ...] | None = None


@dataclass
class TrainingState:
    """All that changes while training, apart from the weights: with both, a run can go on where it was.

    Attributes:
        optimizer: AdamW with its moments.
        generator: generator of the training data.
        step: updates done.
        rate_factor: what the learning rate of the configuration is multiplied by; changed on the way.
    """

    optimizer: AdamW
    generator: Generator
    step: int = 0
    rate_factor: float = 1.0

    @classmethod
    def begin(cls, network: nn.Module, config: TrainConfig) -> TrainingState:
        """Return the state before the first step."""
        return cls(new_optimizer(network, config), seeded(config.seed, "train"))


def train(network: nn.Module, task: Task, config: TrainConfig, state: TrainingState | None = None) -> Iterator[Step]:
    """Train a network in place, one update for each step that is asked for.

    The data and the updates depend on the configuration alone: the same network trained with the same configuration
    has the same weights, bit for bit, on the same machine. A caller may stop at any step, and go on later with the
    same state.

    Args:
        network: the weights to change.
        task: where batches come from.
        config: steps, learning rate, seed ...
        state: state of a run that goes on; None: a new one.

    Yields:
        Each step after its update; the last one is `config.steps`, or the first whose validation reaches the target.

    Raises:
        TrainingDiverged: the loss is not a number any more.
    """
    state = state or TrainingState.begin(network, config)
    parameters = list(network.parameters())
    while state.step < config.steps:
        number = state.step + 1
        rate = config.rate(number) * state.rate_factor
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        if not network.training:  # telling every module costs as much as recording
            network.train()
        batch = task.sample(config.batch_size, state.generator)
        looking = number % config.validate_every == 0 or number == config.steps
        state.optimizer.zero_grad(set_to_none=True)
        loss, logits = add_gradients(network, batch)
        if not isfinite(loss):
            raise TrainingDiverged(number, loss, rate)
        if config.clip is not None:
            nn.utils.clip_grad_norm_(parameters, config.clip)
        state.optimizer.step()
        state.step = number
        step = Step(number, loss, rate)
        if looking:
            validation = evaluate(network, task, "validation", config.validation_size, config.seed, SAMPLES)
            accuracy = task.accuracy(logits, batch)
            step = replace(step, validation=validation, accuracy=accuracy, spectrum=_spectrum(network, task))
        yield step
        if step.validation and config.target and step.validation.reaches(config.target, task.metric):
            return


@torch.inference_mode()
def evaluate(network: nn.Module, task: Task, split: Split, n: int, seed: int = 0, samples: int = 0) -> Evaluation:
    """Return the loss and accuracy on n sequences of a split, always the same ones for a seed.

    Validation data decides when to stop; what is reported comes from "test", which decides nothing. A finite
    collection (see `Task.items`) is judged whole for a report, each item once; for validation, at most n of its items.

    Args:
        network: what is judged; its weights stay as they are.
        task: where the sequences come from.
        split: split to draw from.
        n: sequences.
        samples: keep the outputs for so many of the first ones.
    """
    network.eval()
    loss, n_scored = 0.0, 0
    tallies: list[Tensor] = []
    outputs: tuple[tuple[float, ...], ...] = ()
    judged = 0
    for batch in task.batches(n, seed, split):
        logits = forward(network, batch)
        if not judged and listed(task, split) is None:  # these are the first that were drawn
            outputs = _outputs(logits, batch, samples)
        loss += loss_sum(logits, batch).item()
        tallies.append(task.tally(logits, batch))
        n_scored += int((batch.targets != IGNORE).sum())
        judged += len(batch.tokens)
    if samples and not outputs:
        batch = _first_drawn(task, split, n, seed).rows(slice(samples))
        outputs = _outputs(forward(network, batch), batch, samples)
    tally = torch.stack(tallies).sum(0)
    return Evaluation(loss / n_scored, task.score(tally), outputs, judged, tuple(tally.tolist()))


def perplexity(loss: float) -> float:
    """Return exp(loss), the number of equally probable outputs with the same loss; infinite beyond floats.

    Example:
        >>> round(perplexity(0.389), 3), perplexity(1e9)
        (1.476, inf)
    """
    try:
        return exp(loss)
    except OverflowError:
        return inf


def first_batch(task: Task, config: TrainConfig) -> Batch:
    """Return the validation sequences that outputs are kept of, always the same ones for a seed."""
    return _first_drawn(task, "validation", config.validation_size, config.seed)


def _first_drawn(task: Task, split: Split, n: int, seed: int) -> Batch:
    return task.sample(min(CHUNK, n), seeded(seed, split), split)


def _outputs(logits: Tensor, batch: Batch, n: int) -> tuple[tuple[float, ...], ...]:
    """Return a network's logits for the first n sequences: (B, T, V)."""
    return tuple(_output(logits[row], batch, row) for row in range(min(n, len(logits))))


def _output(logits: Tensor, batch: Batch, row: int) -> tuple[float, ...]:
    """Return the network's answers at the scored positions of one sequence: classes, or values to four digits."""
    said = logits[batch.targets[row] != IGNORE]  # (n, V)
    if batch.values is None:
        return tuple(said.argmax(-1).tolist())
    return tuple(float(f"{value:.4g}") for value in said.flatten().tolist())


@torch.inference_mode()
def _spectrum(network: nn.Module, task: Task) -> tuple[float, ...] | None:
    spectrum = task.spectrum(cast(Network, network))
    return None if spectrum is None else tuple(spectrum.tolist())
