"""Write the cards of the shipped models anew: what each reaches on test data, and what is had there without a network.

`python -m bench.cards [--model NAME]` evaluates the weights as they are, by the settings of their recipes.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import torch

from attnviz.analysis.scores import score_interval
from attnviz.models.bundle import SequenceModel, load_model, save_model
from attnviz.training import RECIPES, evaluate
from attnviz.zoo import ORDER, zoo_path

DIGITS = 4  # that scores are kept to


def judged(name: str) -> SequenceModel:
    """Return a shipped model with the card that its weights deserve."""
    recipe, model = RECIPES[name], load_model(zoo_path(name))
    metric = recipe.task.metric
    found = evaluate(model.network, recipe.task, "test", recipe.test_size, recipe.seed)
    ends = score_interval(metric, found)
    card = recipe.bundle(
        model.network,
        round(found.score(metric), DIGITS),
        recipe.task.baselines(recipe.seed),
        found.n,
        None if ends is None else (round(ends.low, DIGITS), round(ends.high, DIGITS)),
    ).card
    return replace(model, card=card)


def main() -> None:
    parser = argparse.ArgumentParser(description="Judge the shipped models and write their cards anew.")
    parser.add_argument("--model", action="append", choices=ORDER, metavar="NAME", help="one; may be repeated")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.model or ORDER:
        before, model = load_model(zoo_path(name)).card, judged(name)
        save_model(model, zoo_path(name))
        now = model.card
        print(f"{name:20} {now.metric} {before.score} -> {now.score} on {now.judged}, {now.interval}", flush=True)
        for (_, old), (kind, new) in zip(before.baselines, now.baselines, strict=False):
            if abs(old - new) > 1e-6:
                print(f"{'':20} {kind} {old:.4f} -> {new:.4f}", flush=True)


if __name__ == "__main__":
    main()
