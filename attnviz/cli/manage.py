"""`attnviz runs`, `tell`, `export`, `rename` and `delete`: what is done with runs, apart from training them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attnviz.cli.common import SUCCESS, WHERE, CommandError, Commands, UsageError, add_command, not_negative
from attnviz.errors import InvalidRunName, RunError, RunNotFound, SweepNotFound
from attnviz.models.cost import n_parameters
from attnviz.training import COMMANDS, Run, all_runs, open_run
from attnviz.training.run.export import metrics_csv, model_files, pytorch_script, tensorboard, write_run_zip
from attnviz.training.run.manage import delete_run, rename_run
from attnviz.training.run.progress import Progress
from attnviz.training.run.settings import settings_of
from attnviz.training.sweep.export import sweep_csv, tensorboard_runs, wandb_offline
from attnviz.training.sweep.members import members
from attnviz.training.sweep.plan import load_sweep

__all__ = ["add_managing"]


def add_managing(commands: Commands) -> None:
    """The commands for runs."""
    runs = add_command(
        commands,
        "runs",
        "list the training runs",
        f"List the training runs, the newest first, with their state and step. {WHERE}",
        ["runs", "runs --json"],
    )
    runs.add_argument("--json", action="store_true", help="as JSON: an object for each, with settings and metrics")
    runs.set_defaults(command=_runs)

    tell = add_command(
        commands,
        "tell",
        "tell a run what to do",
        f"Steer a run that is being trained, by the app or in another terminal. {WHERE}",
        ["tell sort-1 pause", "tell sort-1 resume", "tell sort-1 learning_rate 0.001", "tell sort-1 stop"],
    )
    tell.add_argument("run", metavar="RUN", help="its name")
    tell.add_argument("what", choices=COMMANDS, metavar="COMMAND", help=", ".join(COMMANDS))
    tell.add_argument(
        "value",
        nargs="?",
        type=float,
        metavar="VALUE",
        help="the learning rate; the speed in steps per second, none for the highest",
    )
    tell.set_defaults(command=_tell)

    export = add_command(
        commands,
        "export",
        "write a run's metrics, weights or code elsewhere",
        "Write what a run holds in forms that others read; a file that exists is replaced. Of a sweep, --csv writes a "
        f"table of its runs, and --tensorboard and --wandb all of them. {WHERE}",
        [
            "export sort-1 --csv metrics.csv --tensorboard logs",
            "export sort-1 --script model.py --safetensors model.safetensors --step 500",
            "export sort-1 --zip sort-1.zip",
            "export sweep-sort-1a2b3c4d --csv runs.csv --tensorboard logs --wandb .",
        ],
    )
    export.add_argument("run", metavar="RUN|SWEEP", help="its name")
    export.add_argument("--csv", type=Path, metavar="FILE", help="metrics of every step as CSV")
    export.add_argument("--safetensors", type=Path, metavar="FILE", help="weights of a checkpoint")
    export.add_argument("--step", type=not_negative, metavar="N", help="of that checkpoint (default: the last)")
    export.add_argument("--script", type=Path, metavar="FILE", help="the network as PyTorch code for those weights")
    export.add_argument("--tensorboard", type=Path, metavar="FOLDER", help="metrics and settings for TensorBoard")
    export.add_argument("--wandb", type=Path, metavar="FOLDER", help="the same for Weights & Biases, to be sent later")
    export.add_argument("--zip", type=Path, metavar="FILE", help="the whole folder; unpacked among runs it can go on")
    export.set_defaults(command=_export)

    rename = add_command(
        commands,
        "rename",
        "give a run another name",
        f"Give a run that nobody trains another name. {WHERE}",
        ["rename sort-20250131-120000 sort-1"],
    )
    rename.add_argument("run", metavar="RUN", help="its name")
    rename.add_argument("new", metavar="NEW", help="its new name: letters, digits, _ . and -")
    rename.set_defaults(command=_rename)

    delete = add_command(
        commands,
        "delete",
        "delete a run",
        f"Delete a run that nobody trains, with all its files, after asking. {WHERE}",
        ["delete sort-1", "delete sort-1 --yes"],
    )
    delete.add_argument("run", metavar="RUN", help="its name")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    delete.set_defaults(command=_delete)


def _runs(options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps([_facts(run) for run in all_runs()], ensure_ascii=False, indent=1))
        return SUCCESS
    for run in all_runs():
        try:
            print(_describe(run) if isinstance(run, Run) else run)
        except RunError as error:
            print(error)
    return SUCCESS


def _facts(run: Run | RunError) -> dict[str, Any]:
    """Return all about a run that fits a table; of one that cannot be read, why."""
    if isinstance(run, RunError):
        return {"name": run.name, "error": str(run)}
    config = run.config
    facts: dict[str, Any] = {"name": run.name, "recipe": config.recipe, "created": config.created}
    facts |= {"settings": settings_of(config), "parameters": n_parameters(config.model), "digest": config.digest}
    try:
        state, metric = run.state(), config.task.metric
        seen = Progress(run.metrics_path, metric).look()
    except RunError as error:
        return {**facts, "error": str(error)}
    stopped = {"stopped_by": state.by} if state.by else {}
    metrics = {"metric": metric, "best": seen.best, "lowest_validation_loss": seen.loss, "seconds": seen.seconds}
    return {**facts, "state": state.state, **stopped, "message": state.message, "step": seen.step, "metrics": metrics}


def _describe(run: Run) -> str:
    state, steps = run.state(), run.config.training.steps
    return f"{run.name:<32} {state.state:<12} {state.step:>8,}/{steps:,}  {state.message}".rstrip()


def _tell(options: argparse.Namespace) -> int:
    run = open_run(options.run)
    state = run.state()
    if not state.active:
        raise CommandError(f"run {run.name} is {state.state}: nobody trains it")
    run.commands.send(options.what, options.value)
    return SUCCESS


def _export(options: argparse.Namespace) -> int:
    written: list[Path] = []
    try:
        run = open_run(options.run)
    except RunNotFound:
        return _export_sweep(options)
    if options.step is not None and options.safetensors is None:
        raise UsageError("--step N belongs to --safetensors FILE")
    if options.step is not None and options.step not in run.checkpoints():
        steps = ", ".join(map(str, run.checkpoints())) or "none yet"
        raise UsageError(f"run {run.name} has no checkpoint of step {options.step}; there are {steps}")
    if options.csv:
        options.csv.write_text(metrics_csv(run), encoding="utf-8")
        written.append(options.csv)
    if options.safetensors:
        options.safetensors.write_bytes(model_files(run, options.step))
        written.append(options.safetensors)
    if options.script:
        options.script.write_text(pytorch_script(run), encoding="utf-8")
        written.append(options.script)
    if options.tensorboard:
        written.append(tensorboard(run, options.tensorboard))
    if options.wandb:
        written += wandb_offline([run], options.wandb)
    if options.zip:
        with options.zip.open("wb") as file:
            write_run_zip(run, file)
        written.append(options.zip)
    if not written:
        raise UsageError("say what to write: --csv, --safetensors, --script, --tensorboard, --wandb or --zip")
    return _written(written)


def _written(paths: Sequence[Path]) -> int:
    for path in paths:
        print(f"written to {path}")
    return SUCCESS


def _export_sweep(options: argparse.Namespace) -> int:
    try:
        sweep = load_sweep(options.run)
    except SweepNotFound as error:
        raise RunNotFound(options.run) from error
    if given := [name for name in ("safetensors", "script", "zip") if getattr(options, name)]:
        raise UsageError(f"--{given[0]} belongs to a single run, and {sweep.name} is a sweep")
    found, written = members(sweep), []
    runs = [member.run for member in found if member.run is not None]
    if options.csv:
        options.csv.write_text(sweep_csv(sweep, found), encoding="utf-8")
        written.append(options.csv)
    if options.tensorboard:
        tensorboard_runs(runs, options.tensorboard)
        written.append(options.tensorboard)
    if options.wandb:
        written += wandb_offline(runs, options.wandb, sweep.name)
    if not written:
        raise UsageError("say what to write: --csv, --tensorboard or --wandb")
    return _written(written)


def _rename(options: argparse.Namespace) -> int:
    try:
        run = rename_run(options.run, options.new)
    except InvalidRunName as error:
        raise UsageError(str(error)) from error
    print(f"run {options.run} is {run.name} now")
    return SUCCESS


def _delete(options: argparse.Namespace) -> int:
    if not options.yes:
        if not sys.stdin.isatty():
            raise UsageError(f"run {options.run} was not deleted: nobody can be asked here, say --yes")
        if input(f"delete run {options.run} with all its files? [y/N] ").strip().lower() not in ("y", "yes"):
            print(f"run {options.run} is kept")
            return SUCCESS
    delete_run(options.run)
    print(f"run {options.run} is deleted")
    return SUCCESS
