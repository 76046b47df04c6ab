"""`attnviz models`: all that can be opened, told without loading any weights."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass

from attnviz.cli.common import SUCCESS, WHERE, Commands, add_command, add_models_option, models_root
from attnviz.cli.text import columns, printable
from attnviz.errors import AttnvizError, RunError
from attnviz.library import MODELS_FOLDER, ModelFolder, model_folders
from attnviz.loading import checkpoint_name
from attnviz.models.cost import n_parameters
from attnviz.models.weight_files import stored_parameters
from attnviz.training import Run, all_runs
from attnviz.zoo import EXAMPLE_RUNS, zoo

__all__ = ["add_models"]


@dataclass(frozen=True)
class Model:
    """A line of the list.

    Attributes:
        name: under which it is opened.
        kind: "zoo", "run" or "folder".
        architecture: "" when it cannot be read.
        n_parameters: numbers in its weights; None when it cannot be read.
        problem: why it cannot be opened, else None.
    """

    name: str
    kind: str
    architecture: str = ""
    n_parameters: int | None = None
    title: str = ""
    problem: str | None = None


def add_models(commands: Commands) -> None:
    """The command that lists models."""
    models = add_command(
        commands,
        "models",
        "list the models that can be opened",
        "List every model that `attnviz trace` and attnviz.load_model open: the shipped ones, the last checkpoint of "
        f"every run, and the folders in --models or {MODELS_FOLDER}; with name, architecture, size and title. One that "
        "cannot be opened is listed with the reason.",
        ["models", "models --models ~/models", "models --json | jq -r '.[].name'"],
        WHERE,
    )
    add_models_option(models)
    models.add_argument("--json", action="store_true", help="as JSON: a list of objects")
    models.set_defaults(command=_models)


def _models(options: argparse.Namespace) -> int:
    root = models_root(options)
    models = [Model(f"zoo/{each.name}", "zoo", each.architecture, each.size, each.title) for each in zoo()]
    models += map(_of_run, [*all_runs(), *all_runs(EXAMPLE_RUNS)])
    models += map(_of_folder, [] if root is None else model_folders(root))
    if options.json:
        print(json.dumps([asdict(model) for model in models], indent=1))
    else:
        for line in columns([_row(model) for model in models], right=(2,)):
            print(line)
    return SUCCESS


def _row(model: Model) -> list[str]:
    if model.problem is not None:
        return [printable(model.name), printable(" ".join(model.problem.split()))]
    size = "" if model.n_parameters is None else f"{model.n_parameters:,} parameters"
    return [printable(model.name), printable(model.architecture), size, printable(model.title)]


def _of_run(run: Run | RunError) -> Model:
    if isinstance(run, RunError):
        return Model(f"run/{run.name}", "run", problem=str(run))
    steps = run.checkpoints()
    if not steps:
        return Model(f"run/{run.name}", "run", problem="cannot be opened: it has no checkpoint yet")
    config, name = run.config, checkpoint_name(run, steps[-1])
    title = f"{config.recipe or config.task.name}, step {steps[-1]:,} of {config.training.steps:,}"
    return Model(name, "run", config.model.architecture, n_parameters(config.model), title)


def _of_folder(model: ModelFolder) -> Model:
    name = str(model.folder)
    try:
        if model.problem is not None:
            raise model.problem
        return Model(name, "folder", model.architecture, stored_parameters(model.folder), model.title)
    except AttnvizError as error:
        return Model(name, "folder", problem=str(error))
