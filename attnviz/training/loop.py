"""The training loop, a generator of steps: whoever asks for the next step decides whether there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from attnviz.errors import TrainingDiverged
from attnviz.models.transformer import Transformer
from attnviz.tasks.base import IGNORE, Batch, Metric, Split, Task
from attnviz.training.config import TrainConfig

__all__ = ["Evaluation", "Step", "TrainingState", "evaluate", "train"]

CHUNK = 128  # sequences evaluated at once
SEED_OFFSETS: dict[Split, int] = {"train": 0, "validation": 1_000_003, "test": 2_000_003}


@dataclass(frozen=True)
class Evaluation:
    """Results on data that was not trained on.

    Attributes:
        loss: cross-entropy in nats per scored position.
        accuracy: see `Task.accuracy`, 0 to 1.
    """

    loss: float
    accuracy: float

    def score(self, metric: Metric) -> float:
        """The value of a task's metric."""
        return self.loss if metric == "nats per symbol" else self.accuracy

    def reaches(self, target: float, metric: Metric) -> bool:
        """Whether the metric is as good as the target: as high, or for a loss as low."""
        return self.loss <= target if metric == "nats per symbol" else self.accuracy >= target


@dataclass(frozen=True)
class Step:
    """One update of the weights.

    Attributes:
        step: number of updates so far, from 1.
        loss: on the batch of this step, before the update, in nats per scored position.
        learning_rate: used for the update.
        validation: after the update, at the interval of the configuration and at the last step, else None.
    """

    step: int
    loss: float
    learning_rate: float
    validation: Evaluation | None = None


@dataclass
class TrainingState:
    """All that changes while training, apart from the weights: with both, a run can go on where it was.

    Attributes:
        optimizer: AdamW with its moments.
        generator: of the training data.
        step: updates done.
        rate_factor: what the learning rate of the configuration is multiplied by; changed on the way.
    """

    optimizer: torch.optim.AdamW
    generator: Generator
    step: int = 0
    rate_factor: float = 1.0

    @classmethod
    def begin(cls, network: Transformer, config: TrainConfig) -> TrainingState:
        """The state before the first step. Weight decay applies to matrices, not to biases and norms."""
        matrices = [p for p in network.parameters() if p.dim() >= 2]
        others = [p for p in network.parameters() if p.dim() < 2]
        groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(config.beta1, config.beta2))
        return cls(optimizer, _generator(config.seed, "train"))


def train(network: Transformer, task: Task, config: TrainConfig, state: TrainingState | None = None) -> Iterator[Step]:
    """Train a network in place, one update for each step that is asked for.

    The data and the updates depend on the configuration alone: the same network trained with the same configuration
    has the same weights, bit for bit, on the same machine. A caller may stop at any step, and go on later with the
    same state.

    Args:
        network: the weights to change.
        task: where batches come from.
        config: steps, learning rate, seed ...
        state: of a run that goes on; None: a new one.

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
        network.train()
        batch = task.sample(config.batch_size, state.generator)
        loss = _loss(_forward(network, batch), batch)
        if not isfinite(loss.item()):
            raise TrainingDiverged(number, loss.item(), rate)
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, config.clip)
        state.optimizer.step()
        state.step = number
        step = Step(number, loss.item(), rate)
        if number % config.validate_every == 0 or number == config.steps:
            step = replace(step, validation=evaluate(network, task, "validation", config.validation_size, config.seed))
        yield step
        if step.validation and config.target and step.validation.reaches(config.target, task.metric):
            return


@torch.inference_mode()
def evaluate(network: Transformer, task: Task, split: Split, n: int, seed: int = 0) -> Evaluation:
    """Loss and accuracy on n sequences of a split, always the same ones for a seed.

    Validation data decides when to stop; what is reported comes from "test", which decides nothing.
    """
    network.eval()
    generator = _generator(seed, split)
    loss = accuracy = 0.0
    n_scored = 0
    for start in range(0, n, CHUNK):
        size = min(CHUNK, n - start)
        batch = task.sample(size, generator, split)
        logits = _forward(network, batch)
        scored = int((batch.targets != IGNORE).sum())
        weight = size if task.metric == "exact match" else scored
        loss += _loss(logits, batch).item() * scored
        accuracy += task.accuracy(logits, batch) * weight
        n_scored += scored
    return Evaluation(loss / n_scored, accuracy / (n if task.metric == "exact match" else n_scored))


def _generator(seed: int, split: Split) -> Generator:
    return Generator().manual_seed(seed + SEED_OFFSETS[split])


def _forward(network: Transformer, batch: Batch) -> Tensor:
    logits: Tensor = network(
        batch.tokens, batch.source, padding=batch.padding, source_padding=batch.source_padding
    )  # (B, T, V)
    return logits


def _loss(logits: Tensor, batch: Batch) -> Tensor:
    """Mean cross-entropy over the scored positions: (B, T, V) -> ()."""
    return F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORE)
