"""Language models of equal size: LSTM, Transformer and n-grams on the same text. `python -m bench.language [--json]`.

The networks have the same number of parameters, within 3 %, and are trained as the recipe of the short English
stories is, on one thread; the n-gram models are counted from the same training text (one has no more counts than the
networks have parameters, one as many as it likes). All are judged on the same pieces of test stories. Perplexity is
e^loss, bits per character are loss / ln 2.

The second part trains on a short text of 16,000 characters, with and without dropout and weight decay, and says how far
the losses on training and test text are apart at the end.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp, log

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from attnviz.models import Network, build_network
from attnviz.models.network import blank_network
from attnviz.models.recurrent_config import AnyConfig, RecurrentConfig
from attnviz.tasks import OwnText, Split, Stories, Task
from attnviz.tasks.language.ngram import best_models
from attnviz.tasks.language.stories import corpus
from attnviz.training import RECIPES, TrainConfig, train

SIZES_DIFFER = 0.03  # at most
JUDGED, ROWS = 256, 16  # test pieces; and at once
SMALL = 16_000  # characters of the short text
GAPS = tuple((dropout, decay) for dropout in (0.0, 0.2) for decay in (0.0, 0.1))


@dataclass(frozen=True)
class Result:
    """One language model on test data.

    Attributes:
        model: its name.
        parameters: weights, or counts of an n-gram model.
        seconds: CPU seconds to train it.
        loss: nats per character.
        accuracy: share of characters that were the most probable ones.
    """

    model: str
    parameters: int
    seconds: float
    loss: float
    accuracy: float

    @property
    def perplexity(self) -> float:
        """e^loss."""
        return exp(self.loss)

    @property
    def bits(self) -> float:
        """Per character: loss / ln 2."""
        return self.loss / log(2)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare language models of equal size.")
    parser.add_argument("--steps", type=int, help="of training (default: those of the recipe)")
    parser.add_argument("--small-steps", type=int, default=600, help="on the short text (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output and nothing else")
    options = parser.parse_args()
    torch.set_num_threads(1)
    out = sys.stderr if options.json else sys.stdout
    figures = []
    for result in compare(options.steps, options.seed):
        print(_line(result), file=out, flush=True)
        for what, unit in (
            ("parameters", ""),
            ("seconds", "s"),
            ("loss", "nats"),
            ("perplexity", ""),
            ("accuracy", ""),
        ):
            figures.append(_figure(f"{result.model}: {what}", getattr(result, what), unit))
        figures.append(_figure(f"{result.model}: bits per character", result.bits, "bits"))
        if result.model == "LSTM":
            apart = abs(result.parameters / blank_network(_recipe()[1]).n_parameters - 1)
            figures.append(_figure("difference in size", apart, "", SIZES_DIFFER, apart <= SIZES_DIFFER))
    for dropout, decay in GAPS:
        seen, unseen = gap(dropout, decay, options.small_steps, options.seed)
        name = f"short text, dropout {dropout:g}, weight decay {decay:g}"
        print(f"{name}: training {seen:.3f}, test {unseen:.3f}, gap {unseen - seen:.3f} nats", file=out, flush=True)
        for what, value in (("training", seen), ("test", unseen), ("gap", unseen - seen)):
            figures.append(_figure(f"{name}: {what}", value, "nats"))
    if options.json:
        print(json.dumps(figures, indent=1))


def _line(result: Result) -> str:
    return (
        f"{result.model:32} {result.parameters:>9,} parameters {result.seconds:6.1f} CPU-s  loss {result.loss:.3f}  "
        f"perplexity {result.perplexity:.3f}  bits/character {result.bits:.3f}  accuracy {result.accuracy:.3f}"
    )


def compare(steps: int | None, seed: int) -> list[Result]:
    """Transformer, LSTM and n-grams on the English stories."""
    task, transformer, training = _recipe()
    training = replace(training, seed=seed, steps=steps or training.steps)
    size = blank_network(transformer).n_parameters
    task.sample(1, Generator())  # the corpus is written once
    configs: dict[str, AnyConfig] = {"Transformer": transformer, "LSTM": of_size(task.recurrent_config(), size)}
    results = []
    for name, config in configs.items():
        network, seconds = _trained(task, config, training)
        results.append(Result(name, network.n_parameters, seconds, *judge(_of(network), task, "test", seed)))
    start = time.process_time()
    ids, starts = task.training_text()
    models = best_models(task, ids, starts, size, seed)
    seconds = time.process_time() - start
    for name, model in zip(("n-gram of equal size", "n-gram"), models, strict=True):
        loss, accuracy = judge(model.log_probabilities, task, "test", seed)
        results.append(Result(f"{name}, order {model.order}", model.n_parameters, seconds, loss, accuracy))
    return results


def gap(dropout: float, decay: float, steps: int, seed: int) -> tuple[float, float]:
    """Loss of a Transformer on its training text and on test text, without dropout when judged."""
    task = OwnText("\n".join(corpus("en"))[:SMALL])
    training = TrainConfig(steps=steps, batch_size=32, weight_decay=decay, validate_every=steps, validation_size=8)
    network, _ = _trained(task, replace(task.model_config(), dropout=dropout), replace(training, seed=seed))
    seen, unseen = (judge(_of(network), task, split, seed)[0] for split in ("train", "test"))
    return seen, unseen


def of_size(config: RecurrentConfig, size: int) -> RecurrentConfig:
    """Return the recurrent network whose number of parameters is nearest, by the width of its states."""
    widths = (replace(config, d_model=width) for width in range(8, 513))
    return min(widths, key=lambda each: abs(blank_network(each).n_parameters - size))


@torch.inference_mode()
def judge(logits: Callable[[Tensor], Tensor], task: Task, split: Split, seed: int) -> tuple[float, float]:
    """Nats per character and accuracy on the same pieces for every model."""
    batch = task.sample(JUDGED, Generator().manual_seed(seed), split)
    loss, right = 0.0, 0
    for tokens, targets in zip(batch.tokens.split(ROWS), batch.targets.split(ROWS), strict=True):
        found = logits(tokens)  # (B, T, V)
        loss += F.cross_entropy(found.flatten(0, 1), targets.flatten(), reduction="sum").item()
        right += int((found.argmax(-1) == targets).sum())
    n = batch.targets.numel()
    return loss / n, right / n


def _recipe() -> tuple[Stories, AnyConfig, TrainConfig]:
    recipe = RECIPES["english-short"]
    assert isinstance(recipe.task, Stories)
    return recipe.task, recipe.model, recipe.training


def _trained(task: Task, config: AnyConfig, training: TrainConfig) -> tuple[Network, float]:
    network = build_network(config, training.seed)
    start = time.process_time()
    for _ in train(network, task, training):
        pass
    return network.eval(), time.process_time() - start


def _of(network: Network) -> Callable[[Tensor], Tensor]:
    return lambda tokens: network(tokens)


def _figure(name: str, value: float, unit: str, goal: float | None = None, ok: bool | None = None) -> dict[str, object]:
    return {"figure": name, "value": value, "unit": unit, "goal": goal, "ok": ok}


if __name__ == "__main__":
    main()
