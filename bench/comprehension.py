"""How well is reading comprehension learned? `python -m bench.comprehension [--seeds 10] [--first N] [--recipe NAME]`.

Every recipe of the task is trained once for each seed, none of which it was tuned on, on one thread, and judged on its
test set, in which every question and the sentence that answers it are built as none in training: the share of texts
with every word tagged right (exact match), with the answer's span exactly right, and of words tagged right: mean and
standard deviation over the seeds, least and most. Beside it stand the ways without a network, and CPU seconds of
training.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from attnviz.models import build_network
from attnviz.tasks import IGNORE
from attnviz.tasks.language.comprehension import ANSWER
from attnviz.training import RECIPES, Recipe, train
from attnviz.training.engine.gradients import forward

NAMES = ("comprehension", "comprehension-lstm")
FRESH = 1000  # the first seed


@torch.inference_mode()
def scores(recipe: Recipe, network: torch.nn.Module) -> tuple[float, float, float]:
    """Return the exact match, the exact spans and the right words of a network on test data."""
    texts = exact = spans = words = right = 0
    for batch in recipe.task.batches(recipe.test_size, recipe.seed):
        said, beside = forward(network.eval(), batch).argmax(-1), batch.targets == IGNORE  # (B, T)
        agrees = said == batch.targets
        texts += len(said)
        exact += int((agrees | beside).all(1).sum())
        spans += int((((said == ANSWER) == (batch.targets == ANSWER)) | beside).all(1).sum())
        words += int((~beside).sum())
        right += int((agrees & ~beside).sum())
    return exact / texts, spans / texts, right / words


def trained(recipe: Recipe) -> tuple[int, float, tuple[float, float, float]]:
    """Train a recipe: the steps, the CPU seconds, and the scores."""
    network = build_network(recipe.model, recipe.seed)
    start, step = time.process_time(), 0
    for done in train(network, recipe.task, recipe.training):
        step = done.step
    return step, time.process_time() - start, scores(recipe, network)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train reading comprehension from several seeds, and judge it.")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=FRESH, help="first seed")
    parser.add_argument("--recipe", action="append", choices=NAMES)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.recipe or NAMES:
        found = []
        for seed in range(options.first, options.first + options.seeds):
            step, seconds, found_here = trained(RECIPES[name].changed(seed=seed))
            found.append(found_here)
            exact, span, words = found_here
            print(
                f"{name:20} seed {seed}  {step:>5} steps / {seconds:5.1f} s  "
                f"exact match {exact:.4f}  span {span:.4f}  words {words:.4f}",
                flush=True,
            )
        columns = [sorted(column) for column in zip(*found, strict=True)]
        for title, column in zip(("exact match", "span", "words"), columns, strict=True):
            mean, spread = statistics.fmean(column), statistics.stdev(column) if len(column) > 1 else 0.0
            print(
                f"{name:20} {title:12} mean {mean:.4f} ± {spread:.4f}  {column[0]:.4f} to {column[-1]:.4f}", flush=True
            )
    for baseline in RECIPES[NAMES[0]].task.baselines(FRESH):
        print(f"{'without a network':20} {baseline.name:20} exact match {baseline.score:.4f}")


if __name__ == "__main__":
    main()
