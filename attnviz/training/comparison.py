"""Six networks side by side: one task, one seed, one stream of data, about as many parameters.

Each is an ordinary run, trained by the queue as any other; runs that belong together have names that begin alike:
"compare-first-symbol-20260101-120000.50.lstm" is the LSTM of a comparison made at noon, at a distance of 50.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast, get_args

import torch
from torch import Generator, Tensor, nn

from attnviz.models.config import ModelConfig
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.cost import activation_bytes, flops_per_step, n_parameters
from attnviz.models.network import Network, build_network
from attnviz.models.recurrent_config import AnyConfig, Cell, RecurrentConfig
from attnviz.tasks import Batch, FirstSymbol, Task
from attnviz.tasks.base import LOSSES, Metric
from attnviz.training.engine.estimate import as_trained
from attnviz.training.engine.gradients import forward, loss_sum
from attnviz.training.recipes import RECIPES, Recipe
from attnviz.training.run.config import RunConfig
from attnviz.training.run.files import writing
from attnviz.training.run.folder import Run
from attnviz.training.run.runs import new_run, runs_root

__all__ = [
    "CONTENDERS",
    "DISTANCES",
    "STORIES",
    "Contender",
    "Curve",
    "Facts",
    "at_distance",
    "comparable",
    "configs",
    "contenders",
    "curve_of",
    "distance_of",
    "gradient_reach",
    "new_group",
    "place_of",
    "reach_at_start",
    "read_curves",
]

Contender = Literal["rnn", "lstm", "gru", "lstm-attention", "transformer", "cnn"]
CONTENDERS: tuple[Contender, ...] = get_args(Contender)
DISTANCES = (10, 20, 50, 100, 200)
"""Of the first symbol, where accuracy is compared over the distance."""

WIDEST = 1024
REACH_SIZE = 8  # sequences whose gradients are averaged
NAME = re.compile(rf"(?P<group>compare-.+?-\d{{8}}-\d{{6}}(?:-\d+)?)(?:\.\d+)?\.(?P<contender>{'|'.join(CONTENDERS)})")


STORIES: Mapping[str, Recipe] = {name: RECIPES[name] for name in ("first-symbol", "running-parity")}
"""The two tasks that tell most: the first is hard for recurrent networks, the second for a Transformer."""


def comparable() -> dict[str, Recipe]:
    """All recipes on whose task the six networks can be compared, by name; of those with the same task the first."""
    found = {**STORIES, **RECIPES}  # the two that tell most first
    first = {recipe.task: recipe for recipe in reversed(found.values())}
    return {name: recipe for name, recipe in found.items() if recipe is first[recipe.task]}


def contenders(recipe: Recipe) -> dict[Contender, AnyConfig]:
    """The six networks for a recipe's task; all others are as wide as makes them nearest to the Transformer.

    RNN, LSTM and GRU answer from their last state, or write on from it. "lstm-attention" is the LSTM again, but for how
    it answers: one answer for a whole sequence is read from all states by additive attention; a decoder reads its
    encoder's states by additive attention (Bahdanau's way); where every state reads those before it, scores are scaled
    dot products, which do not make T x T x d numbers. "cnn" is the task's dilated convolutional network: the maximum
    of its states answers for a whole sequence, but at the first symbol the last state, as with the others.

    Example:
        >>> found = contenders(STORIES["first-symbol"])
        >>> {name: n_parameters(model) for name, model in found.items()}
        {'rnn': 10891, 'lstm': 11459, 'gru': 10731, 'lstm-attention': 11243, 'transformer': 10987, 'cnn': 10659}
    """
    return _contenders(recipe.task, recipe.model)


@lru_cache(256)
def _contenders(task: Task, model: AnyConfig) -> dict[Contender, AnyConfig]:
    transformer = model if isinstance(model, ModelConfig) else task.model_config()
    base = model if isinstance(model, RecurrentConfig) else task.recurrent_config()
    whole = task.readout == "whole"
    base = replace(base, attention="none", pooling="last" if whole else "none")
    others: dict[Contender, RecurrentConfig | ConvolutionalConfig] = {
        cast(Contender, cell): replace(base, cell=cell) for cell in get_args(Cell)
    }
    crosses = task.architecture == "encoder-decoder"
    reads: dict[str, Any] = {"pooling": "additive"} if whole else {"attention": "additive" if crosses else "scaled_dot"}
    others["lstm-attention"] = replace(base, cell="lstm", **reads)
    others["cnn"] = model if isinstance(model, ConvolutionalConfig) else task.convolutional_config()
    size = n_parameters(transformer)
    return {name: _of_size(others[name], size) if name in others else transformer for name in CONTENDERS}


def _of_size(model: AnyConfig, size: int) -> AnyConfig:
    """Return the width, an even number, whose number of parameters is nearest to `size`: it rises with the width."""
    low, high = 1, WIDEST // 2
    while low < high:
        middle = (low + high) // 2
        if n_parameters(replace(model, d_model=2 * middle)) < size:
            low = middle + 1
        else:
            high = middle
    near = (replace(model, d_model=2 * half) for half in (low - 1, low) if half > 0)
    return min(near, key=lambda each: abs(n_parameters(each) - size))


def at_distance(recipe: Recipe, distance: int) -> Recipe:
    """Return the first symbol asked for after another number of steps.

    Raises:
        ConfigError: the task knows no such distance.
    """
    task = replace(cast(FirstSymbol, recipe.task), distance=distance)
    return replace(recipe, task=task, model=task.model_config())


def configs(recipe: Recipe, steps: int, seed: int) -> dict[Contender, RunConfig]:
    """Return the six runs of a comparison, with one training configuration for all.

    Batches are drawn by a generator that is seeded by the configuration alone and that no network draws from: every
    contender sees the same batches in the same order, and is judged on the same held-out sequences.

    Raises:
        ConfigError: a number of steps or a seed that is none.
    """
    training = replace(recipe.training, steps=steps, seed=seed)
    return {
        name: RunConfig(recipe.task, model, training, recipe=recipe.name) for name, model in contenders(recipe).items()
    }


def distance_of(task: Task) -> int:
    """Return the distance of the first-symbol task; 0 for other tasks."""
    return task.distance if isinstance(task, FirstSymbol) else 0


def new_group(recipes: Iterable[Recipe], steps: int, seed: int, root: Path | None = None, owner: str = "") -> list[Run]:
    """Make the runs of one comparison, six for each recipe; they are still to be submitted to a queue.

    Args:
        owner: see `Run.create`.

    Raises:
        ConfigError: a number of steps or a seed that is none, or it would take more memory than there is.
        RunUnwritable: a folder cannot be made.
    """
    made = {(recipe.name, distance_of(recipe.task)): configs(recipe, steps, seed) for recipe in recipes}
    root = root or runs_root()
    first = next(name for name, _ in made)
    base = f"compare-{first}-{datetime.now():%Y%m%d-%H%M%S}"
    group, number = base, 1
    with writing(group):
        while any(root.glob(f"{group}.*")):
            number += 1
            group = f"{base}-{number}"
    return [
        new_run(config, f"{group}{f'.{distance}' if distance else ''}.{name}", root, owner)
        for (_, distance), six in made.items()
        for name, config in six.items()
    ]


def place_of(name: str) -> tuple[str, Contender] | None:
    """Return the comparison and the contender that a run's name tells; None if it is part of none.

    Example:
        >>> place_of("compare-first-symbol-20260101-120000.50.lstm-attention")
        ('compare-first-symbol-20260101-120000', 'lstm-attention')
        >>> place_of("reverse-20260101-120000") is None
        True
    """
    found = NAME.fullmatch(name)
    return None if found is None else (found["group"], cast(Contender, found["contender"]))


@dataclass(frozen=True)
class Facts:
    """Cost of one training step of a contender, computed before it is taken.

    Attributes:
        parameters: trained numbers.
        flops: operations of the matrix products in one step.
        bytes: about what the forward pass keeps for the backward pass.
    """

    parameters: int
    flops: int
    bytes: int

    @classmethod
    def of(cls, config: RunConfig) -> Facts:
        """Compute the facts of a step on batches as long as the task's own."""
        model, batch_size = trained_shape(config.model, config.task), config.training.batch_size
        return cls(n_parameters(config.model), flops_per_step(model, batch_size), activation_bytes(model, batch_size))


@lru_cache(512)
def trained_shape(model: AnyConfig, task: Task) -> AnyConfig:
    """See `as_trained`, which draws sequences each time."""
    return as_trained(model, task)


@dataclass(frozen=True)
class Curve:
    """Held-out results of one contender.

    Attributes:
        contender: name of the contender.
        distance: distance of the first symbol; 0 for other tasks.
        seed: seed of first weights and data.
        steps: updates done at each look, rising.
        seconds: seconds of training so far, at each look.
        values: values of the task's metric, at each look.
    """

    contender: Contender
    distance: int
    seed: int
    steps: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    @property
    def last(self) -> float | None:
        """The metric at the last look; None before the first."""
        return self.values[-1] if self.values else None

    @property
    def seconds_per_step(self) -> float | None:
        """Seconds per step as measured, validation included; None before the first validation."""
        return self.seconds[-1] / self.steps[-1] if self.steps else None

    def best(self, metric: Metric) -> float | None:
        """Return the best value of the metric so far; of a loss the lowest."""
        return None if not self.values else min(self.values) if metric in LOSSES else max(self.values)


def curve_of(run: Run, contender: Contender) -> Curve:
    """Read a run's curve from its metrics so far.

    Raises:
        RunCorrupt: a line is none that a run writes.
    """
    task = run.config.task
    looks = [line for line in run.metrics() if line.validation is not None]
    return Curve(
        contender,
        distance_of(task),
        run.config.training.seed,
        tuple(line.step for line in looks),
        tuple(line.seconds for line in looks),
        tuple(line.validation.score(task.metric) for line in looks if line.validation is not None),
    )


def read_curves(path: Path) -> tuple[dict[str, Any], list[Curve]]:
    """Read the output of `python -m bench.recurrent --json`: how it was measured, and the curves."""
    measured: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return measured, [_curve(found) for found in measured.pop("curves")]


def _curve(found: Mapping[str, Any]) -> Curve:
    steps, seconds, values = (tuple(found[name]) for name in ("steps", "seconds", "values"))
    return Curve(found["contender"], found["distance"], found["seed"], steps, seconds, values)


def gradient_reach(network: Network, batch: Batch) -> Tensor:
    """Compute the gradient of the loss that reaches each token: mean over sequences of ||d loss / d x_t||.

    x_t is the embedding of token t where the network begins to read (the source of an encoder-decoder), the loss that
    of all answers of its sequence, in nats.

    Returns:
        (T,) of at least 0.

    Source:
        Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent
        neural networks", section 2.1.
    """
    stack = network.encoder or network.decoder
    assert stack is not None  # there is one or the other
    read: list[Tensor] = []

    def keep(module: nn.Module, given: Any, embedded: Tensor) -> None:
        read.append(embedded)  # (B, T, d)

    hook = stack.embedding.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            loss = loss_sum(forward(network, batch), batch)
    finally:
        hook.remove()
    gradient = torch.autograd.grad(loss, read[:1])[0]  # (B, T, d)
    norms: Tensor = gradient.norm(dim=-1)  # (B, T)
    return norms.mean(0)


@lru_cache(32)
def reach_at_start(recipe: Recipe, seed: int) -> dict[Contender, tuple[float, ...]]:
    """`gradient_reach` of the six networks before their first step, on some of their first sequences.

    In double precision: at long distances it is less than single precision can tell from 0.
    """
    batch = recipe.task.sample(REACH_SIZE, Generator().manual_seed(seed))
    found = contenders(recipe).items()
    return {name: tuple(gradient_reach(build_network(model, seed).double(), batch).tolist()) for name, model in found}
