"""A fine-tuning as the Training page's form says it, and its parameters in the address; no Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote_plus

from attnviz.errors import AttnvizError, DataEmpty, DataOfSplit, InputError
from attnviz.errors.base import Why
from attnviz.finetuning.reading import labelled_csv, tagged_lines, usual_columns
from attnviz.models.tuned_config import METHODS, TunedConfig
from attnviz.server.tuning import Measured, planned
from attnviz.tasks.base import SPLITS, Split
from attnviz.tasks.own.readers.alike import read_alike
from attnviz.tasks.own.readers.labelled_rows import MOST_ROWS, labelled_layout
from attnviz.training import RunConfig
from attnviz.training.recipes import OWN
from attnviz.training.recipes.own import OWN_ENTITIES, OWN_LABELS
from attnviz.ui.training.draft import File, Setting, Value, read_choices, written_choices

if TYPE_CHECKING:
    from attnviz.finetuning.plan import Plan

__all__ = [
    "BATCHES", "FINE_TUNE", "FORM", "LAST", "METHOD_NAMES", "MOST_BYTES", "SHARE", "Tuning", "content_of",
    "recipe_of",
    "tried_methods",
    "usual_reading",
]  # fmt: skip

FINE_TUNE = "fine-tune"
"""In the address, in place of a recipe."""

MOST_BYTES = 20 * 2**20  # of a file
MOST_TOLD = 5000  # bytes of data that the address tells
LAST = "last"
METHOD_NAMES = tuple(LAST if name.startswith(LAST) else name for name in METHODS)
STOP_AFTER = 3  # looks at validation data without a lower loss
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)

Reading = tuple[tuple[str, Value], ...]
SHARE = range(1, 41)  # percent


@dataclass(frozen=True)
class Tuning:
    """A fine-tuning that could begin.

    Attributes:
        base: name of a listed model; "" while none is chosen.
        files: data of each split that has its own.
        tags: they are tagged words.
        reading: how they are read, by the `readings` of the tasks for data of one's own.
        method: one of METHOD_NAMES.
        layers: of "last": how many.
        batch: texts of a step.
        steps: updates; None: as many as fit the data.
        rate: learning rate; None: the method's.
        length: tokens that are read of a text; None: as many as the model reads.
        seed: seed of new weights and of the order.
        validation: percent of the texts for validation.
        test: percent of the texts for the test.
        split: another number divides the texts otherwise.
        weighted: rare labels count more.
        stop: whether it ends when validation data show nothing better.
        probe: texts on which attention is watched, one a line.
    """

    base: str = ""
    files: Mapping[Split, File] = field(default_factory=dict)
    tags: bool = False
    reading: Reading = ()
    method: str = "all-but-embeddings"
    layers: int = 2
    batch: int = 16
    steps: int | None = None
    rate: float | None = None
    length: int | None = None
    seed: int = 0
    validation: int = 10
    test: int = 10
    split: int = 0
    weighted: bool = False
    stop: bool = False
    probe: str = ""

    @property
    def recipe(self) -> str:
        """Name of the recipe for data of one's own whose files are laid out alike."""
        return recipe_of(self.tags)

    @property
    def lacks(self) -> str:
        """Name of what is to be brought first, "base" or "data"; "": nothing."""
        return "base" if not self.base else "data" if "train" not in self.files else ""

    def plan(self) -> Plan:
        """Measure what it takes.

        Raises:
            AttnvizError: it cannot begin; see `attnviz.server.tuning.planned`.
        """
        if "train" not in self.files:
            raise DataEmpty
        data = tuple((split, self.content(split)) for split in SPLITS if split in self.files)
        method = f"{LAST}:{self.layers}" if self.method == LAST else self.method
        shares = (self.validation, self.test, self.split)
        asked = Measured(self.base, data, self.tags, method, self.batch, self.length, *shares)
        given = {"steps": self.steps, "learning_rate": self.rate, "patience": STOP_AFTER if self.stop else None}
        training = {name: value for name, value in given.items() if value is not None}
        return planned(asked, weighted=self.weighted, watched=self.probe, seed=self.seed, **training)

    def content(self, split: Split) -> str:
        """Return the data of a split as a task of fine-tuning takes them.

        Raises:
            InputError: see `content_of`; DataOfSplit: of data of their own for validation or test.
        """
        file = self.files[split]
        if split == "train":
            return content_of(file, self.tags, self.reading)
        reading = self.reading if self.tags else _alike(file, self.files["train"], self.reading)
        try:
            return content_of(file, self.tags, reading)
        except InputError as error:
            raise DataOfSplit(split, Why.of(error)) from error

    def config(self) -> RunConfig:
        """Return the run that it would be.

        Raises:
            AttnvizError: see `plan`.
        """
        return self.plan().config

    @classmethod
    def of_run(cls, config: RunConfig) -> Tuning:
        """Return the form of a run; its data are those that it has."""
        model, task, training = config.model, config.task, config.training
        assert isinstance(model, TunedConfig)
        values = vars(task)
        files = {split: values["text" if split == "train" else f"{split}_text"] for split in SPLITS}
        method, _, layers = model.method.partition(":")
        default = cls()
        return cls(
            base=model.base,
            files={split: File(text) for split, text in files.items() if text},
            tags=task.readout == "each",
            method=method,
            layers=int(layers or default.layers),
            batch=training.batch_size,
            steps=training.steps,
            rate=training.learning_rate,
            length=values["max_len"],
            seed=training.seed,
            validation=values["validation_share"],
            test=values["test_share"],
            split=values["split_seed"],
            weighted=values["weighted"],
            stop=training.patience is not None,
            probe=values["watched"],
        )

    @classmethod
    def of_link(cls, link: Mapping[str, str]) -> tuple[Tuning, list[str]]:
        """Read a form from an address, with the names of invalid parameters, which keep their defaults."""
        found: dict[str, Any] = {"base": link.get("base", ""), "probe": link.get("probe", "")}
        wrong = []
        for part in filter(None, link.get("tune", "").split(",")):
            name, _, text = part.partition(":")
            try:
                found[name] = FORM[name].read(text)
            except (KeyError, ValueError):
                wrong.append(name)
        made = cls(**found)
        if link.get("text"):
            made = replace(made, files={"train": File(link["text"])})
        recipe = OWN[made.recipe]
        usual = {choice.name: getattr(recipe.example.task, choice.name) for choice in recipe.kind.readings()}
        said, more = read_choices(recipe.kind.readings(), usual, link.get("reading", ""))
        return replace(made, reading=tuple(said.items())), wrong + more

    def to_link(self) -> dict[str, str]:
        """Return the form as parameters of an address: what differs from its defaults; and the data, if of one file."""
        alone = self.files.get("train") if len(self.files) == 1 else None
        is_told = alone is not None and len(quote_plus(alone.table)) <= MOST_TOLD
        usual = {name: "auto" if isinstance(value, str) else 0 for name, value in self.reading}
        return {
            "recipe": FINE_TUNE,
            "base": self.base,
            "tune": written_choices(*({name: getattr(form, name) for name in FORM} for form in (self, Tuning()))),
            "probe": self.probe,
            "text": alone.table if is_told and alone is not None else "",
            "reading": written_choices(dict(self.reading), usual) if is_told else "",
        }


FORM: Mapping[str, Setting] = {
    "tags": Setting("tags", (False, True)),
    "method": Setting("method", METHOD_NAMES),
    "layers": Setting("layers", limits=(1, 999)),
    "batch": Setting("batch", BATCHES, (1, 65_536)),
    "steps": Setting("steps", limits=(1, 1_000_000)),
    "rate": Setting("rate", limits=(1e-8, 1.0)),
    "length": Setting("length", limits=(4, 2**16)),
    "seed": Setting("seed", limits=(0, 2**31 - 1)),
    "validation": Setting("validation", limits=(SHARE.start, SHARE.stop - 1)),
    "test": Setting("test", limits=(SHARE.start, SHARE.stop - 1)),
    "split": Setting("split", limits=(0, 2**31 - 1)),
    "weighted": Setting("weighted", (False, True)),
    "stop": Setting("stop", (False, True)),
}
"""Fields of `Tuning` that the address tells beside base, data and probe."""


def tried_methods(n_layers: int, lora: bool) -> list[str]:
    """Return what may be trained of a model of so many layers, the least first; all of them are one method.

    Example:
        >>> tried_methods(3, lora=True)
        ['head', 'last:1', 'last:2', 'lora', 'all-but-embeddings', 'all']
    """
    last = [f"{LAST}:{n}" for n in range(1, n_layers)]
    return ["head", *last, *(["lora"] if lora else []), "all-but-embeddings", "all"]


def recipe_of(tags: bool) -> str:
    """Return the name of the recipe for data of one's own that are laid out like tagged words, or like texts."""
    return OWN_ENTITIES if tags else OWN_LABELS


@lru_cache(8)
def content_of(file: File, tags: bool, reading: Reading) -> str:
    """Return the data of a file as a task of fine-tuning takes them.

    Raises:
        InputError: they cannot be read so; DataUnclear: they leave open how.
    """
    said: dict[str, Any] = dict(reading)
    if tags:
        return tagged_lines(file.table, **said)
    return labelled_csv(file.table, **said)


@lru_cache(8)
def _alike(file: File, train: File, reading: Reading) -> Reading:
    """Return how a table of texts is read like the one to train on.

    Raises:
        InputError: that one cannot be read.
    """
    said = dict(reading)
    layout = labelled_layout(train.table, **cast(Any, said)).settled()
    return tuple(read_alike(file.table, layout, said, MOST_ROWS).items())


def usual_reading(file: File) -> Mapping[str, Any]:
    """Return how a table of texts is read, as far as the names of its columns tell."""
    try:
        return usual_columns(file.table)
    except AttnvizError:  # the page says so beside the data
        return {}
