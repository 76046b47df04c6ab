"""Plan a fine-tuning: divide the data, count the parameters, estimate memory and time before it begins."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, isfinite
from pathlib import Path
from typing import Any

import torch
from torch import nn

from attnviz.finetuning.tasks import TunedLabels, TunedTags, TunedTask, base_of, open_base
from attnviz.guard import guarded
from attnviz.models.tuned_config import TunedConfig
from attnviz.tasks.base import SPLITS, Split
from attnviz.tasks.own.spelling import alike, plain
from attnviz.training.engine.config import TrainConfig
from attnviz.training.engine.gradients import add_gradients, forward
from attnviz.training.engine.memory import check_memory, step_bytes
from attnviz.training.run.config import Recording, RunConfig
from attnviz.training.sweep.cost import step_seconds as network_seconds

__all__ = ["Cost", "Findings", "Plan", "examined", "plan", "step_seconds"]

BATCH, EPOCHS = 16, 4
MOST_STEPS = 2000
RATES = {"head": 3e-3, "last": 3e-4, "all-but-embeddings": 3e-4, "all": 3e-4, "lora": 1e-3}  # of models like MiniLM
LOOKS = 10  # at validation data
TIMED = 2  # steps


@dataclass(frozen=True)
class Findings:
    """Facts of some data that a person should know before they are learned from.

    Attributes:
        sizes: items of each split.
        labels: how often each label comes, the most frequent first; of tags, those of entities alone.
        repeated: items whose text stood before in the same file.
        contradictory: different texts that come with more than one label.
        shared: items of validation or test whose text is one to train on; only where they are files of their own.
        near: items of validation or test whose text differs from one to train on in capitals, punctuation, white space
            or the form of its characters alone.
        unread: items of which the model knows no piece.
        unlearned: labels that no training item has.
        numbers: every label is a number; they are learned as names, without order.
        alike: labels that look like another one, with the code points that tell them apart; see `spelling.alike`.
        cut: of each split the items that are longer than the model reads.
        longest: tokens of the longest text, as far as it is read.
        lost: the most tokens that a text loses.
    """

    sizes: dict[Split, int]
    labels: tuple[tuple[str, int], ...]
    repeated: int
    contradictory: int
    shared: int
    near: int
    unread: int
    unlearned: tuple[str, ...]
    alike: dict[str, str]
    numbers: bool
    cut: dict[Split, int]
    longest: int
    lost: int


@dataclass(frozen=True)
class Cost:
    """Processor time on this machine, in seconds of one thread.

    Attributes:
        step: of a step, with the update of what is trained.
        look: of a look at one text.
        keep: of computing the layers that do not change for one text.
    """

    step: float
    look: float
    keep: float

    def of(self, task: TunedTask[Any], model: TunedConfig, training: TrainConfig) -> float:
        """Return the seconds of a whole training."""
        n_held = min(training.validation_size, len(task.parts["validation"]))
        looks = training.steps // training.validate_every * n_held
        n_read = min(len(task.parts["train"]), training.steps * training.batch_size) if model.keeps else 0
        return self.step * training.steps + self.look * looks + self.keep * n_read


@dataclass(frozen=True)
class Plan:
    """A run that could begin.

    Attributes:
        config: all that it would compute.
        findings: facts of its data.
        nbytes: about the memory that it takes.
        cost: time of its parts.
    """

    config: RunConfig
    findings: Findings
    nbytes: int
    cost: Cost

    @property
    def seconds(self) -> float:
        """About the time that it takes on this machine, on one thread."""
        return self.cost.of(self.task, self.model, self.config.training)

    @property
    def task(self) -> TunedTask[Any]:
        """Data to learn from."""
        assert isinstance(self.config.task, TunedTask)
        return self.config.task

    @property
    def model(self) -> TunedConfig:
        """Shape of the network."""
        assert isinstance(self.config.model, TunedConfig)
        return self.config.model

    def changed(self, *, weighted: bool = False, watched: str = "", **training: Any) -> Plan:
        """Return the plan with other settings of what needs not be measured again.

        Args:
            weighted: see `TunedTask`.
            watched: see `TunedTask`.
            training: settings of `TrainConfig` in place of those that fit the data and the method; not the batch size.

        Raises:
            ConfigError: settings that cannot be.
        """
        task = self.task
        if (task.weighted, task.watched) != (weighted, watched):
            task = replace(task, weighted=weighted, watched=watched).taught(task.backend)
        batch = self.config.training.batch_size
        settings = _training(len(task.parts["train"]), self.model.method, {**training, "batch_size": batch})
        recording = Recording(sequences=max(1, len(task.probe())))
        return replace(self, config=replace(self.config, task=task, training=settings, recording=recording))


def plan(
    base: str,
    data: dict[Split, str],
    *,
    tags: bool = False,
    method: str = "all-but-embeddings",
    max_len: int | None = None,
    training: dict[str, Any] | None = None,
    opened: Any = None,
    **options: Any,
) -> Plan:
    """Prepare the fine-tuning of a model on data of one's own.

    Args:
        base: model to begin with, as `attnviz.load_model` takes it.
        data: of "train", and where they are given "validation" and "test", the data as `read_file` returns them.
        tags: they are tagged words.
        method: what is trained; see `TunedConfig`.
        max_len: tokens that are read of a text; None: as many as the model reads.
        training: settings of `TrainConfig` in place of those that fit the data and the method.
        opened: the model, where it is open already.
        options: settings of `TunedTask`: shares, split_seed, weighted, watched.

    Raises:
        ConfigError: settings that cannot be, or more memory than there is.
        InputError: data that cannot be learned from.
        AttnvizError: the base model cannot be opened, or not trained here.
    """
    from attnviz.huggingface.tuned import pad_of, tuned_config

    opened, digest = open_base(base) if opened is None else base_of(opened, base)
    limit = min(opened.max_len or 512, max_len or 2**16)
    kind: type[TunedTask[Any]] = TunedTags if tags else TunedLabels
    held: dict[str, Any] = {f"{split}_text": data.get(split, "") for split in ("validation", "test")}
    task = kind(data["train"], **held, max_len=limit, pad_id=pad_of(opened), **options)
    task.taught(opened.tokenizer.backend_tokenizer.to_str())
    settings = _training(len(task.parts["train"]), method, training or {})
    model, network = tuned_config(opened, digest, method, task.labels, tags, settings.seed)
    model = replace(model, base=base, max_len=task.longest)
    check_memory(model, settings.batch_size, task)
    config = RunConfig(task, model, settings, Recording(sequences=max(1, len(task.probe()))), recipe="")
    nbytes = step_bytes(model, settings.batch_size, task)
    with guarded(opened.name):
        cost = _cost(task, model, settings.batch_size, network)
    return Plan(config, examined(task), nbytes, cost)


def _training(n: int, method: str, given: dict[str, Any]) -> TrainConfig:
    """Return settings for so many texts: four times over all of them."""
    batch = given.get("batch_size", BATCH)
    steps = given.get("steps") or min(MOST_STEPS, max(20, ceil(EPOCHS * n / batch)))
    settings = {
        "batch_size": batch,
        "learning_rate": RATES.get(method.split(":")[0], RATES["all"]),
        "warmup_steps": max(1, steps // 10),
        "schedule": "linear",
        "final_rate": 0.0,
        "beta2": 0.999,
        "validate_every": max(1, steps // LOOKS),
        "validation_size": 512,
    }
    return TrainConfig(**{**settings, **given, "steps": steps})


def examined(task: TunedTask[Any]) -> Findings:
    """Look through the data of a task."""
    given = task.all_items
    counted = {split: Counter(map(task.text_in, items)) for split, items in task.given.items()}
    labels: dict[str, set[tuple[str, ...]]] = {}
    for item in given:
        labels.setdefault(task.text_in(item), set()).add(tuple(task.labels_in(item)))
    learned = Counter(label for item in task.parts["train"] for label in task.labels_in(item))
    every = Counter(label for item in given for label in task.labels_in(item))
    learnt = set(map(task.text_in, task.parts["train"]))
    held = [item for split in ("validation", "test") for item in task.given.get(split, ())]
    read = {split: [task.read(item) for item in task.parts[split]] for split in SPLITS}
    apart = [text for split in ("validation", "test") for text in map(task.text_in, task.parts[split])]
    rough = {plain(text, "PZC") for text in learnt}
    return Findings(
        sizes={split: len(task.parts[split]) for split in SPLITS},
        labels=tuple(every.most_common()),
        repeated=sum(n - 1 for texts in counted.values() for n in texts.values()),
        contradictory=sum(len(found) > 1 for found in labels.values()),
        shared=sum(task.text_in(item) in learnt for item in held),
        near=sum(text not in learnt and plain(text, "PZC") in rough for text in apart),
        unread=sum(not task.pieces.knows(each) for texts in read.values() for each in texts),
        unlearned=tuple(sorted(set(every) - set(learned))),
        numbers=all(map(_is_number, every)),
        alike=alike(every),
        cut={split: sum(each.cut > 0 for each in texts) for split, texts in read.items()},
        longest=task.longest,
        lost=max(each.cut for texts in read.values() for each in texts),
    )


def _is_number(label: str) -> bool:
    """Whether a label is a number, and no name such as "nan".

    Example:
        >>> [_is_number(label) for label in ("5", "-1.5", "nan", "five")]
        [True, True, False, False]
    """
    try:
        return isfinite(float(label))
    except ValueError:
        return False


def _cost(task: TunedTask[Any], model: TunedConfig, batch_size: int, network: nn.Module) -> Cost:
    """Time some steps; nothing is learned from them. Processor time counts, not how busy the machine is just now."""
    with torch.random.fork_rng(devices=[]):
        batch = task.batch(_some(task.parts["train"], batch_size))
        first = _timed(lambda: add_gradients(network, batch))
        step = min(_timed(lambda: add_gradients(network, batch)) for _ in range(TIMED))
        network.eval()
        with torch.inference_mode():
            look = _timed(lambda: forward(network, batch))
    return Cost(step + _update(model), look / batch_size, max(0.0, first - step) / batch_size)


def _update(model: TunedConfig) -> float:
    """Return the seconds of an update: AdamW reads and writes each number a few times."""
    return 6 * 4 * model.n_trained / 2e9


_COSTS: dict[tuple[TunedConfig, int, int], Cost] = {}
"""Measured costs, by the network, the texts of a step and the characters of all."""


def step_seconds(config: RunConfig) -> float:
    """Estimate the seconds of a step of a run on this machine; of a fine-tuning with validation, by timing some.

    Opening the base takes longer than a step, so each network is timed once, with a batch of at most `BATCH` texts; a
    larger one takes longer in proportion, but for the update.

    Raises:
        AttnvizError: the base model cannot be opened any more.
    """
    task, model, training = config.task, config.model, config.training
    if not (isinstance(task, TunedTask) and isinstance(model, TunedConfig)):
        return network_seconds(config)
    n = min(BATCH, training.batch_size)
    key = (model, n, len(task.text))
    if key not in _COSTS:
        network = task.build(model, training.seed)
        with guarded(Path(model.base).name):
            _COSTS[key] = _cost(task, model, n, network)
    cost, update = _COSTS[key], _update(model)
    step = update + (cost.step - update) * training.batch_size / n
    return replace(cost, step=step).of(task, model, training) / training.steps


def _some(items: Sequence[Any], n: int) -> list[Any]:
    return [items[i % len(items)] for i in range(n)]


def _timed(work: Any) -> float:
    begin = time.thread_time()
    work()
    return time.thread_time() - begin
