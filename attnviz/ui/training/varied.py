"""Settings of which several values may be tried: those of a task's form, and those of the form for fine-tuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from attnviz.finetuning.plan import Plan
from attnviz.training.run.settings import Value
from attnviz.ui.frame.language import say
from attnviz.ui.training.controls import written
from attnviz.ui.training.draft import SETTINGS, TRAINING, Draft, with_present
from attnviz.ui.training.tuning import BATCHES, tried_methods
from attnviz.ui.training.tuning_said import short_method

__all__ = ["METHOD", "RATE", "Varied", "of_draft", "of_tuning"]

METHOD, RATE = "method", "lr"


@dataclass(frozen=True)
class Varied:
    """A setting of which several values may be tried.

    Attributes:
        field: field of a network's configuration, or of TrainConfig.
        title: its title.
        offered: values to choose from, its present one among them.
        present: value in the form.
        written: writes a value as people read it.
    """

    field: str
    title: str
    offered: Sequence[Value]
    present: Value
    written: Callable[[Value], str]

    @property
    def is_range(self) -> bool:
        """Whether a search may draw any number between two of its values."""
        return all(type(value) is float for value in self.offered)


def of_draft(draft: Draft) -> dict[str, Varied]:
    """Return the settings of a task's network and of its training, by the names of the form."""
    names = [name for name in (*draft.shown, *TRAINING) if name not in ("network", "seed") and draft.offered(name)]
    return {name: _setting(name, draft.offered(name), draft.settings[name]) for name in names}


def of_tuning(plan: Plan) -> dict[str, Varied]:
    """Return what is trained of a model, and the settings of its training, by the names of the form."""
    methods = with_present(tried_methods(plan.model.n_layers, find_spec("peft") is not None), plan.model.method)
    offered = {name: setting.offered for name, setting in TRAINING.items() if setting.offered} | {"batch": BATCHES}
    training = {name: vars(plan.config.training)[SETTINGS[name].field] for name in offered}
    return {
        METHOD: Varied(METHOD, say("tuning.method"), methods, plan.model.method, short_method),
        **{name: _setting(name, with_present(offered[name], value), value) for name, value in training.items()},
    }


def _setting(name: str, offered: Sequence[Value], present: Value) -> Varied:
    return Varied(SETTINGS[name].field, say(f"training.set.{name}"), offered, present, partial(written, name))
