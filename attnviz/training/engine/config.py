"""Configuration of training: a frozen dataclass that refuses what makes no sense."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import cos, isfinite, pi
from typing import Any, Literal, get_args

from attnviz.errors import SettingMisfit, SettingNotOffered, SettingOutside
from attnviz.errors.settings import check_whole

__all__ = ["LARGEST_SEED", "MOST", "Schedule", "TrainConfig"]

Schedule = Literal["cosine", "linear", "constant"]


MOST = 10**9  # steps, or sequences: a year of them
LARGEST_SEED = 2**63 - 2**22  # what is added to it for the data of each split stays a seed


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training run.

    Attributes:
        steps: updates of the weights.
        batch_size: sequences per step.
        learning_rate: learning rate at its highest, after the warm-up.
        warmup_steps: steps in which the learning rate rises from 0.
        schedule: how the learning rate goes on from there: half a "cosine" or a "linear" way down, or "constant".
        final_rate: share of the learning rate that is left at the last step, 0 to 1; nothing to a constant one.
        weight_decay: weight decay of AdamW, on matrices only.
        beta1: beta1 of AdamW.
        beta2: beta2 of AdamW.
        clip: largest norm of the gradient; None: any.
        validate_every: steps between two looks at validation data.
        validation_size: sequences of each.
        target: stop when the task's metric reaches it on validation data; None: never.
        patience: stop after so many looks at validation data without a lower loss there; None: never.
        seed: seed of the first weights and of all data.

    Raises:
        ConfigError: a value out of its range; the message says which and what to change.
    """

    steps: int = 1000
    batch_size: int = 64
    learning_rate: float = 3e-3
    warmup_steps: int = 50
    schedule: Schedule = "cosine"
    final_rate: float = 0.1
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.98
    clip: float | None = 1.0
    validate_every: int = 100
    validation_size: int = 512
    target: float | None = None
    seed: int = 0
    patience: int | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "validate_every", "validation_size"):
            check_whole(name, getattr(self, name), 1, MOST)
        if self.patience is not None:
            check_whole("patience", self.patience, 1, MOST)
        check_whole("warmup_steps", self.warmup_steps, 0, MOST)
        check_whole("seed", self.seed, 0, LARGEST_SEED)
        if not (isfinite(self.learning_rate) and 0 < self.learning_rate <= 1):
            raise SettingMisfit("learning_rate", self.learning_rate, "rate", 0.003)
        if self.schedule not in get_args(Schedule):
            raise SettingNotOffered("schedule", self.schedule, get_args(Schedule))
        for name in ("clip", "target"):
            value = getattr(self, name)
            if value is not None and not (isfinite(value) and value > 0):
                raise SettingOutside(name, value, "positive-or-none")
        if not (isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise SettingOutside("weight_decay", self.weight_decay, "not-negative")
        if not 0 <= self.final_rate <= 1:
            raise SettingOutside("final_rate", self.final_rate, "share")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingOutside(name, getattr(self, name), "below-1")

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 1: a straight rise, then what the schedule says.

        Example:
            >>> config = TrainConfig(steps=100, warmup_steps=10, learning_rate=1.0)
            >>> [round(config.rate(step), 3) for step in (1, 10, 55, 100)]
            [0.1, 1.0, 0.55, 0.1]
            >>> config = TrainConfig(steps=100, warmup_steps=10, learning_rate=1.0, schedule="linear", final_rate=0.0)
            >>> [round(config.rate(step), 3) for step in (1, 10, 55, 100)]
            [0.1, 1.0, 0.5, 0.0]
        """
        if step < self.warmup_steps:
            return self.learning_rate * step / self.warmup_steps
        if self.schedule == "constant":
            return self.learning_rate
        way = min(1.0, (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps))
        left = 1 - way if self.schedule == "linear" else (1 + cos(pi * way)) / 2  # from 1 to 0
        return self.learning_rate * (self.final_rate + (1 - self.final_rate) * left)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)
