"""The command line: `attnviz run`, `zoo`, `train`, and `runs`, `resume`, `tell` for runs."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from attnviz.errors import AttnvizError, RunError
from attnviz.models.bundle import CONFIG_FILE, save_model
from attnviz.models.transformer import build_network
from attnviz.training import (
    COMMANDS,
    RECIPES,
    Run,
    RunConfig,
    RunState,
    Step,
    all_runs,
    evaluate,
    new_run,
    open_run,
    record,
)
from attnviz.zoo import zoo

__all__ = ["main"]

TAKEN = "{} holds a model already: choose another folder with --out, or remove it"
SUCCESS, FAILURE = 0, 1  # argparse itself exits with 2 on wrong usage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, or 1 when it failed; wrong usage exits with 2."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except KeyboardInterrupt:
        return _fail("stopped")
    except (AttnvizError, FloatingPointError, OSError) as error:
        return _fail(str(error))
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="attnviz", description="See every number a live Transformer computes.", allow_abbrev=False
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="start the app in a browser", description="Start the app (Streamlit).")
    run.add_argument("--port", type=_port, default=8501, metavar="N", help="where to listen (default: %(default)s)")
    run.set_defaults(command=_run)

    listing = commands.add_parser("zoo", help="list the shipped models", description="List the shipped models.")
    listing.set_defaults(command=_zoo)

    training = commands.add_parser(
        "train",
        help="train a model of the zoo again",
        description="Train a model on one CPU thread, recorded as a run (see `attnviz runs`), and write it to a folder "
        "that attnviz.load_model opens. The same recipe and seed give the same weights on the same machine.",
        epilog="Recipes: " + ", ".join(RECIPES),
    )
    training.add_argument("--recipe", required=True, choices=RECIPES, metavar="NAME", help="what to train, see below")
    training.add_argument("--out", type=Path, metavar="FOLDER", help="where to write it (default: models/NAME)")
    training.add_argument("--steps", type=_positive, metavar="N", help="updates of the weights (default: the recipe's)")
    training.add_argument("--seed", type=_not_negative, metavar="S", help="of weights and data (default: the recipe's)")
    training.set_defaults(command=_train)

    where = "Runs are folders in ATTNVIZ_RUNS (default: ./runs)."
    runs = commands.add_parser("runs", help="list the training runs", description=f"List the runs. {where}")
    runs.set_defaults(command=_runs)

    resume = commands.add_parser("resume", help="go on with a run", description=f"Train a run to its end. {where}")
    resume.add_argument("run", metavar="RUN", help="its name")
    resume.add_argument("--out", type=Path, metavar="FOLDER", help="write the trained model there (default: nowhere)")
    resume.set_defaults(command=_resume)

    tell = commands.add_parser(
        "tell", help="tell a run what to do", description=f"Steer a run that is being trained, by any process. {where}"
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
    return parser


def _run(options: argparse.Namespace) -> int:
    app = Path(__file__).resolve().parent.parent / "app.py"
    if not app.is_file():
        return _fail(f"{app} not found: run the app from a copy of the repository")
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(options.port)]
    return subprocess.run(command, cwd=app.parent, env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ}).returncode


def _zoo(options: argparse.Namespace) -> int:
    for entry in zoo():
        print(
            f"{entry.name:<10} {entry.architecture:<16} {entry.size:>8,} parameters  {entry.metric} {entry.score:.3f}"
        )
    return SUCCESS


def _train(options: argparse.Namespace) -> int:
    recipe = RECIPES[options.recipe].changed(options.steps, options.seed)
    folder: Path = options.out or Path("models") / recipe.name
    if (folder / CONFIG_FILE).exists():
        return _fail(TAKEN.format(folder))
    folder.mkdir(parents=True, exist_ok=True)  # before the work, so that a bad folder is known at once
    run = new_run(RunConfig.of_recipe(recipe))
    state = _record(run)
    if state.state != "done":
        return SUCCESS
    network = run.network(state.step)
    result = evaluate(network, recipe.task, "test", recipe.test_size, recipe.seed)
    score = result.score(recipe.task.metric)
    reached = "reached" if result.reaches(recipe.target, recipe.task.metric) else "not reached"
    save_model(recipe.bundle(network, round(score, 4)), folder)
    print(f"test: {recipe.task.metric} {score:.4f}, target {recipe.target:g} {reached}; written to {folder}")
    return SUCCESS


def _record(run: Run) -> RunState:
    """Train a run and print how it goes."""
    torch.set_num_threads(1)
    training, metric = run.config.training, run.config.task.metric
    size = build_network(run.config.model, training.seed).n_parameters
    label = run.config.recipe or run.config.task.name
    print(f"{label}: {size:,} parameters, {training.steps:,} steps, seed {training.seed}; run {run.name}", flush=True)
    start = time.process_time()

    def show(step: Step) -> None:
        if step.validation is not None:
            print(
                f"step {step.step:>6,}/{training.steps:,}  loss {step.loss:.4f} nats  "
                f"validation {metric} {step.validation.score(metric):.4f}  {time.process_time() - start:.0f} CPU-s",
                flush=True,
            )

    run.commands.clear()
    state = record(run, run.commands, show)
    print(f"{state.state} at step {state.step:,}")
    return state


def _runs(options: argparse.Namespace) -> int:
    for run in all_runs():
        try:
            print(_describe(run) if isinstance(run, Run) else run)
        except RunError as error:
            print(error)
    return SUCCESS


def _describe(run: Run) -> str:
    state, steps = run.state(), run.config.training.steps
    return f"{run.name:<32} {state.state:<12} {state.step:>8,}/{steps:,}  {state.message}".rstrip()


def _resume(options: argparse.Namespace) -> int:
    run = open_run(options.run)
    if options.out is not None and (options.out / CONFIG_FILE).exists():
        return _fail(TAKEN.format(options.out))
    state = _record(run)
    if options.out is not None and state.state == "done":
        print(f"written to {save_model(run.model(state.step), options.out)}")
    return SUCCESS


def _tell(options: argparse.Namespace) -> int:
    run = open_run(options.run)
    state = run.state()
    if not state.active:
        return _fail(f"run {run.name} is {state.state}: nobody trains it")
    run.commands.send(options.what, options.value)
    return SUCCESS


def _fail(message: str) -> int:
    print(f"attnviz: {' '.join(message.split())}", file=sys.stderr)
    return FAILURE


def _whole_number(text: str, lowest: int, highest: float = float("inf")) -> int:
    try:
        value = int(text)
    except ValueError:
        value = lowest - 1
    if not lowest <= value <= highest:
        limits = f"from {lowest} to {highest}" if highest < float("inf") else f"of at least {lowest}"
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {limits}")
    return value


def _positive(text: str) -> int:
    return _whole_number(text, 1)


def _not_negative(text: str) -> int:
    return _whole_number(text, 0, 2**63 - 2**22)


def _port(text: str) -> int:
    return _whole_number(text, 1, 65535)
