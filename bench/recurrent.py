"""How far back can a network remember? Six networks of like size recall the first symbol after 10 to 200 steps.

    python -m bench.recurrent [--steps N] [--seeds N] [--json]

One thread, CPU seconds; every network has the same batches, steps and learning rate. `--json` prints what is shipped as
attnviz/zoo/comparisons/first-symbol.json, and nothing else on standard output.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch

from attnviz.models import build_network
from attnviz.training import RunConfig, evaluate, train
from attnviz.training.comparison import CONTENDERS, DISTANCES, STORIES, Contender, Curve, Facts, at_distance, configs

STEPS = 500
TEST_SIZE = 1024


def measure(contender: Contender, distance: int, config: RunConfig) -> dict[str, object]:
    """Train one contender to its end: its curve, what a step took, and its accuracy on test data."""
    network = build_network(config.model, config.training.seed)
    begin = time.process_time()
    looks = [
        (step.step, round(time.process_time() - begin, 3), round(step.validation.accuracy, 4))
        for step in train(network, config.task, config.training)
        if step.validation is not None
    ]
    test = evaluate(network, config.task, "test", TEST_SIZE, config.training.seed)
    steps, seconds, values = zip(*looks, strict=True)
    curve = Curve(contender, distance, config.training.seed, steps, seconds, values)
    return {**asdict(curve), **asdict(Facts.of(config)), "test": round(test.accuracy, 4)}


def line(found: dict[str, object]) -> str:
    """One contender at one distance as a line of the table."""
    steps, seconds = found["steps"][-1], found["seconds"][-1]  # type: ignore[index]
    return (
        f"{found['distance']:>4} steps back  {found['contender']:15} seed {found['seed']}  test {found['test']:7.1%}  "
        f"{found['parameters']:>7,} parameters  {steps:>5} steps  {seconds:>6.1f} s  "
        f"{1000 * seconds / steps:>6.1f} ms a step"
    )


def processor() -> str:
    """Return the name of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [text.split(":", 1)[1].strip() for text in lines if text.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS, metavar="N", help="at most (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="seeds 0 to N - 1 (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output and nothing else")
    options = parser.parse_args()
    if options.steps < 1 or options.seeds < 1:
        parser.error("--steps and --seeds must be at least 1")
    torch.set_num_threads(1)
    recipe = STORIES["first-symbol"]
    shortest = configs(at_distance(recipe, DISTANCES[0]), 1, 0)["transformer"]
    next(train(build_network(shortest.model, 0), shortest.task, shortest.training))  # the first step loads much
    results = []
    for distance in DISTANCES:
        for seed in range(options.seeds):
            runs = configs(at_distance(recipe, distance), options.steps, seed)
            for contender in CONTENDERS:
                results.append(measure(contender, distance, runs[contender]))
                print(line(results[-1]), file=sys.stderr if options.json else sys.stdout, flush=True)
    if options.json:
        made = {"processor": processor(), "torch": torch.__version__, "threads": 1, "steps": options.steps}
        training = {"batch_size": recipe.training.batch_size, "learning_rate": recipe.training.learning_rate}
        print(json.dumps({"task": recipe.name, **made, **training, "curves": results}, separators=(",", ":")))


if __name__ == "__main__":
    main()
