"""Measure the cost of a training step: `python -m bench.training`.

Our step against a plain PyTorch loop of the same shape (bench/plain_loop.py): the same batch of stories, always, one
thread, both with clipped gradients. Recording: the steps of a run in a folder, with a snapshot of attention, a saved
state and a line of metrics, against the same steps without. CPU time of this process, taking turns. Then a run that is
trained beside the app, see bench/live.py.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from torch import Generator

from attnviz.models import ModelConfig, build_network
from attnviz.tasks import Batch, Split, Stories
from attnviz.training import Recording, Run, RunConfig, Step, TrainConfig, record, train
from bench import live
from bench.common import Figure, alternate, ratio, report
from bench.plain_loop import GPT, plain_steps

BATCH = 64
EVERY = 10  # steps between two snapshots
FOREVER = TrainConfig(steps=10**6, batch_size=BATCH, validate_every=10**6, warmup_steps=0, learning_rate=1e-3)


@dataclass(frozen=True)
class SameStories(Stories):
    """Always the same batch, drawn before: what drawing costs is no part of a step."""

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        return _drawn(self.length)


@cache
def _drawn(length: int) -> Batch:
    return Stories(length=length).sample(BATCH, Generator().manual_seed(0))


def shape(length: int, d_model: int, n_layers: int) -> tuple[SameStories, ModelConfig]:
    """Return a decoder with four heads, and stories of the length that it reads."""
    task = SameStories(length=length)
    vocab_size = task.tokenizer.vocab_size
    return task, ModelConfig(
        "decoder", vocab_size, length, d_model=d_model, n_heads=4, n_layers=n_layers, d_ff=4 * d_model
    )


def step_over_plain(length: int, d_model: int, n_layers: int, rounds: int) -> float:
    """CPU time of our step over that of the plain loop."""
    task, config = shape(length, d_model, n_layers)
    network = build_network(config, seed=0)
    plain = GPT(config.vocab_size, length, d_model, config.n_heads, n_layers)
    assert network.n_parameters == sum(p.numel() for p in plain.parameters())
    batch = _drawn(length)
    steps = {"ours": train(network, task, FOREVER), "plain": plain_steps(plain, batch.tokens, batch.targets)}
    calls: dict[str, Callable[[], object]] = {name: lambda it=it: next(it) for name, it in steps.items()}
    return ratio(alternate(calls, rounds), "ours", "plain")


def recorded_over_bare(intervals: int) -> float:
    """CPU time of steps that are recorded over that of the same steps without; the first intervals are left out.

    The run is interrupted after each interval, by its own callback, for as many steps of the bare loop.
    """
    task, config = shape(64, 64, 2)
    training = replace(FOREVER, steps=EVERY * (intervals + 2))
    bare = train(build_network(config, seed=0), task, FOREVER)
    ratios: list[float] = []
    start = time.process_time()

    def on_step(step: Step) -> None:
        nonlocal start
        if step.step % EVERY == 0:
            recorded = time.process_time()
            for _ in range(EVERY):
                next(bare)
            end = time.process_time()
            ratios.append((recorded - start) / (end - recorded))
            start = time.process_time()

    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder) / "run", RunConfig(task, config, training, Recording(EVERY)))
        record(run, on_step=on_step)
    return statistics.median(ratios[2:])


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    return [
        Figure("d_model 64, 2 layers, T=64: our step / plain", step_over_plain(64, 64, 2, 40), "x", 0.95),
        Figure("d_model 128, 4 layers, T=128: our step / plain", step_over_plain(128, 128, 4, 12), "x", 0.95),
        Figure("recorded every 10 steps / not recorded", recorded_over_bare(20), "x", 1.03),
        *live.figures(),
    ]


if __name__ == "__main__":
    report(measure, __doc__)
