"""Measure the cost of tracing: time beside a plain forward pass, memory of a trace, one head's whole chain.

CPU time of one thread, our decoder in the shape of GPT-2 small, alternating in one process that keeps freed memory.
"""

from __future__ import annotations

import statistics

import torch

import attnviz
from bench.common import Figure, alternate, gpt2_small, keep_freed_memory, ratio, report


def measure() -> list[Figure]:
    torch.set_num_threads(1)
    keep_freed_memory()
    model = gpt2_small()
    figures = []
    for length, rounds in ((64, 15), (256, 9), (1024, 7)):
        text = " ".join(model.tokenizer.symbols[7 * i % 40_000] for i in range(length))
        ids = torch.tensor([model.tokenizer.encode(text)])

        def plain(ids: torch.Tensor = ids) -> torch.Tensor:
            with torch.inference_mode():
                return model.network(ids)

        def traced(text: str = text) -> torch.Tensor:
            return attnviz.trace(model, text).logits

        forward = alternate({"plain": plain, "traced": traced}, rounds)
        trace = attnviz.trace(model, text)
        qkv = sum(tensor.nbytes for site in trace.sites for tensor in (site.q, site.k, site.v))
        chain = statistics.median(alternate({"chain": lambda trace=trace: trace.sites[5].chain(3)}, 41)["chain"])
        seconds = statistics.median(forward["plain"])
        goal = 1.03 if length == 1024 else None
        figures += [
            Figure(f"T={length}: traced / plain forward", ratio(forward, "traced", "plain"), "x", goal),
            Figure(f"T={length}: memory held / q, k, v", trace.nbytes / qkv, "x", 1.1),
            Figure(f"T={length}: one head's chain / forward", 100 * chain / seconds, "%", 0.5),
            Figure(f"T={length}: plain forward", seconds, "CPU s"),
        ]
    return figures


if __name__ == "__main__":
    report(measure, __doc__)
