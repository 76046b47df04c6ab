"""Settings of the Training page, and their parameters in its address; no Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import log
from typing import Any, cast, get_args

from attnviz.errors import DataTooLarge
from attnviz.models import AnyConfig
from attnviz.models.config import Norm, Positions
from attnviz.models.kinds import NETWORKS, NetworkKind, network_of
from attnviz.models.network_config import Pooling
from attnviz.models.recurrent_config import Cell, RecurrentConfig, StateScoring
from attnviz.tasks import Choice, Task
from attnviz.tasks.base import Split
from attnviz.tasks.own.data import DividedTask
from attnviz.tasks.own.readers.decoding import MOST_BYTES
from attnviz.training import RECIPES, Recipe, RunConfig
from attnviz.training.engine.config import Schedule
from attnviz.training.recipes import OWN

__all__ = [
    "HELD",
    "MODEL",
    "SETTINGS",
    "TRAINING",
    "Draft",
    "File",
    "Setting",
    "Value",
    "read_choices",
    "recipe_names",
    "width_fits",
    "widths",
    "with_present",
    "written_choices",
]  # fmt: skip

HELD: tuple[Split, ...] = ("validation", "test")
Value = int | float | str | bool | None


@dataclass(frozen=True)
class File:
    """A file of data of one's own.

    Attributes:
        table: all its columns; see `attnviz.tasks.own.readers.workbooks.as_table`.
        name: its name; "" for data of a run or of a link.
        content: its bytes, where its encoding is not certain.
        sheets: of a workbook with several, their names; see `attnviz.tasks.own.readers.decoding.Decoded`.
    """

    table: str = field(repr=False)
    name: str = ""
    content: bytes | None = field(default=None, repr=False)
    sheets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """One setting of the model or of its training.

    Attributes:
        field: field of one of the networks' configurations, or of TrainConfig.
        offered: values to choose from; () where any number within the limits may be typed.
        limits: limits of a number, floats where it need not be whole; None: it is one of those that are offered.
    """

    field: str
    offered: tuple[Any, ...] = ()
    limits: tuple[float, float] | None = None

    def read(self, text: str) -> Value:
        """Read a value from an address.

        Raises:
            ValueError: it is none.
        """
        offered = {_written(value): value for value in self.offered}
        if text in offered:
            return cast(Value, offered[text])
        if self.limits is None:
            raise ValueError(text)
        low, high = self.limits
        if isinstance(low, int) and not (text.isascii() and text.isdigit()):
            raise ValueError(text)
        value = type(low)(text)
        if not low <= value <= high:  # refuses nan as well
            raise ValueError(text)
        return value


RATES = (*(float(f"{digit}e{power}") for power in range(-5, 0) for digit in (1, 2, 3, 5)), 1.0)
DEEP = tuple(range(1, 13))  # layers of a convolutional network: with each, an output sees farther
WIDTHS = (8, 16, 24, 32, 40, 48, 64, 72, 80, 96, 120, 128, 144, 192, 240, 256)

MODEL: Mapping[str, Setting] = {
    "network": Setting("network", NETWORKS),
    "layers": Setting("n_layers", (1, 2, 3, 4, 5, 6), (1, 12)),
    "heads": Setting("n_heads", (1, 2, 3, 4, 5, 6, 8), (1, 16)),
    "d_model": Setting("d_model", WIDTHS, (1, 1024)),
    "d_ff": Setting("d_ff", (0, 16, 32, 64, 128, 192, 256, 384, 512, 1024), (0, 4096)),
    "positions": Setting("positions", get_args(Positions)),
    "norm": Setting("norm", get_args(Norm)),
    "kernel": Setting("kernel_size", (2, 3, 5, 7, 9), (1, 64)),
    "dilation": Setting("dilation", (1, 2, 3, 4), (1, 16)),
    "both_ways": Setting("bidirectional", (False, True)),
    "attention": Setting("attention", get_args(StateScoring)),
    "pooling": Setting("pooling", get_args(Pooling)),
    "dropout": Setting("dropout", (0.0, 0.05, 0.1, 0.2, 0.3, 0.5), (0.0, 0.9)),
}
TRAINING: Mapping[str, Setting] = {
    "lr": Setting("learning_rate", RATES, (1e-6, 1.0)),
    "warmup": Setting("warmup_steps", limits=(0, 100_000)),
    "schedule": Setting("schedule", get_args(Schedule)),
    "final": Setting("final_rate", (0.0, 0.01, 0.1, 0.3, 0.5, 1.0), (0.0, 1.0)),
    "batch": Setting("batch_size", (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048), (1, 65_536)),
    "steps": Setting("steps", limits=(1, 1_000_000)),
    "decay": Setting("weight_decay", (0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0), (0.0, 100.0)),
    "clip": Setting("clip", (0.1, 0.3, 1.0, 3.0, 10.0, None), (1e-3, 1e3)),
    "seed": Setting("seed", limits=(0, 2**31 - 1)),
}
SETTINGS = {**MODEL, **TRAINING}
OWN_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "transformer": ("heads", "d_ff", "positions", "norm"),
    "recurrent": ("both_ways", "attention"),
    "cnn": ("kernel", "dilation"),
}
"""Settings that networks of one family alone have."""


def with_present(offered: Sequence[Any], value: Any) -> list[Any]:
    """Return values to choose from, the present one among them: texts as they come, numbers rising, None last.

    Example:
        >>> with_present((0.1, 1.0, None), 0.5), with_present((0.1, 1.0), 0.1)
        ([0.1, 0.5, 1.0, None], [0.1, 1.0])
    """
    if value in offered:
        return list(offered)
    return sorted((*offered, value), key=lambda each: (each is None, each))


def recipe_names() -> list[str]:
    """Return all recipes, and those for data of one's own."""
    return [*RECIPES, *OWN]


def _recipe(name: str) -> Recipe:
    """Return a recipe; one for a person's own data has the same settings whatever the data."""
    return OWN[name].example if name in OWN else RECIPES[name]


def _kind(name: str) -> type[Task]:
    """Return the class of a recipe's task."""
    return OWN[name].kind if name in OWN else type(RECIPES[name].task)


def width_fits(d_model: int, heads: int, positions: str) -> bool:
    """Whether a model of that width can be built with that many heads."""
    if d_model % heads or (positions == "sinusoidal" and d_model % 2):
        return False
    return positions != "rotary" or d_model // heads % 2 == 0


def widths(heads: int, positions: str, present: int) -> list[int]:
    """Return the widths that go with heads and positions; the present one among them where it does.

    Example:
        >>> widths(3, "learned", 48)[:4]
        [24, 48, 72, 96]
    """
    return [width for width in sorted({*WIDTHS, present}) if width_fits(width, heads, positions)]


@dataclass(frozen=True)
class Draft:
    """All that a run is made of.

    Attributes:
        recipe: name of the recipe that everything else is a change of.
        text: data of one's own; "" for recipes that need none.
        task: parameters of the task, those of its `choices`.
        settings: value of each of SETTINGS.
        reading: how data of one's own are read, by the task's `readings`.
        files: of data of one's own, those for validation and test where they have their own.
    """

    recipe: str
    text: str
    task: Mapping[str, Value]
    settings: Mapping[str, Value]
    reading: Mapping[str, Value] = field(default_factory=dict)
    files: Mapping[Split, File] = field(default_factory=dict)

    @classmethod
    def of_recipe(cls, name: str, text: str = "") -> Draft:
        """Return a recipe as it is."""
        recipe = _recipe(name)
        return cls._of(name, text if name in OWN else "", recipe.task, recipe.model, recipe.training)

    @classmethod
    def of_run(cls, config: RunConfig) -> Draft | None:
        """Return the draft of a run; None if no recipe trains this kind of task."""
        kind = type(config.task)
        names = [name for name in recipe_names() if _kind(name) is kind]
        if not names:
            return None
        name = config.recipe if config.recipe in names else names[0]
        text = str(getattr(config.task, "text", "")) if name in OWN else ""
        brought = {split: getattr(config.task, f"{split}_text", "") for split in HELD}
        files = {split: File(data) for split, data in brought.items() if data}
        return replace(cls._of(name, text, config.task, config.model, config.training), files=files)

    @classmethod
    def _of(cls, name: str, text: str, task: Any, model: AnyConfig, training: Any) -> Draft:
        values = _model_values(model, _recipe(name).task)
        values |= {key: getattr(training, setting.field) for key, setting in TRAINING.items()}
        chosen, reading = (
            {choice.name: getattr(task, choice.name) for choice in part} for part in (task.choices(), task.readings())
        )
        return cls(name, text, chosen, values, reading)

    @classmethod
    def of_link(cls, link: Mapping[str, str]) -> tuple[Draft, list[str]]:
        """Read a draft from an address, with the names of invalid parameters, which keep the recipe's values."""
        name = link.get("recipe", "induction")
        wrong = [] if name in recipe_names() else ["recipe"]
        draft = cls.of_recipe("induction" if wrong else name, link.get("text", ""))
        if wrong:
            return draft, wrong
        task, wrong_task = read_choices(draft.kind.choices(), draft.task, link.get("task", ""))
        reading, wrong_reading = read_choices(draft.kind.readings(), draft.reading, link.get("reading", ""))
        found: dict[str, Value] = {}
        for key in SETTINGS.keys() & link.keys():
            try:
                found[key] = SETTINGS[key].read(link[key])
            except ValueError:
                wrong.append(key)
        if "network" in found:
            draft = draft.with_network(cast(NetworkKind, found["network"]))
        read = replace(draft, task=task, reading=reading, settings={**draft.settings, **found})
        fitting = read.fitted()
        if fitting != read:
            wrong.append("d_model")
        return fitting, sorted(wrong) + wrong_task + wrong_reading

    @property
    def kind(self) -> type[Task]:
        """Class of the task."""
        return _kind(self.recipe)

    @property
    def is_divided(self) -> bool:
        """Whether its data may come with files of their own for validation and test."""
        return issubclass(self.kind, DividedTask)

    @property
    def network(self) -> NetworkKind:
        """Kind of the network."""
        return cast(NetworkKind, self.settings["network"])

    def with_network(self, network: NetworkKind) -> Draft:
        """Return the draft with another network: the recipe's own if it is of that kind, else the task's."""
        if network == self.network:
            return self
        recipe = _recipe(self.recipe)
        model = _of_kind(recipe, network)
        return replace(self, settings={**self.settings, **_model_values(model, recipe.task)})

    @property
    def shown(self) -> list[str]:
        """Settings of the model that mean something for its network and its task."""
        whole, architecture = self.kind.readout == "whole", self.kind.architecture
        hidden = {name for network, own in OWN_SETTINGS.items() if network != _family(self.network) for name in own}
        hidden |= set() if whole else {"pooling"}
        hidden |= {"both_ways"} if architecture == "decoder" else set()
        return [name for name in MODEL if name not in hidden]

    def fitted(self) -> Draft:
        """Return the draft with the nearest width that goes with heads and positions, or with two directions."""
        heads, positions, width = self._shape
        possible = widths(heads, positions, width) or [2 * heads]
        nearest = min(possible, key=lambda other: abs(log(other / width)))
        return replace(self, settings={**self.settings, "d_model": nearest})

    def offered(self, name: str) -> list[Any]:
        """Values to choose from for a setting, its present one among them; [] where any number may be typed."""
        if name == "d_model":
            return widths(*self._shape)
        offered, value = SETTINGS[name].offered, self.settings[name]
        if name == "pooling" and self.network != "transformer":
            return [each for each in offered if each != "none"]
        if self.network == "cnn":
            offered = DEEP if name == "layers" else offered
            if name == "kernel" and self.kind.architecture == "encoder":
                offered = tuple(size for size in offered if size % 2)  # as far to both sides
        return with_present(offered, value) if offered else []

    @property
    def _shape(self) -> tuple[int, str, int]:
        heads, positions, width = (self.settings[name] for name in ("heads", "positions", "d_model"))
        if self.network != "transformer":
            directions = 1 + (self.network != "cnn" and cast(bool, self.settings["both_ways"]))
            heads, positions = directions, "none"  # they share the width
        return cast(int, heads), cast(str, positions), cast(int, width)

    def to_link(self) -> dict[str, str]:
        """Return the draft as parameters of an address: the recipe, and what differs from it."""
        default = Draft.of_recipe(self.recipe)
        link = {"recipe": self.recipe}
        if self.network != default.network:
            link["network"] = self.network
            default = default.with_network(self.network)
        link["text"] = "" if self.files else self.text  # files of their own are too long for an address
        link["task"] = written_choices(self.task, default.task)
        link["reading"] = written_choices(self.reading, default.reading)
        return link | {k: _written(v) for k, v in self.settings.items() if v != default.settings[k]}

    def config(self) -> RunConfig:
        """Return the draft as a run.

        Raises:
            ConfigError: something that cannot be built or trained.
            InputError: the text of one's own is empty, too short or of one character.
        """
        if self.recipe in OWN:
            held = ((f"{split}_text", file.table) for split, file in self.files.items())
            recipe = _made(self.recipe, self.text, (*self.task.items(), *self.reading.items(), *held))
        else:
            recipe = RECIPES[self.recipe]
        same = all(getattr(recipe.task, name) == value for name, value in self.task.items())
        task = recipe.task if same else replace(cast(Any, recipe.task), **self.task)  # it keeps what it has worked out
        fields = self._fields({name: MODEL[name] for name in self.shown if name != "network"})
        model = replace(_base(recipe, task, self.network), **fields)
        return RunConfig(task, model, replace(recipe.training, **self._fields(TRAINING)), recipe=self.recipe)

    def _fields(self, part: Mapping[str, Setting]) -> dict[str, Any]:
        return {setting.field: self.settings[name] for name, setting in part.items()}


@lru_cache(4)
def _made(name: str, text: str, task: tuple[tuple[str, Value], ...]) -> Recipe:
    """Return a recipe for data of one's own; dividing them takes time, and a page asks at every click."""
    if len(text) > MOST_BYTES:
        raise DataTooLarge(len(text), MOST_BYTES)
    return OWN[name].of(text, **dict(task))


def read_choices(
    choices: Sequence[Choice], values: Mapping[str, Value], text: str
) -> tuple[dict[str, Value], list[str]]:
    """Return the values from "length:20,reverse:0" in place of these, and the names of those that are none."""
    read, wrong = dict(values), []
    offered = {choice.name: {_written(v): v for v in choice.values} for choice in choices}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition(":")
        if value in offered.get(name, {}):
            read[name] = offered[name][value]
        else:
            wrong.append(name)
    return read, wrong


def written_choices(values: Mapping[str, Value], default: Mapping[str, Value]) -> str:
    """Return the values that are not the default's as "length:20,reverse:0"; see `read_choices`."""
    return ",".join(f"{name}:{_written(value)}" for name, value in values.items() if value != default[name])


def _written(value: Value) -> str:
    """Return a value in an address."""
    if value is None:
        return "off"
    return f"{value:d}" if isinstance(value, bool | int) else str(value)


def _family(network: NetworkKind) -> str:
    """Return the kinds of networks that have the same settings."""
    return network if network in OWN_SETTINGS else "recurrent"


def _base(recipe: Recipe, task: Task, network: NetworkKind) -> AnyConfig:
    """Return the default network of a task, changed as the recipe changes its own if it is of the same kind."""
    usual, default = recipe.task.network_config(network), task.network_config(network)
    if network != network_of(recipe.model):
        return default
    special = {name: value for name, value in vars(recipe.model).items() if value != getattr(usual, name)}
    return replace(default, **special)


def _of_kind(recipe: Recipe, network: NetworkKind) -> AnyConfig:
    """Return the recipe's own network, with another cell if need be, or the task's if it is of another kind."""
    own = network_of(recipe.model)
    if network == own:
        return recipe.model
    if isinstance(recipe.model, RecurrentConfig) and _family(network) == _family(own):
        return replace(recipe.model, cell=cast(Cell, network))
    return recipe.task.network_config(network)


def _model_values(model: AnyConfig, task: Task) -> dict[str, Value]:
    """Return all settings of a model; those of the other kinds of network have that kind's default."""
    own = network_of(model)
    others = [task.network_config(network) for network in NETWORKS if _family(network) != _family(own)]
    fields = {key: setting.field for key, setting in MODEL.items() if key != "network"}
    values = {
        key: next(getattr(each, field) for each in (model, *others) if field in vars(each))
        for key, field in fields.items()
    }
    return {"network": own, **values}
