"""The command line: `attnviz run`, `attnviz zoo`, `attnviz train`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from attnviz.errors import AttnvizError
from attnviz.models.bundle import CONFIG_FILE, save_model
from attnviz.models.transformer import build_network
from attnviz.training import RECIPES, Recipe, Step, evaluate, train
from attnviz.zoo import zoo

__all__ = ["main"]

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
        description="Train a model on one CPU thread and write it to a folder that attnviz.load_model opens. "
        "The same recipe and seed give the same weights on the same machine.",
        epilog="Recipes: " + ", ".join(RECIPES),
    )
    training.add_argument("--recipe", required=True, choices=RECIPES, metavar="NAME", help="what to train, see below")
    training.add_argument("--out", type=Path, metavar="FOLDER", help="where to write it (default: models/NAME)")
    training.add_argument("--steps", type=_positive, metavar="N", help="updates of the weights (default: the recipe's)")
    training.add_argument("--seed", type=_not_negative, metavar="S", help="of weights and data (default: the recipe's)")
    training.set_defaults(command=_train)
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
        return _fail(f"{folder} holds a model already: choose another folder with --out, or remove it")
    folder.mkdir(parents=True, exist_ok=True)  # before the work, so that a bad folder is known at once
    torch.set_num_threads(1)
    network = build_network(recipe.model, recipe.seed)
    print(f"{recipe.name}: {network.n_parameters:,} parameters, {recipe.training.steps:,} steps, seed {recipe.seed}")
    start = time.process_time()
    for step in train(network, recipe.task, recipe.training):
        if step.validation is not None:
            print(_progress(step, recipe, time.process_time() - start), flush=True)
    result = evaluate(network, recipe.task, "test", recipe.test_size, recipe.seed)
    score = result.score(recipe.task.metric)
    reached = "reached" if result.reaches(recipe.target, recipe.task.metric) else "not reached"
    save_model(recipe.bundle(network, round(score, 4)), folder)
    print(f"test: {recipe.task.metric} {score:.4f}, target {recipe.target:g} {reached}; written to {folder}")
    return SUCCESS


def _progress(step: Step, recipe: Recipe, seconds: float) -> str:
    assert step.validation is not None
    metric = recipe.task.metric
    return (
        f"step {step.step:>6,}/{recipe.training.steps:,}  loss {step.loss:.4f} nats  "
        f"validation {metric} {step.validation.score(metric):.4f}  {seconds:.0f} CPU-s"
    )


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
