"""`attnviz train` and `attnviz resume`."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, cast

import torch

from attnviz.analysis.pair_report import held_out_pairs, pair_report
from attnviz.analysis.scores import Interval, score_interval
from attnviz.bounded import reason
from attnviz.cli.common import SUCCESS, WHERE, Commands, UsageError, add_command, not_negative, one_line, positive
from attnviz.cli.pairs import MOST_SCORED, tell_texts
from attnviz.cli.progress import Bar, Lines, told
from attnviz.cli.settings import read_settings, setting_names
from attnviz.cli.text import printable
from attnviz.errors import ConfigError, DataOfSplit, DataUnclear, InputError, PathUnusable
from attnviz.errors.base import Why
from attnviz.locale import t
from attnviz.models.bundle import CONFIG_FILE, SequenceModel, save_model
from attnviz.models.config import ModelConfig
from attnviz.models.convolutional_config import ConvolutionalConfig
from attnviz.models.cost import n_parameters
from attnviz.models.kinds import NETWORKS, NetworkKind, network_of
from attnviz.models.network_config import OF_THE_TASK
from attnviz.models.recurrent_config import AnyConfig, RecurrentConfig
from attnviz.tasks import OwnPairs
from attnviz.tasks.base import Split
from attnviz.tasks.own.data import DividedTask
from attnviz.tasks.own.readers.decoding import ENCODINGS, Decoded
from attnviz.tasks.own.readers.workbooks import read_table
from attnviz.training import (
    RECIPES,
    Evaluation,
    Recipe,
    Run,
    RunConfig,
    RunState,
    TrainConfig,
    evaluate,
    new_run,
    open_run,
    record,
)
from attnviz.training.engine.memory import check_memory
from attnviz.training.recipes import OWN, OWN_LABELS, OWN_PAIRS, OWN_TEXT

__all__ = ["KEYS", "add_recipe", "add_training", "file_notes", "prepare", "recipe_of", "record_run"]

HELD: tuple[Split, ...] = ("validation", "test")
DIVIDED = [name for name, own in OWN.items() if issubclass(own.kind, DividedTask)]
FIXED = (*OF_THE_TASK, "cell")  # fields of configurations that nobody sets


def _wrapped(names: Sequence[str]) -> str:
    return textwrap.fill(", ".join(names), 76, subsequent_indent="  ", break_on_hyphens=False)


KEYS = f"""\
tasks:
  {_wrapped([*RECIPES, *OWN])}

keys of --model, of a Transformer:
  {_wrapped(setting_names(ModelConfig, FIXED))}

keys of --model, of rnn, lstm and gru:
  {_wrapped(setting_names(RecurrentConfig, FIXED))}

keys of --model, of cnn:
  {_wrapped(setting_names(ConvolutionalConfig, FIXED))}

keys of --set:
  {_wrapped(setting_names(TrainConfig))}

keys of --task are the task's own; a wrong one lists them."""


def add_training(commands: Commands) -> None:
    """The commands that train."""
    train = add_command(
        commands,
        "train",
        "train a small model on a task",
        "Train a model on one CPU thread, recorded as a run that the app shows and that can be stopped and "
        f"resumed. The same settings and seed give the same weights on the same machine. {WHERE}",
        [
            "train sort",
            "train induction --model n_layers=1 d_model=32 positions=rotary d_ff=0 --seed 3",
            "train copy --task max_length=12 --set learning_rate=0.01 clip=none --steps 500",
            "train sentiment-en --network gru --model pooling=dot",
            "train reverse --network cnn --model n_layers=5 kernel_size=3 dilation=2",
            f"train {OWN_TEXT} --text my.txt --task length=32",
            f"train {OWN_LABELS} --text reviews.csv --task header=yes text_column=2 label_column=3",
            f"train {OWN_PAIRS} --text pairs.tsv --task unit=pieces vocabulary=1000 --network lstm",
            f"train {OWN_PAIRS} --text train.tsv --validation valid.tsv --test test.tsv",
        ],
        KEYS,
    )
    train.add_argument("recipe", choices=[*RECIPES, *OWN], metavar="TASK", help="what to learn, see below")
    add_recipe(train)
    train.add_argument("--out", type=Path, metavar="FOLDER", help="also write the model there, for attnviz.load_model")
    train.set_defaults(command=_train)

    resume = add_command(
        commands,
        "resume",
        "go on with a run",
        f"Go on with a run where it was stopped or killed, and train it to its end. {WHERE}",
        ["resume sort-1", "resume sort-1 --out models/sort-1"],
    )
    resume.add_argument("run", metavar="RUN", help="its name")
    resume.add_argument("--out", type=Path, metavar="FOLDER", help="write the trained model there (default: nowhere)")
    resume.set_defaults(command=_resume)


def add_recipe(train: argparse.ArgumentParser) -> None:
    """The options by which a task differs from its recipe; see `recipe_of`."""
    train.add_argument("--text", type=Path, metavar="FILE", help=f"your data, for {', '.join(OWN)}")
    for split in HELD:
        help_ = f"data of its own for {split}, laid out likewise, for {', '.join(DIVIDED)}"
        train.add_argument(f"--{split}", type=Path, metavar="FILE", help=help_)
    train.add_argument(
        "--encoding",
        choices=list(ENCODINGS),
        default="",
        metavar="NAME",
        help=f"of your data (default: told by the file): {', '.join(ENCODINGS)}",
    )
    train.add_argument("--network", choices=NETWORKS, help="that is to learn it (default: the recipe's)")
    for name, what in (("model", "shape of the model"), ("task", "what the task is like"), ("set", "how to train")):
        key_value = {"nargs": "+", "action": "extend", "default": [], "metavar": "KEY=VALUE"}
        train.add_argument(f"--{name}", help=f"{what}, see below", **cast(Any, key_value))
    train.add_argument("--steps", type=positive, metavar="N", help="updates of the weights (default: the task's)")
    train.add_argument("--seed", type=not_negative, metavar="S", help="of weights and data (default: the task's)")


def _train(options: argparse.Namespace) -> int:
    recipe = recipe_of(options)
    # the recipe's target and name are not for what was changed
    changed = bool(options.network or options.model or options.task or options.set)
    prepare(options.out)
    run = new_run(RunConfig.of_recipe(recipe))
    state = record_run(run)
    if state.state != "done":
        return SUCCESS
    network = run.network(state.step)
    result = evaluate(network, recipe.task, "test", recipe.test_size, recipe.seed)
    score = result.score(recipe.task.metric)
    verdict = ""
    if recipe.target is not None and not changed:
        reached = "reached" if result.reaches(recipe.target, recipe.task.metric) else "not reached"
        verdict = f", target {recipe.target:g} {reached}"
    interval = score_interval(recipe.task.metric, result)
    print(f"test: {told(result, recipe.task.metric)}{_on(recipe, result, interval)}{verdict}")
    if isinstance(recipe.task, OwnPairs):
        tell_texts(pair_report(recipe.task, network, held_out_pairs(recipe.task, MOST_SCORED, recipe.seed)))
    if options.out is not None:
        ends = None if interval is None else (round(interval.low, 4), round(interval.high, 4))
        bundle = recipe.bundle(network, round(score, 4), judged=result.n, interval=ends)
        card = replace(bundle.card, recipe="") if changed else bundle.card
        print(f"written to {_save(replace(bundle, card=card), options.out)}")
    return SUCCESS


def _on(recipe: Recipe, result: Evaluation, interval: Interval | None) -> str:
    """Say how many items a score was computed on, whether these are all there are, and its interval."""
    every = " (all there are)" if recipe.task.items() is not None else ""
    sure = "" if interval is None else f", 95% interval {interval.low:.4f} to {interval.high:.4f}"
    return f" on {result.n:,} sequences{every}{sure}"


def _resume(options: argparse.Namespace) -> int:
    run = open_run(options.run)
    prepare(options.out)
    state = record_run(run)
    if options.out is not None and state.state == "done":
        save = _save if isinstance(model := run.model(state.step), SequenceModel) else _save_pretrained
        print(f"written to {save(model, options.out)}")
    return SUCCESS


def recipe_of(options: argparse.Namespace) -> Recipe:
    """Return the recipe that was named, with all that is to be different.

    Raises:
        UsageError: a setting, or data, that cannot be.
    """
    if (options.text is not None) != (options.recipe in OWN):
        raise UsageError(f"--text FILE belongs to {', '.join(OWN)}, which need it")
    if (given := [split for split in HELD if getattr(options, split)]) and options.recipe not in DIVIDED:
        raise UsageError(f"--{given[0]} FILE belongs to {', '.join(DIVIDED)}")
    try:
        recipe = _own(options) if options.text is not None else _of_task(options)
        model = _network(recipe, options.network)
        model = replace(model, **_settings("model", type(model), options.model, FIXED))
        training = replace(recipe.training, **_settings("set", TrainConfig, options.set))
        recipe = replace(recipe, model=model, training=training).changed(options.steps, options.seed)
        check_memory(model, recipe.training.batch_size, recipe.task)
    except (ConfigError, InputError) as error:
        raise UsageError(str(error)) from error
    return recipe


def _of_task(options: argparse.Namespace) -> Recipe:
    recipe = RECIPES[options.recipe]
    task = replace(cast(Any, recipe.task), **_settings("task", type(recipe.task), options.task))
    if not options.task:
        return recipe
    return replace(recipe, task=task, model=task.network_config(network_of(recipe.model)))


def _network(recipe: Recipe, network: NetworkKind | None) -> AnyConfig:
    """Return the recipe's model, or another network that suits its task."""
    return recipe.model if network is None else recipe.task.network_config(network)


def _own(options: argparse.Namespace) -> Recipe:
    """Return the recipe for data of one's own; an encoding that was not certain is told."""
    own = OWN[options.recipe]
    found = {options.text: read_table(options.text, options.encoding)}
    texts = {"text": found[options.text].text}
    for split in HELD:
        if path := getattr(options, split):
            try:
                found[path] = read_table(path, options.encoding)
            except InputError as error:
                raise DataOfSplit(split, Why.of(error)) from error
            texts[f"{split}_text"] = found[path].text
    notes = [note for path, read in found.items() for note in file_notes(path, read)]
    try:
        recipe = own.of(**texts, **_settings("task", own.kind, options.task, own.kind.brought))
    except InputError as error:
        asked = error.__cause__ if isinstance(error, DataOfSplit) else error
        how = " That is: --task KEY=VALUE." if isinstance(asked, DataUnclear) else ""
        raise UsageError(" ".join([f"{error}{how}", *(f"{note}." for note in notes)])) from error
    for note in notes:
        print(one_line(note), end="", file=sys.stderr)
    for said in recipe.task.notes():
        print(f"{'note' if said.warns else 'data'}: {t('en', said.key, **said.values)}")
    return recipe


def file_notes(path: Path, read: Decoded) -> list[str]:
    """Return what is said of a file whose encoding is not certain, or of a workbook with several sheets."""
    notes = []
    if not read.certain:
        notes.append(f"{path} was read as {read.encoding}, which is likely but not certain; --encoding says another")
    if read.sheets:
        first, *others = map(printable, read.sheets)
        notes.append(f"{path}: only the sheet {first} was read, not {', '.join(others)}")
    return notes


def _settings(option: str, kind: type, texts: Sequence[str], fixed: Sequence[str] = ()) -> dict[str, Any]:
    try:
        return read_settings(kind, texts, fixed)
    except ConfigError as error:
        raise UsageError(f"--{option}: {error}") from error


def prepare(folder: Path | None) -> None:
    """Make the folder for a model before the work, so that a bad one is known at once."""
    if folder is not None:
        try:
            if (folder / CONFIG_FILE).exists():
                raise UsageError(f"{folder} holds a model already: choose another folder with --out, or remove it")
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--out: {PathUnusable(str(folder), reason(error))}") from error


def _save_pretrained(model: Any, folder: Path) -> Path:
    from attnviz.huggingface.tuned import save_folder

    return save_folder(model, folder)


def _save(model: SequenceModel, folder: Path) -> Path:
    """Write a model; where somebody else wrote one meanwhile, to a folder of the same name with a number."""
    for number in count(1):
        target = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        target.mkdir(parents=True, exist_ok=True)
        try:
            (target / CONFIG_FILE).touch(exist_ok=False)  # whoever makes it has the folder
        except FileExistsError:
            continue
        return save_model(model, target)
    raise AssertionError("there is no end of numbers")


def record_run(run: Run) -> RunState:
    """Train a run and show how it goes."""
    torch.set_num_threads(1)
    training, label = run.config.training, run.config.recipe or run.config.task.name
    size = n_parameters(run.config.model)
    print(f"{label}: {size:,} parameters, {training.steps:,} steps, seed {training.seed}; run {run.name}", flush=True)
    with run.claimed():  # whoever trains it now has not read all of its commands yet
        run.commands.clear()
    try:
        with (Bar if sys.stderr.isatty() else Lines)(run) as progress:
            state = record(run, run.commands, progress.show)
    except KeyboardInterrupt as interrupt:
        step = run.state().step
        raise KeyboardInterrupt(f"interrupted at step {step:,}; go on with: attnviz resume {run.name}") from interrupt
    print(f"{state.state} at step {state.step:,}" + (f"; go on with: attnviz resume {run.name}" * state.resumable))
    return state
