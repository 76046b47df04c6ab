"""Does every recipe learn its task, how soon, and do its heads read what they should? `python -m bench.tasks`.

Every recipe is trained as it is, on one thread, once for each of ten seeds that it was not tuned on. The clock (CPU
seconds of this process, validation included) stops when validation first reaches the target; what is judged is the test
set, after the last step; a finite collection is judged whole. The pattern is that of the best head of the trained model
on test sequences, with the mass of a head that reads everything alike in brackets. A recipe meets its goal if nine of
ten seeds reach the target on the test set within the seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass

import torch

from attnviz.analysis import HeadScore, mean_scores
from attnviz.analysis.scores import score_interval
from attnviz.models import build_network
from attnviz.training import RECIPES, Recipe, evaluate, train
from attnviz.training.recipes.applications import APPLICATIONS

SHARE = 0.9  # of the seeds
FRESH = 1000  # the first seed: recipes were tuned on those below, which would flatter them
SECONDS = 20.0
MORE_SECONDS = {
    **{recipe.name: 120.0 for recipe in APPLICATIONS},
    **dict.fromkeys(("addition-3", "addition-3-plain", "dates"), 30.0),
    **dict.fromkeys(("english-short", "chinese-short"), 90.0),
    **dict.fromkeys(("english", "english-lstm", "chinese"), 400.0),  # those of the zoo, which read 512 characters
}


@dataclass(frozen=True)
class Run:
    """One recipe with one seed.

    Attributes:
        recipe: its name.
        seed: seed of weights and data.
        steps: done in all.
        steps_to_target: when validation first reached the target; None: never.
        seconds_to_target: CPU seconds until then; None: never.
        seconds: CPU seconds in all.
        metric: name of the metric.
        test: its value on test data.
        target: what it should be.
        reached: whether it is.
        judged: test sequences; of a finite collection all.
        interval: 95 % interval of `test`, where it has one.
        patterns: the best head of each expected pattern.
    """

    recipe: str
    seed: int
    steps: int
    steps_to_target: int | None
    seconds_to_target: float | None
    seconds: float
    metric: str
    test: float
    target: float
    reached: bool
    judged: int
    interval: tuple[float, float] | None
    patterns: tuple[HeadScore, ...]

    @property
    def in_time(self) -> bool:
        """Whether the target was reached, on both sets, within the seconds of the goal."""
        return self.reached and self.seconds_to_target is not None and self.seconds_to_target <= limit(self.recipe)


def limit(recipe: str) -> float:
    """CPU seconds within which a recipe should reach its target."""
    return MORE_SECONDS.get(recipe, SECONDS)


def measure(recipe: Recipe) -> Run:
    """Train a recipe and judge it."""
    metric, target = recipe.task.metric, recipe.target
    assert target is not None  # those of RECIPES have one
    recipe.task.sample(1, torch.Generator())  # a corpus is written once, not per training
    network = build_network(recipe.model, recipe.seed)
    first: tuple[int, float] | None = None
    step, start = 0, time.process_time()
    for done in train(network, recipe.task, recipe.training):
        step = done.step
        if first is None and done.validation is not None and done.validation.reaches(target, metric):
            first = step, time.process_time() - start
    seconds = time.process_time() - start
    result = evaluate(network, recipe.task, "test", recipe.test_size, recipe.seed)
    best: dict[str, HeadScore] = {}
    for score in mean_scores(recipe.bundle(network.eval(), result.score(metric)), recipe.task):
        best[score.pattern] = max(score, best.get(score.pattern, score), key=lambda head: head.mass)
    return Run(
        recipe=recipe.name,
        seed=recipe.seed,
        steps=step,
        steps_to_target=None if first is None else first[0],
        seconds_to_target=None if first is None else round(first[1], 2),
        seconds=round(seconds, 2),
        metric=metric,
        test=round(result.score(metric), 4),
        target=target,
        reached=result.reaches(target, metric),
        judged=result.n,
        interval=score_interval(metric, result),
        patterns=tuple(best.values()),
    )


def line(run: Run) -> str:
    """One run as a line of the table."""
    to_target = "-" if run.steps_to_target is None else f"{run.steps_to_target} / {run.seconds_to_target:.1f} s"
    patterns = "; ".join(
        f"{head.pattern} {head.mass:.2f} ({head.chance:.2f}), hits {head.hits:.2f}" for head in run.patterns
    )
    sure = "" if run.interval is None else " ({:.4f} to {:.4f})".format(*run.interval)
    return (
        f"{run.recipe:18} seed {run.seed}  target at {to_target:>14}  in all {run.steps:>5} / {run.seconds:>5.1f} s  "
        f"test {run.metric} {run.test:.4f} on {run.judged}{sure}  {patterns}"
    )


def verdict(name: str, runs: list[Run]) -> dict[str, object]:
    """Return all runs of a recipe: how many reached the target in time, and whether that is enough."""
    seconds = [run.seconds_to_target for run in runs if run.seconds_to_target is not None]
    in_time = sum(run.in_time for run in runs)
    exempt = RECIPES[name].exempt
    return {
        "recipe": name,
        "seeds": len(runs),
        "reached": sum(run.reached for run in runs),
        "in_time": in_time,
        "median_seconds": statistics.median(seconds) if seconds else None,
        "worst_seconds": max(seconds, default=None),
        "goal_seconds": None if exempt else limit(name),
        "ok": None if exempt else in_time >= SHARE * len(runs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Train every recipe with several seeds and judge it.")
    parser.add_argument("--task", action="append", choices=RECIPES, metavar="NAME", help="one recipe; may be repeated")
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument(
        "--first", type=int, default=FRESH, metavar="SEED", help="the first of them (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON on standard output and nothing else")
    options = parser.parse_args()
    if options.seeds < 1 or options.first < 0:
        parser.error("--seeds must be at least 1, --first at least 0")
    torch.set_num_threads(1)
    majority = RECIPES["majority"]
    next(train(build_network(majority.model, 0), majority.task, majority.training))  # the first step loads much
    results = []
    for name in options.task or RECIPES:
        runs = []
        for seed in range(options.first, options.first + options.seeds):
            runs.append(measure(RECIPES[name].changed(seed=seed)))
            print(line(runs[-1]), file=sys.stderr if options.json else sys.stdout, flush=True)
        results.append(verdict(name, runs) | {"runs": [asdict(run) for run in runs]})
    if options.json:
        print(json.dumps(results, indent=1))
        return
    print()
    for result in results:
        worst, median = (result[key] for key in ("worst_seconds", "median_seconds"))
        times = "never" if median is None else f"median {median:.1f} s, worst {worst:.1f} s"
        said = {None: "exempt", True: "ok", False: "MISSED"}[result["ok"]]
        goal = "" if result["goal_seconds"] is None else f"goal {SHARE:.0%} within {result['goal_seconds']:g} s"
        print(
            f"{result['recipe']:18} reached {result['reached']}/{result['seeds']}, in time {result['in_time']}  "
            f"{times:28} {goal:22} {said}"
        )


if __name__ == "__main__":
    main()
