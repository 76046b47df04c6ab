"""Search: each trial's settings are drawn by a sampler of Optuna, from what the trials before have reached.

Trials begin in batches, and each batch is drawn when the one before has ended. So what is drawn follows from the
results of the runs, the seed and the size of a batch alone: the study is made again from the runs when it is needed.

Source:
    Akiba et al. 2019, "Optuna: A Next-generation Hyperparameter Optimization Framework"; TPE: Bergstra et al. 2011,
    "Algorithms for Hyper-Parameter Optimization"; successive halving of trials that come one after the other: Li et
    al. 2020, "A System for Massively Parallel Hyperparameter Tuning"; Hyperband: Li et al. 2018, "Hyperband".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np

from attnviz.errors import ExtraMissing, SettingNotOffered, SweepRange
from attnviz.errors.settings import check_whole
from attnviz.training.run.settings import Value
from attnviz.training.sweep.halving import Score

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

__all__ = ["PRUNERS", "SAMPLERS", "Pruner", "Sampler", "Search", "Span", "Trials", "check_optuna"]

Sampler = Literal["tpe", "random"]
Pruner = Literal["none", "median", "halving", "hyperband"]
SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)
PRUNERS: tuple[Pruner, ...] = get_args(Pruner)

DRAWS = 100  # for one trial, until its settings are new and can be built
DIGITS = 4  # of a number that is drawn
TIE = 1e-6  # weight of the loss between equal values of the metric
STUDY = "attnviz"  # Hyperband divides trials by the study's name


@dataclass(frozen=True)
class Span:
    """Values among which a setting is searched.

    Attributes:
        name: the setting.
        choices: its values; () for a range.
        low: least number of a range, whole for a setting that is whole.
        high: largest one.
        log: whether the logarithm is drawn evenly.
        step: distance of the numbers from `low` on; None: any number, or any whole one.
    """

    name: str
    choices: tuple[Value, ...] = ()
    low: float = 0
    high: float = 0
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        if self.choices:
            return
        fits = self.step is None or (not self.log and 0 < self.step <= self.high - self.low)
        if not (self.low < self.high and fits and (self.low > 0 or not self.log)):
            raise SweepRange(self.name, self.low, self.high)

    @property
    def whole(self) -> bool:
        """Whether a range is of whole numbers."""
        return type(self.low) is int

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the span whose attributes these are."""
        return cls(**{**values, "choices": tuple(values["choices"])})


@dataclass(frozen=True)
class Search:
    """A search as data.

    Attributes:
        spans: settings that are searched.
        trials: combinations that are tried, at most: a small space may have fewer.
        sampler: "tpe": tree-structured Parzen estimator, after ten random trials; "random".
        pruner: what stops poor trials early: "none", "median": those below the median of the trials before, "halving":
            those not among the better half so far, or "hyperband": the same, for some trials later.
        at_once: trials of a batch.
        seed: seed of the sampler.
        looks: steps at which trials are compared by the pruner.
    """

    spans: tuple[Span, ...]
    trials: int
    sampler: Sampler = "tpe"
    pruner: Pruner = "none"
    at_once: int = 1
    seed: int = 0
    looks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_whole("trials", self.trials, 1)
        check_whole("at_once", self.at_once, 1)
        check_whole("seed", self.seed, 0)
        for name, value, known in (("sampler", self.sampler, SAMPLERS), ("pruner", self.pruner, PRUNERS)):
            if value not in known:
                raise SettingNotOffered(name, value, known)

    @property
    def keys(self) -> tuple[str, ...]:
        """The settings that are searched."""
        return tuple(span.name for span in self.spans)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**vars(self), "spans": [vars(span) for span in self.spans]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the search that `to_dict` described.

        Raises:
            MALFORMED, ConfigError: it is none.
        """
        spans = tuple(Span.from_dict(span) for span in values["spans"])
        return cls(**{**values, "spans": spans, "looks": tuple(map(int, values["looks"]))})


def check_optuna() -> None:
    """Raise ExtraMissing where Optuna is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise ExtraMissing("optuna", "tuning") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _distribution(span: Span) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if span.choices:
        return CategoricalDistribution(span.choices)
    if span.whole:
        return IntDistribution(int(span.low), int(span.high), span.log, int(span.step or 1))
    return FloatDistribution(span.low, span.high, span.log, span.step)


def _sampler(search: Search, *numbers: int) -> BaseSampler:
    """Return a sampler whose seed is made of the search's and of some numbers."""
    from optuna.samplers import RandomSampler, TPESampler

    seed = int(np.random.SeedSequence([search.seed, *numbers]).generate_state(1)[0])
    return TPESampler(seed=seed) if search.sampler == "tpe" else RandomSampler(seed)


def _pruner(search: Search) -> BasePruner:
    """Return the pruner; the looks are its steps 1, 2, 4, ..., for they double."""
    from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner

    if search.pruner == "median":
        return MedianPruner()
    if search.pruner == "halving":
        return SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
    if search.pruner == "hyperband":
        return HyperbandPruner(min_resource=1, max_resource=2 ** len(search.looks), reduction_factor=2)
    return NopPruner()


class Trials:
    """A study of Optuna in memory: trials are begun and told in the order in which they were planned.

    Args:
        search: what is searched, and how.

    Raises:
        ExtraMissing: Optuna is not installed.
    """

    def __init__(self, search: Search) -> None:
        check_optuna()
        import optuna

        self._search = search
        self._space = {span.name: _distribution(span) for span in search.spans}
        self._study: Study = optuna.create_study(
            study_name=STUDY, sampler=_sampler(search), pruner=_pruner(search), direction="minimize"
        )
        self._begun: list[Trial] = []

    def begin(self, values: tuple[Value, ...]) -> int:
        """Begin the next trial, whose settings are known; returns its number."""
        self._study.enqueue_trial(dict(zip(self._search.keys, values, strict=True)))
        self._begun.append(self._study.ask(self._space))
        return len(self._begun) - 1

    def prunes(self, number: int, look: int, score: Score, lower_is_better: bool) -> bool:
        """Tell what a trial has reached at a look, counted from 0; returns whether it is to be stopped."""
        trial = self._begun[number]
        trial.report(_cost(score, lower_is_better), 2**look)
        return trial.should_prune()

    def end(self, number: int, score: Score | None, lower_is_better: bool) -> None:
        """Tell what a trial has reached at its end; None: the pruner has stopped it, or it failed, which is poor."""
        from optuna.trial import TrialState

        if score is None or any(map(isnan, score)):
            self._study.tell(self._begun[number], state=TrialState.PRUNED)
        else:
            self._study.tell(self._begun[number], _cost(score, lower_is_better))

    def leave_out(self, number: int) -> None:
        """Tell nothing of a trial: its runs were deleted."""
        from optuna.trial import TrialState

        self._study.tell(self._begun[number], state=TrialState.FAIL)

    def draw(self, most: int, fits: Callable[[tuple[Value, ...]], bool]) -> list[tuple[Value, ...]]:
        """Draw settings for the next trials; the study stays as it is.

        Args:
            most: trials.
            fits: whether a trial may have these settings; else others are drawn for it, up to `DRAWS` times.
        """
        import optuna
        from optuna.trial import TrialState

        scratch = optuna.create_study(study_name=STUDY, pruner=self._study.pruner, direction="minimize")
        scratch.add_trials(self._study.trials)
        found: list[tuple[Value, ...]] = []
        for place in range(most):
            for attempt in range(DRAWS):
                scratch.sampler = _sampler(self._search, len(self._begun) + place, attempt)
                trial = scratch.ask(self._space)  # while it runs, a sampler draws others
                values = tuple(_rounded(span, trial.params[span.name]) for span in self._search.spans)
                if values not in found and fits(values):
                    found.append(values)
                    break
                scratch.tell(trial, state=TrialState.FAIL)
            else:
                break
        return found


def _cost(score: Score, lower_is_better: bool) -> float:
    """Return a number that is lower for a better score; the loss decides between equal values of the metric."""
    return (1 if lower_is_better else -1) * score.metric + TIE * score.loss / (1 + abs(score.loss))


def _rounded(span: Span, value: Value) -> Value:
    """Return a number with few digits."""
    if span.choices or not isinstance(value, float):
        return value
    return min(max(float(f"{value:.{DIGITS}g}"), span.low), span.high)
