"""A sweep as data: settings, seeds and the runs of them, in a small file among the runs.

runs/.sweeps/NAME.json      the plan; see `Sweep`

A run is part of a sweep by the hash of its configuration: whoever renames it, it stays part; one that somebody trained
before is not trained again; one that is deleted is missing, and the others stay. The name of a sweep is made of its
plan: who plans the same again goes on with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any, Self

from attnviz.bounded import MALFORMED, read_json, reason
from attnviz.errors import (
    ConfigError,
    SweepCombination,
    SweepCorrupt,
    SweepNotFound,
    SweepSteps,
    SweepUncompared,
    TooManyPlanned,
)
from attnviz.errors.base import Why
from attnviz.errors.settings import check_whole
from attnviz.training.engine.memory import check_memory
from attnviz.training.run.config import RunConfig
from attnviz.training.run.files import write_json, writing
from attnviz.training.run.runs import is_run_name, runs_root
from attnviz.training.run.settings import Value, changed, kind_of
from attnviz.training.sweep.halving import Rung, rungs
from attnviz.training.sweep.search import Search

__all__ = [
    "MOST_RUNS", "OF_HALVING", "Planned", "Sweep", "all_sweeps", "delete_sweep", "grid", "load_sweep", "looks",
    "plan_name", "planned_config", "planned_runs", "save_sweep",
]  # fmt: skip

FOLDER = ".sweeps"
FORMAT = 1
MOST_RUNS = 1000
MOST_BYTES = 4 * 2**20
OF_HALVING = ("steps", "validate_every")  # which must be the same for all that are compared on the way
TOLD = 8  # characters of a hash in a name


@dataclass(frozen=True)
class Planned:
    """A run of a sweep.

    Attributes:
        name: name under which it is made.
        values: of each of the sweep's settings.
        seed: seed of weights and data.
        digest: `RunConfig.digest`.
    """

    name: str
    values: tuple[Value, ...]
    seed: int
    digest: str


@dataclass(frozen=True)
class Sweep:
    """Combinations of settings, each with some seeds.

    Attributes:
        name: begins with "sweep-".
        keys: settings that are varied.
        runs: of one combination after the other, all seeds of it.
        halving: how often and how many are stopped early; () for never.
        search: how the combinations are drawn, of which `runs` has those so far; None: all are known from the first.
        created: when, ISO 8601 with the time zone.
        owner: hash of who started it in a browser; "" for everybody.
        kept: a server looks after it, until it is over or somebody stops it.
    """

    name: str
    keys: tuple[str, ...]
    runs: tuple[Planned, ...]
    halving: tuple[Rung, ...] = ()
    search: Search | None = None
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    owner: str = ""
    kept: bool = False

    @property
    def combinations(self) -> list[tuple[Value, ...]]:
        """The values of each combination, in order."""
        return list(dict.fromkeys(run.values for run in self.runs))

    @property
    def seeds(self) -> int:
        """Number of seeds of each combination."""
        return len(self.runs) // len(self.combinations)

    def of_combination(self, values: tuple[Value, ...]) -> list[int]:
        """Return the numbers of a combination's runs."""
        return [number for number, run in enumerate(self.runs) if run.values == values]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        search = None if self.search is None else self.search.to_dict()
        return {"format": FORMAT, **vars(self), "runs": [vars(run) for run in self.runs], "search": search}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the sweep that `to_dict` described.

        Raises:
            MALFORMED: it is none; see bounded.py.
        """
        if values.get("format") != FORMAT:
            raise ValueError(f"format {values.get('format')!r} is unknown, this version reads {FORMAT}")
        keys, runs = tuple(map(str, values["keys"])), tuple(_planned(run) for run in values["runs"])
        if not 0 < len(runs) <= MOST_RUNS or any(len(run.values) != len(keys) for run in runs):
            raise ValueError("its runs do not fit its settings")
        halving = tuple(Rung(int(step), int(keep)) for step, keep in values["halving"])
        created = datetime.fromisoformat(values["created"]).isoformat()
        search = values.get("search")  # plans of earlier versions have none
        search = None if search is None else Search.from_dict(search)
        if search is not None and search.keys != keys:
            raise ValueError("its search does not fit its settings")
        kept = values["kept"] is True
        return cls(str(values["name"]), keys, runs, halving, search, created, str(values["owner"]), kept)


def _planned(values: Mapping[str, Any]) -> Planned:
    told = tuple(values["values"])
    if not all(value is None or isinstance(value, int | float | str) for value in told):
        raise TypeError("a setting is a number, a text, true, false or null")
    name, seed, digest = values["name"], values["seed"], values["digest"]
    if not (type(name) is str and is_run_name(name) and type(seed) is int and type(digest) is str):
        raise TypeError("a run has a name, a seed and a hash")
    return Planned(name, told, seed, digest)


def grid(
    base: RunConfig,
    settings: Mapping[str, Sequence[Value]],
    seeds: int = 1,
    halving: bool = False,
    most: int = MOST_RUNS,
    owner: str = "",
) -> tuple[Sweep, list[RunConfig]]:
    """Plan every combination of some settings, each with some seeds.

    Args:
        base: run that has all other settings, and the first seed.
        settings: values of each setting; see `attnviz.training.run.settings.sweepable`.
        seeds: seeds of each combination: that of `base`, and those that follow.
        halving: whether the poorer half is stopped early, again and again; see halving.py.
        most: runs that may be planned.
        owner: see `Sweep`.

    Returns:
        The sweep, and the configuration of each of its runs.

    Raises:
        TooManyPlanned: they are more than `most`.
        SweepCombination: one of them cannot be built, or takes more memory than there is.
        SweepSteps: halving compares after so many steps, so their number cannot be varied.
        SweepUncompared: it cannot compare, for validation data is not looked at before the end.
        UnknownSetting: a setting that is none.

    Example:
        >>> from attnviz.training import RECIPES
        >>> base = RunConfig.of_recipe(RECIPES["copy"])
        >>> sweep, configs = grid(base, {"n_layers": [1, 2], "learning_rate": [0.001, 0.01]}, seeds=2)
        >>> sweep.combinations
        [(1, 0.001), (1, 0.01), (2, 0.001), (2, 0.01)]
        >>> [(config.model.n_layers, config.training.seed) for config in configs[:3]]
        [(1, 0), (1, 1), (1, 0)]
    """
    settings = {name: tuple(dict.fromkeys(values)) for name, values in settings.items()}
    check_whole("seeds", seeds, 1, MOST_RUNS)
    total = seeds
    for values in settings.values():
        total *= len(values)
    if total > min(most, MOST_RUNS) or not total:
        raise TooManyPlanned(total, min(most, MOST_RUNS))
    keys = tuple(settings)
    if halving and (unfit := [key for key in keys if key in OF_HALVING]):
        raise SweepSteps(unfit[0])
    configs, rows = [], []
    for values in product(*settings.values()):
        for seed in range(base.training.seed, base.training.seed + seeds):
            config = planned_config(base, dict(zip(keys, values, strict=True)), seed)
            configs.append(config)
            rows.append((values, seed, config.digest))
    n = total // seeds
    planned = looks(base, n) if halving and n > 1 else ()
    name = plan_name(base, [*(digest for _, _, digest in rows), *planned])
    return Sweep(name, keys, planned_runs(name, rows, total), planned, owner=owner), configs


def looks(base: RunConfig, n: int) -> tuple[Rung, ...]:
    """Return when n combinations are compared; see halving.py.

    Raises:
        SweepUncompared: validation data is not looked at before the end.
    """
    steps, every = base.training.steps, base.training.validate_every
    if not (planned := tuple(rungs(steps, every, n))):
        raise SweepUncompared(every, steps)
    return planned


def planned_runs(name: str, rows: Sequence[tuple[tuple[Value, ...], int, str]], total: int) -> tuple[Planned, ...]:
    """Return the runs of a plan, of which there may be `total`, from their values, seeds and hashes."""
    width = len(str(total))
    return tuple(Planned(f"{name}.{number:0{width}}", *row) for number, row in enumerate(rows, 1))


def planned_config(base: RunConfig, values: Mapping[str, Value], seed: int) -> RunConfig:
    """Return a run with some settings and a seed.

    Raises:
        SweepCombination: it cannot be built, or takes more memory than there is.
        UnknownSetting: a setting that is none.
    """
    for name in values:
        kind_of(name, base.model)
    try:
        config = changed(base, values, seed)
        check_memory(config.model, config.training.batch_size, config.task)
    except ConfigError as error:
        raise SweepCombination(", ".join(f"{name}={value}" for name, value in values.items()), Why.of(error)) from error
    return config


def plan_name(base: RunConfig, plan: Sequence[Any]) -> str:
    """Return the name of a plan: the same for the same one."""
    told = sha256(json.dumps(plan).encode()).hexdigest()[:TOLD]
    task = (base.recipe or base.task.name).replace(" ", "-")
    return f"sweep-{task}-{told}"


def save_sweep(sweep: Sweep, root: Path | None = None) -> None:
    """Write the plan of a sweep, in place of one of the same name.

    Raises:
        RunUnwritable: the folder of the runs cannot be written to.
    """
    folder = (root or runs_root()) / FOLDER
    with writing(sweep.name):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / f"{sweep.name}.json", sweep.to_dict())


def load_sweep(name: str, root: Path | None = None) -> Sweep:
    """Read the plan of a sweep.

    Raises:
        SweepNotFound: there is none of that name.
        SweepCorrupt: it was edited into something that cannot be, or written by a newer version.
    """
    if not is_run_name(name):
        raise SweepNotFound(name)
    path = (root or runs_root()) / FOLDER / f"{name}.json"
    try:
        stamp = path.stat()
        return _read(path, stamp.st_ino, stamp.st_mtime_ns, stamp.st_size)
    except FileNotFoundError as error:
        raise SweepNotFound(name) from error
    except MALFORMED as error:
        raise SweepCorrupt(name, reason(error)) from error


@lru_cache(64)
def _read(path: Path, number: int, changed: int, size: int) -> Sweep:
    """Read a plan, once for each of its versions."""
    sweep = Sweep.from_dict(read_json(path, MOST_BYTES, strict=True))
    if sweep.name != path.stem:
        raise ValueError(f"it is the plan of {sweep.name[:40]}")
    return sweep


def all_sweeps(root: Path | None = None) -> list[Sweep | SweepCorrupt]:
    """Return every sweep, the newest first; in place of one that cannot be read, the error that says why."""
    try:
        names = sorted(path.stem for path in ((root or runs_root()) / FOLDER).iterdir() if path.suffix == ".json")
    except OSError:  # there is none yet, or they cannot be listed
        return []
    found: list[Sweep | SweepCorrupt] = []
    for name in filter(is_run_name, names):
        try:
            found.append(load_sweep(name, root))
        except SweepNotFound:  # it was deleted a moment ago
            continue
        except SweepCorrupt as error:
            found.append(error)
    return sorted(found, key=lambda sweep: sweep.created if isinstance(sweep, Sweep) else "", reverse=True)


def delete_sweep(name: str, root: Path | None = None) -> None:
    """Forget a sweep; its runs stay.

    Raises:
        SweepNotFound: there is none of that name.
        RunUnwritable: the folder of the runs cannot be written to.
    """
    if not is_run_name(name):
        raise SweepNotFound(name)
    with writing(name):
        try:
            ((root or runs_root()) / FOLDER / f"{name}.json").unlink()
        except FileNotFoundError as error:
            raise SweepNotFound(name) from error
