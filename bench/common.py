"""Parts shared by all benchmarks: a model in the shape of GPT-2 small, alternating medians, printed figures."""

from __future__ import annotations

import argparse
import ctypes
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from attnviz.models import ModelCard, ModelConfig, SequenceModel, build_network
from attnviz.tokenizers import Tokenizer

WARM_UP = 4  # rounds


@dataclass(frozen=True)
class Figure:
    """One measured number; `goal` is the most it may be (the least, where `at_least`), None where none is set."""

    figure: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False

    @property
    def ok(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def gpt2_small(vocab_size: int = 50257, max_len: int = 1024) -> SequenceModel:
    """Our decoder in the shape of GPT-2 small, with random weights and one symbol per id."""
    config = ModelConfig("decoder", vocab_size, max_len, d_model=768, n_heads=12, n_layers=12, d_ff=3072, init_std=0.02)
    network = build_network(config, seed=0).eval().requires_grad_(False)
    symbols = tuple(f"w{index}" for index in range(vocab_size - Tokenizer.n_specials))
    card = ModelCard("gpt2-shape", "GPT-2 small's shape, random weights", examples=("w1 w2 w3 w4 w5 w6 w7 w8",))
    return SequenceModel(network, Tokenizer("symbols", symbols), card)


def keep_freed_memory() -> None:
    """Have the C library keep freed memory (where it is glibc) instead of giving it back to the system.

    Otherwise every forward pass pays the kernel for new pages, as the heap happens to lie: up to a tenth of the time,
    more on a virtual machine, and not always the same of two calls that are compared.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        for parameter in (-1, -3):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
            libc.mallopt(parameter, 2**30)


def alternate(calls: dict[str, Callable[[], object]], rounds: int, warm_up: int = WARM_UP) -> dict[str, list[float]]:
    """CPU seconds of each call, round by round; every other round runs in reverse order, the first ones warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for index in range(rounds + warm_up):
        for name in list(calls) if index % 2 else list(reversed(calls)):
            start = time.process_time()
            calls[name]()
            if index >= warm_up:
                seconds[name].append(time.process_time() - start)
    return seconds


def ratio(seconds: dict[str, list[float]], numerator: str, denominator: str) -> float:
    """Median over the rounds of one call's time by the other's in the same round: what slows a round slows both."""
    return statistics.median(a / b for a, b in zip(seconds[numerator], seconds[denominator], strict=True))


def report(measure: Callable[..., Sequence[Figure]], description: str | None, **options: float) -> None:
    """Run a benchmark and print its figures, as a table or with --json as a list and nothing else.

    Args:
        options: what `measure` takes, with its value where the command line gives none.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print a JSON list on standard output and nothing else")
    for name, value in options.items():
        parser.add_argument(f"--{name}", type=type(value), default=value, metavar="N", help="(default: %(default)s)")
    given = vars(parser.parse_args())
    as_json = given.pop("json")
    figures = measure(**given)
    if as_json:
        keys = ("figure", "value", "unit", "goal")
        rows = [{key: asdict(figure)[key] for key in keys} | {"ok": figure.ok} for figure in figures]
        print(json.dumps(rows, indent=1))
        return
    width = max(len(figure.figure) for figure in figures)
    for figure in figures:
        goal = "" if figure.goal is None else f"goal {'>=' if figure.at_least else '<='} {figure.goal:g}"
        verdict = {None: "", True: "ok", False: "MISSED"}[figure.ok]
        print(f"{figure.figure:{width}}  {figure.value:>10.4g} {figure.unit:8} {goal:14} {verdict}")
