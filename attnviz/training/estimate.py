"""What a training step takes, told before it is taken: parameters, operations, seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Generator
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from attnviz.models.config import ModelConfig
from attnviz.models.transformer import build_network
from attnviz.tasks import IGNORE, Task
from attnviz.training.memory import activation_bytes
from attnviz.training.recipes import RECIPES, Recipe

__all__ = ["Speed", "as_trained", "flops_per_step", "n_parameters", "seconds_per_step"]

FLOPS_PER_BYTE = 8  # what moving a byte costs, in operations of a matrix product: fitted to the shapes of the recipes
TIMED = ("majority", "copy", "recall")  # recipes: one ruled by its overhead, two by what they compute
TRIALS = 6  # of each; the fastest counts


def n_parameters(model: ModelConfig) -> int:
    """Number of trained numbers, without building the network.

    Example:
        >>> n_parameters(ModelConfig("decoder", vocab_size=10, max_len=8, d_model=16, d_ff=0, n_layers=1))
        1610
    """
    d = model.d_model
    attention = _attention_in(model) * (d + 1) + d * (d + 1) + 2 * d  # W and b of q, k, v; of the output; norm
    feed_forward = 2 * d * model.d_ff + model.d_ff + d + 2 * d if model.d_ff else 0
    final_norm = 2 * d if model.norm == "pre" else 0
    total = (d + 1) * model.vocab_size
    for vocab_size, length in _stacks(model):
        positions = length * d if model.positions == "learned" else 0
        total += vocab_size * d + positions + model.n_layers * (attention + feed_forward) + final_norm
    return total + (model.n_layers * attention if model.source_max_len else 0)


def flops_per_step(model: ModelConfig, batch_size: int) -> int:
    """Operations of the matrix products in one step, at the longest sequences the model reads.

    A product (m, k) x (k, n) takes 2 m k n operations. For B sequences of T tokens, a block takes in the forward pass
    2 B T (d (H + 2 H_kv) d_head + d d) for its four projections, 4 B T T d for scores and context, a masked half
    included, and 4 B T d d_ff for its feed-forward part; cross-attention reads T_source keys; the output takes
    2 B T d V. The backward pass takes twice as much: each product has a gradient for both of its factors. What fused
    attention computes a second time is left out, as is all that is no matrix product.

    Example:
        >>> model = ModelConfig("decoder", vocab_size=10, max_len=8, d_model=16, d_ff=0, n_layers=1)
        >>> flops_per_step(model, 1)
        69120
    """
    d, target, source = model.d_model, model.max_len, model.source_max_len or 0
    into_heads, keys_and_values = _attention_in(model), 2 * model.kv_heads * model.d_head
    products = target * d * model.vocab_size
    for _, length in _stacks(model):
        projections = length * d * (into_heads + d)
        products += model.n_layers * (projections + 2 * length * length * d + 2 * length * d * model.d_ff)
    cross = target * d * 2 * d + source * d * keys_and_values + 2 * target * source * d
    products += model.n_layers * cross if source else 0
    return 3 * 2 * batch_size * products


def as_trained(model: ModelConfig, task: Task) -> ModelConfig:
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


def seconds_per_step(model: ModelConfig, batch_size: int) -> float:
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
    """How fast a machine trains: seconds = parts * seconds_per_part + operations * seconds_per_flop.

    A part is an attention or a feed-forward part of a block, or what stands before and after the blocks; it costs the
    calls of its kernels, whatever its size. The operations are those of `flops_per_step`, and FLOPS_PER_BYTE for each
    byte of `activation_bytes`: element-wise work is bound by memory.

    Attributes:
        seconds_per_part: overhead.
        seconds_per_flop: the inverse of the throughput.
    """

    seconds_per_part: float
    seconds_per_flop: float

    def seconds(self, model: ModelConfig, batch_size: int) -> float:
        """Of one step."""
        parts, operations = _work(model, batch_size)
        return parts * self.seconds_per_part + operations * self.seconds_per_flop

    @classmethod
    def fitted(cls, shapes: Sequence[tuple[ModelConfig, int]], seconds: Sequence[float]) -> Speed:
        """The speed with the smallest relative errors (least squares, nothing negative) for measured steps.

        Args:
            shapes: models and batch sizes.
            seconds: of one step of each, above 0.
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
        recipes = [RECIPES[name] for name in TIMED]
        shapes = [(as_trained(recipe.model, recipe.task), recipe.training.batch_size) for recipe in recipes]
        return cls.fitted(shapes, _with_one_thread(lambda: [_time_step(recipe) for recipe in recipes]))


_lock = threading.Lock()
_speed: Speed | None = None


def _work(model: ModelConfig, batch_size: int) -> tuple[int, int]:
    """Parts and operations of a step, see `Speed`."""
    per_stack = 1 + model.n_layers * (2 if model.d_ff else 1)
    parts = per_stack * len(_stacks(model)) + (model.n_layers if model.source_max_len else 0)
    return parts, flops_per_step(model, batch_size) + FLOPS_PER_BYTE * activation_bytes(model, batch_size)


def _time_step(recipe: Recipe) -> float:
    """Seconds of processor time of the fastest of some steps.

    AdamW is written out: torch's own imports a compiler, a second and 65 MB that a web server can do without.
    """
    network, generator = build_network(recipe.model, recipe.seed), Generator().manual_seed(recipe.seed)
    moments = [
        (parameter, torch.zeros_like(parameter), torch.zeros_like(parameter)) for parameter in network.parameters()
    ]
    times = []
    for _ in range(TRIALS):
        begin = time.thread_time()
        batch = recipe.task.sample(recipe.training.batch_size, generator)
        logits = network(batch.tokens, batch.source, padding=batch.padding, source_padding=batch.source_padding)
        network.zero_grad()
        cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORE).backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(network.parameters(), 1.0)
        with torch.no_grad():
            for parameter, mean, square in moments:
                gradient = parameter.grad
                assert gradient is not None  # backward has been there
                mean.lerp_(gradient, 0.1)
                square.mul_(0.98).addcmul_(gradient, gradient, value=0.02)
                parameter.mul_(0.99999).addcdiv_(mean, square.sqrt().div_(0.1).add_(1e-8), value=-1e-3)
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


def _attention_in(model: ModelConfig) -> int:
    """Columns of W_Q, W_K and W_V side by side."""
    return (model.n_heads + 2 * model.kv_heads) * model.d_head


def _stacks(model: ModelConfig) -> list[tuple[int, int]]:
    """Vocabulary and longest sequence of each stack."""
    stacks = [(model.vocab_size, model.max_len)]
    if model.source_vocab_size and model.source_max_len:
        stacks.append((model.source_vocab_size, model.source_max_len))
    return stacks
