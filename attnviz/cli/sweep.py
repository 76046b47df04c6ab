"""`attnviz sweep`: many runs of one task that differ in some settings, as one group."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import NamedTuple

from attnviz import locale
from attnviz.analysis.scores import score_text
from attnviz.cli.common import SUCCESS, WHERE, Commands, UsageError, add_command, one_line, positive
from attnviz.cli.settings import read_settings
from attnviz.cli.text import columns, printable
from attnviz.cli.train import KEYS, add_recipe, recipe_of
from attnviz.errors import ConfigError, RunError
from attnviz.tasks.base import Metric
from attnviz.training import RECIPES, RunConfig, TrainingQueue, open_run
from attnviz.training.recipes import OWN
from attnviz.training.run.queue import usual_workers
from attnviz.training.run.settings import Value, kind_of
from attnviz.training.sweep.cost import Cost, expected
from attnviz.training.sweep.members import Member, best_member, members, metric_of, outcomes
from attnviz.training.sweep.plan import Sweep, grid
from attnviz.training.sweep.runner import Runner, make
from attnviz.training.sweep.search import PRUNERS, SAMPLERS, Span
from attnviz.training.sweep.searcher import runner_of, search

__all__ = ["add_settings", "add_tuning", "show_sweep", "train_all"]

LOOK_SECONDS = 0.3  # between two looks at the runs
OF_A_SEARCH = ("trials", "sampler", "pruner")
TRIALS = 20
STOPPED_BY = {"halving": "halving", "pruner": "the pruner"}
OF_A_TASK = ("network", "model", "task", "set", "steps", "seed", "text", "validation", "test")


def add_tuning(commands: Commands) -> None:
    """The command that sweeps settings."""
    sweep = add_command(
        commands,
        "sweep",
        "train a task with many settings, and compare them",
        "Train every combination of some settings, each with some seeds, side by side on this machine's cores, or on a "
        "Ray cluster where ATTNVIZ_RAY_ADDRESS names one. How many runs, steps and minutes that takes is said first. "
        "What was trained before with the same settings is not trained again: after an interruption the same command "
        "goes on. The Runs page shows the group. A run in place of a task, also a fine-tuned one, is trained with "
        "other settings; attnviz finetune --grid begins with a model of Hugging Face. (What each head does is another "
        f"question: attnviz sweep-heads.) {WHERE}",
        [
            "sweep sort --grid n_layers=1,2 --grid learning_rate=0.0003,0.003 --seeds 5",
            "sweep induction --grid d_model=16,32,64 --grid n_heads=1,2 --halving --set validate_every=25",
            "sweep reviews-1 --grid method=head,last:2,all --grid learning_rate=0.0001,0.001 --seeds 3",
            "sweep sort --grid dropout=0,0.1,0.3 --dry-run",
        ],
        f"{KEYS}\nkeys of --grid are those of --model and --set without the seed; of a fine-tuned run method too.",
    )
    sweep.add_argument(
        "recipe", metavar="TASK|RUN", help="what to learn, see below; or the run whose other settings stay"
    )
    add_settings(sweep)
    sweep.add_argument("--dry-run", action="store_true", help="say what would be trained, and stop")
    add_recipe(sweep)
    sweep.set_defaults(command=lambda options: train_all(_base(options), options))


def add_settings(command: argparse.ArgumentParser) -> None:
    """The options that say which settings are tried; see `train_all`."""
    command.add_argument(
        "--grid",
        action="append",
        default=[],
        metavar="KEY=V1,V2",
        help="values of a setting; for several settings, again",
    )
    command.add_argument(
        "--search",
        action="append",
        default=[],
        metavar="KEY=LOW..HIGH[:log|:STEP]",
        help="in place of --grid: range (or V1,V2) from which Optuna draws; again for several settings",
    )
    command.add_argument(
        "--trials", type=positive, metavar="N", help=f"combinations that a search tries, at most (default: {TRIALS})"
    )
    command.add_argument("--sampler", choices=SAMPLERS, help="how a search draws (default: tpe)")
    command.add_argument("--pruner", choices=PRUNERS, help="what stops poor trials of a search early (default: none)")
    command.add_argument("--seeds", type=positive, default=1, metavar="N", help="seeds of each (default: 1)")
    command.add_argument("--halving", action="store_true", help="stop the poorer half early, again and again")
    command.add_argument("--workers", type=positive, metavar="N", help="processes that train (default: cores less one)")


def train_all(base: RunConfig, options: argparse.Namespace, before: Sequence[str] = ()) -> int:
    """Train a run with all the settings of `add_settings`; what that takes is said first, after some lines.

    Raises:
        UsageError: settings that cannot be, or too many.
    """
    from attnviz.finetuning.plan import step_seconds  # it brings what the other commands do without

    try:
        queue = _Workers(options.workers)
        sweep, configs = _plan(base, options, queue)
        found = members(sweep)
        cost = expected(sweep, configs, found, step_seconds, queue.cores)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    for line in [*before, *_planned(sweep, cost, queue, base.training.steps)]:
        print(line, flush=True)
    if options.dry_run:
        return SUCCESS
    make(sweep, configs)
    if cost.there < cost.runs:
        with queue.started() as training:
            runner = runner_of(sweep, training)
            found, sweep = _trained(runner, training), runner.sweep
    show_sweep(sweep, found)
    return SUCCESS


def _plan(base: RunConfig, options: argparse.Namespace, queue: _Workers) -> tuple[Sweep, list[RunConfig]]:
    """Return the grid or the search that was asked for."""
    if not options.search:
        if given := [name for name in OF_A_SEARCH if getattr(options, name) is not None]:
            raise UsageError(f"--{given[0]} belongs to --search")
        return grid(base, _grid(options.grid, base), options.seeds, options.halving)
    if options.grid:
        raise UsageError("give --grid or --search: values to choose from may be searched too, as --search KEY=V1,V2")
    if options.halving:
        raise UsageError("--halving belongs to --grid; to stop poor trials of a search early: --pruner halving")
    spans = [_span(text, base) for text in options.search]
    if twice := next((span.name for n, span in enumerate(spans) if span.name in {s.name for s in spans[:n]}), ""):
        raise UsageError(f"--search has {twice} twice")
    return search(
        base,
        spans,
        options.trials or TRIALS,
        sampler=options.sampler or "tpe",
        pruner=options.pruner or "none",
        at_once=ceil(queue.cores / options.seeds),
        seeds=options.seeds,
    )


class _Workers(NamedTuple):
    """Where runs are trained."""

    asked: int | None

    @property
    def cluster(self) -> str:
        return os.environ.get("ATTNVIZ_RAY_ADDRESS", "")

    @property
    def cores(self) -> int:
        return self.asked or usual_workers(self.cluster)

    def started(self) -> TrainingQueue:
        return TrainingQueue(self.asked, cluster=self.cluster)


def _base(options: argparse.Namespace) -> RunConfig:
    """Return the run that a task's options describe, or that of a name."""
    if options.recipe in RECIPES or options.recipe in OWN:
        return RunConfig.of_recipe(recipe_of(options))
    try:
        base = open_run(options.recipe).config
    except RunError as error:
        told = printable(options.recipe)
        if Path(options.recipe).is_dir():
            how = f"to fine-tune that folder with many settings: attnviz finetune {told} --data FILE --grid KEY=V1,V2"
            raise UsageError(f"{told} is a folder; {how}") from error
        raise UsageError(f"{told} is neither a task, see --help, nor a run: {error}") from error
    if given := [name for name in OF_A_TASK if getattr(options, name)]:
        raise UsageError(f"--{given[0]} belongs to a task; of a run all settings stay but those of --grid")
    return base


def _grid(given: Sequence[str], base: RunConfig, option: str = "--grid") -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = {}
    for text in given:
        name, sign, values = text.partition("=")
        if not sign or not all(values.split(",")):
            raise UsageError(f"{option} {printable(text)}: write KEY=V1,V2")
        kind = kind_of(name, base.model)
        found.setdefault(name, []).extend(read_settings(kind, [f"{name}={value}"])[name] for value in values.split(","))
    return found


def _span(text: str, base: RunConfig) -> Span:
    """Return what is searched, as typed: KEY=V1,V2 or KEY=LOW..HIGH, with :log or :STEP."""
    name, _, values = text.partition("=")
    if ".." not in values:
        ((name, choices),) = _grid([text], base, "--search").items()
        return Span(name, tuple(dict.fromkeys(choices)))
    ends, colon, how = values.partition(":")
    kind = kind_of(name, base.model)
    log = how == "log"
    typed = [*ends.split("..", 1), *([how] if colon and not log else [])]
    numbers = [read_settings(kind, [f"{name}={value}"])[name] for value in typed]
    if any(type(number) not in (int, float) for number in numbers):
        raise UsageError(f"--search {printable(text)}: a range has two numbers; write KEY=LOW..HIGH or KEY=V1,V2")
    return Span(name, (), numbers[0], numbers[1], log, *numbers[2:])


def _planned(sweep: Sweep, cost: Cost, queue: _Workers, steps: int) -> list[str]:
    """Say what a sweep takes."""
    there = f", {cost.there} of them there already" if cost.there else ""
    at = f"the cluster {queue.cluster}" if queue.cluster else _counted(queue.cores, "idle core")
    most = "at most " * (sweep.search is not None)
    several = _counted(cost.runs // sweep.seeds, "combination") + " of " * bool(sweep.keys) + ", ".join(sweep.keys)
    lines = [
        f"{sweep.name}: {most}{several} with {_counted(sweep.seeds, 'seed')}: {_counted(cost.runs, 'run')}{there}",
        f"at most {cost.steps:,} steps, about {_time(cost.seconds)} on {at}",
    ]
    if sweep.halving:
        looks = ", ".join(f"the best {rung.keep} go on at step {rung.step:,}" for rung in sweep.halving)
        lines.append(f"halving: {looks}; to step {steps:,}")
    if (plan := sweep.search) is not None:
        how = f"{plan.sampler} sampler with seed {plan.seed}, {plan.at_once} at once"
        looks = f"; {plan.pruner} pruner at steps {', '.join(f'{step:,}' for step in plan.looks)}" if plan.looks else ""
        lines.append(f"search: {how}{looks}")
    return lines


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _trained(runner: Runner, queue: TrainingQueue) -> list[Member]:
    """Train a sweep to its end, and tell of each run that ends."""
    told: set[str] = set()
    trouble = None
    try:
        while True:
            over = runner.advance()
            found = runner.look()
            for member in found:
                if (line := _ended(runner.sweep, member)) and line not in told:
                    told.add(line)
                    print(line, flush=True)
            if over:
                return found
            if queue.trouble and queue.trouble != trouble:
                trouble = queue.trouble
                print(one_line(locale.told(locale.DEFAULT, *trouble)), end="", file=sys.stderr, flush=True)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt("interrupted; the same command goes on") from interrupt


def _ended(sweep: Sweep, member: Member) -> str:
    """Tell how a run has ended; "" while it has not."""
    run, state = member.run, member.state
    if run is None or state is None or state.state not in ("done", "failed", "stopped") or state.by == "rung":
        return ""
    if state.state == "stopped" and not state.by and run.commands.last("stop") is None:
        return ""  # it is still to begin
    said = f"stopped by {STOPPED_BY[state.by]}" if state.poor else state.state
    best = "" if member.seen.best is None else f", {_score(run.config.task.metric, member.seen.best)}"
    why = f" ({printable(state.message)})" if state.message else ""
    return f"{run.name} {_settings(sweep, member)}: {said} at step {state.step:,}{best}{why}"


def _settings(sweep: Sweep, member: Member) -> str:
    told = [f"{key}={_value(value)}" for key, value in zip(sweep.keys, member.planned.values, strict=True)]
    return " ".join([*told, f"seed={member.planned.seed}"])


def _value(value: Value) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else printable(str(value))


def _score(metric: Metric, value: float) -> str:
    return f"{metric} {score_text(metric, value)}"


def show_sweep(sweep: Sweep, found: Sequence[Member]) -> None:
    """Print the results of a sweep, the best combination first."""
    metric = metric_of(found)
    rows = [[*sweep.keys, f"best {metric}", "± sd", "from", "to", "runs", "CPU s", ""]]
    for each in outcomes(sweep, found):
        there = sum(member.run is not None for member in each.members)
        scores = [each.mean, each.spread, each.low, each.high]
        told = ["–" if value is None else score_text(metric, value) for value in scores]
        note = f"stopped by {STOPPED_BY[each.stopped_by]}" if each.stopped_by else ""
        rows.append([*map(_value, each.values), *told, f"{there}", f"{each.seconds:.1f}", note])
    n = len(sweep.keys)
    for line in columns(rows, right=range(n, n + 6)):
        print(line.rstrip())
    best = best_member(found)
    if best is not None and best.run is not None and best.seen.best is not None:
        print(
            f"best run: {best.run.name} ({_settings(sweep, best)}), {_score(metric, best.seen.best)} on validation data"
        )
    print(f"written with: attnviz export {sweep.name} --csv FILE | --tensorboard FOLDER | --wandb FOLDER")
