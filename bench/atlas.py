"""Measure the cost of finding heads: beside plain forward passes, and shared by processes.

CPU time, our decoder in the shape of GPT-2 small. The first figure alternates in one process of one thread. The second
compares the CPU seconds that texts take in one process and in two: alike, they are shared without loss; wall time would
tell of whatever else the machine does. --texts, --length and --rounds bound it; --texts 0 leaves processes out.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import torch

from attnviz.heads import Text
from attnviz.heads.find import tallied
from attnviz.heads.processes import find_in_processes
from attnviz.models import SequenceModel, save_model
from bench.common import Figure, alternate, gpt2_small, keep_freed_memory, ratio, report


def measure(texts: int = 16, length: int = 256, rounds: int = 3) -> list[Figure]:
    torch.set_num_threads(1)
    keep_freed_memory()
    model = gpt2_small()
    given = _texts(model, max(texts, 1), length)
    ids = torch.tensor([model.tokenizer.encode(given[0].text)])

    def plain() -> torch.Tensor:
        with torch.inference_mode():
            return model.network(ids)

    def stream() -> torch.Tensor:
        with torch.inference_mode():
            return model.network.stream(ids)

    seconds = alternate({"plain": plain, "stream": stream, "heads": lambda: tallied(model, given[:1], 0)}, rounds, 1)
    figures = [
        Figure(f"T={length}: 144 heads / plain forward", ratio(seconds, "heads", "plain"), "x", 1.3),
        Figure(f"T={length}: 144 heads / forward without outputs", ratio(seconds, "heads", "stream"), "x"),
        Figure(f"T={length}: plain forward", min(seconds["plain"]), "CPU s"),
    ]
    if texts < 2:
        return figures
    with tempfile.TemporaryDirectory() as folder:
        save_model(model, Path(folder))
        one, two = (find_in_processes(folder, given, n).cpu_seconds for n in (1, 2))
    return [
        *figures,
        Figure(f"{texts} texts: CPU of one process / of two", one / two, "x", 0.9, at_least=True),
        Figure(f"{texts} texts, one process", one, "CPU s"),
    ]


def _texts(model: SequenceModel, n: int, length: int) -> list[Text]:
    """Return random texts, the same every time."""
    lots = random.Random(0)
    return [Text(" ".join(lots.choices(model.tokenizer.symbols, k=length))) for _ in range(n)]


if __name__ == "__main__":
    report(measure, __doc__, texts=16, length=256, rounds=3)
