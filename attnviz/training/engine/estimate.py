"""Estimate the time of a training step before it is taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Generator
from torch.nn.utils import clip_grad_norm_

from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.cost import activation_bytes, flops_per_step
from attnviz.models.network import build_network
from attnviz.models.recurrent_config import AnyConfig, RecurrentConfig
from attnviz.tasks import Copy, Majority, Recall, Task
from attnviz.training.engine.config import TrainConfig
from attnviz.training.engine.gradients import add_gradients
from attnviz.training.engine.optimizer import new_optimizer

__all__ = ["Speed", "as_trained", "seconds_per_step"]

FLOPS_PER_BYTE = 8  # what moving a byte costs, in operations of a matrix product: fitted to the shapes of the recipes
TIMED = (Majority(), Copy(), Recall())  # one ruled by its overhead, two by what they compute
BATCH_SIZE = TrainConfig().batch_size
PARTS_PER_STEP = {"rnn": 0.1, "gru": 0.2, "lstm": 0.1}  # what a step of a layer costs in calls, in Transformer's parts
PARTS_PER_CONVOLUTION = 1.5  # with what stands around it in its block
PARTS_PER_FED_STEP = 1.5  # of a decoder that takes one step after the other
TRIALS = 6  # of each; the fastest counts


def as_trained(model: AnyConfig, task: Task) -> AnyConfig:
    """The same model with the lengths of the task's own batches, which may be shorter than what the model could read.

    Example:
        >>> from attnviz.tasks import Recall
        >>> model = Recall().model_config()
        >>> model.max_len, as_trained(model, Recall()).max_len
        (64, 31)
    """
    batch = task.sample(32, Generator().manual_seed(0))
    source_length = None if batch.source is None else batch.source.shape[1]
    return replace(model, max_len=batch.tokens.shape[1], source_max_len=source_length)


def seconds_per_step(model: AnyConfig, batch_size: int) -> float:
    """About how long one step takes on a free core of this machine, at the longest sequences the model reads.

    The machine's speed is measured with three tiny models when this is first called in a process, in about a quarter
    of a second; see `as_trained` for tasks with shorter sequences.
    """
    global _speed
    with _lock:
        _speed = _speed or Speed.measured()
    return _speed.seconds(model, batch_size)


@dataclass(frozen=True)
class Speed:
    """Speed of a machine in training: seconds = parts * seconds_per_part + operations * seconds_per_flop.

    A part is an attention or a feed-forward part of a block, or what stands before and after the blocks; it costs the
    calls of its kernels, whatever its size. The operations are those of `flops_per_step`, and FLOPS_PER_BYTE for each
    byte of `activation_bytes`: element-wise work is bound by memory.

    Attributes:
        seconds_per_part: overhead.
        seconds_per_flop: the inverse of the throughput.
    """

    seconds_per_part: float
    seconds_per_flop: float

    def seconds(self, model: AnyConfig, batch_size: int) -> float:
        """Estimate the seconds of one step."""
        parts, operations = _work(model, batch_size)
        return parts * self.seconds_per_part + operations * self.seconds_per_flop

    @classmethod
    def fitted(cls, shapes: Sequence[tuple[AnyConfig, int]], seconds: Sequence[float]) -> Speed:
        """Return the speed with the smallest relative errors (least squares, nothing negative) for measured steps.

        Args:
            shapes: models and batch sizes.
            seconds: seconds of one step of each, above 0.
        """
        work = np.array([_work(*shape) for shape in shapes]) / np.array(seconds)[:, None]  # (n, 2), relative
        for used in ([0, 1], [1]):
            found = np.linalg.lstsq(work[:, used], np.ones(len(work)))[0]
            if (found >= 0).all():
                break
        per_part, per_flop = (0.0, *found)[-2:]
        return cls(float(per_part), float(per_flop))

    @classmethod
    def measured(cls) -> Speed:
        """The speed of this machine on one thread; the processor time counts, not how busy the machine is just now."""
        shapes = [(as_trained(task.model_config(), task), BATCH_SIZE) for task in TIMED]
        return cls.fitted(shapes, _with_one_thread(lambda: [_time_step(task) for task in TIMED]))


_lock = threading.Lock()
_speed: Speed | None = None


def _work(model: AnyConfig, batch_size: int) -> tuple[int, int]:
    """Parts and operations of a step, see `Speed`."""
    if isinstance(model, RecurrentConfig):
        steps = model.n_layers * (model.max_len + (model.source_max_len or 0)) * (1 + model.bidirectional)
        fed = model.max_len if model.source_max_len and model.attention == "additive" else 0
        parts = 2 + round(steps * PARTS_PER_STEP[model.cell] + fed * PARTS_PER_FED_STEP)
    elif isinstance(model, ConvolutionalConfig):
        parts = 1 + round(model.n_layers * PARTS_PER_CONVOLUTION)
    else:
        per_stack, crosses = 1 + model.n_layers * (2 if model.d_ff else 1), model.source_max_len is not None
        parts = per_stack * (1 + crosses) + model.n_layers * crosses
    return parts, flops_per_step(model, batch_size) + FLOPS_PER_BYTE * activation_bytes(model, batch_size)


def _time_step(task: Task) -> float:
    """Return the seconds of processor time of the fastest of some steps."""
    network, generator = build_network(task.model_config(), 0), Generator().manual_seed(0)
    optimizer, times = new_optimizer(network, TrainConfig()), []
    for _ in range(TRIALS):
        begin = time.thread_time()
        batch = task.sample(BATCH_SIZE, generator)
        optimizer.zero_grad()
        add_gradients(network, batch)
        clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        times.append(time.thread_time() - begin)
    return min(times)


def _with_one_thread(work: Callable[[], list[float]]) -> list[float]:
    """Run a function where torch uses one thread, and leave it as it is everywhere else.

    The number holds for the thread that sets it and for all that begin later; for these it is set back at once.
    """
    with ThreadPoolExecutor(1) as own, ThreadPoolExecutor(1) as other:
        before = own.submit(torch.get_num_threads).result()  # who has not asked is given the common number later on
        own.submit(torch.set_num_threads, 1).result()
        other.submit(torch.set_num_threads, before).result()
        return own.submit(work).result()
