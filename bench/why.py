"""Measure what it costs to ask why: the first look at a site, one cell, all pairs of parts, the memory held meanwhile.

CPU time of one thread, our decoder in the shape of GPT-2 small with random weights, its last layer (which has the most
to be split into), alternating in one process that keeps freed memory; then one answer of each shipped
model, and whether the circuit of induction is found in five models that are trained here.
"""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import replace
from types import FunctionType

import torch
from torch import Tensor, nn

import attnviz
from attnviz.models import ModelCard, ModelConfig, SequenceModel, Transformer, build_network
from attnviz.tokenizers import Tokenizer
from attnviz.trace import Trace
from attnviz.training import RECIPES, train
from attnviz.why import Explanation
from attnviz.zoo import zoo
from bench.common import Figure, alternate, keep_freed_memory, ratio, report

VOCABULARY = 1000  # symbols: how many there are is of no matter to a score
MOST = {"set-up": 1.6, "cell": 0.15}  # traces
MEMORY, ANSWER = 100, 300  # MB, ms
TEXTS = 8  # of each model that is trained


def measure(
    length: int = 512, layers: int = 12, width: int = 768, heads: int = 12, rounds: int = 5, seeds: int = 5
) -> list[Figure]:
    torch.set_num_threads(1)
    keep_freed_memory()
    one, other = (decoder(length, layers, width, heads) for _ in range(2))
    found = [circuits(induction(seed)) for seed in range(1, seeds + 1)]
    goal = seeds * TEXTS
    return [
        *asking(one, other, rounds),
        *answers(rounds),
        Figure(f"induction found, of {goal} texts", sum(found), "", goal, at_least=True),
    ]


def decoder(length: int, layers: int, width: int, heads: int) -> SequenceModel:
    """Our decoder with random weights, with an example as long as it reads."""
    config = ModelConfig(
        "decoder", VOCABULARY, length, d_model=width, n_heads=heads, n_layers=layers, d_ff=4 * width, init_std=0.02
    )
    symbols = tuple(f"w{index}" for index in range(VOCABULARY - Tokenizer.n_specials))
    tokenizer = Tokenizer("symbols", symbols)
    example = " ".join(symbols[7 * index % len(symbols)] for index in range(length - tokenizer.add_bos))
    network = build_network(config, seed=0).eval().requires_grad_(False)
    return SequenceModel(network, tokenizer, ModelCard("shape", "Random weights", examples=(example,)))


def asking(model: SequenceModel, changing: SequenceModel, rounds: int) -> list[Figure]:
    """Every look beside a trace of the same text; `changing` is a model like the other, of which nothing is known."""
    kept = traced(model)
    site = kept.sites[-1].name
    asked = why(kept)

    def first() -> Explanation:
        """Trace and look when nothing is known of the model, as after a step of training."""
        changing.network.unembedding.weight.add_(0.0)
        return why(traced(changing))

    calls = {
        "trace": lambda: traced(model),
        "first": first,
        "set-up": lambda: replace(kept).written.sides(site),
        "cell": lambda: why(kept),
        "pairs": lambda: why(kept).pairs(),
        "removed": lambda: asked.keys[0]._removed(),
    }
    seconds = alternate(calls, rounds, warm_up=1)
    cost = {name: ratio(seconds, name, "trace") for name in calls}
    return [
        Figure("first look at a model / trace", cost["first"] - 1, "x"),
        Figure("set-up of a site / trace", cost["set-up"], "x", MOST["set-up"]),
        Figure("one cell, both sides and sources / trace", cost["cell"], "x", MOST["cell"]),
        Figure("all pairs of parts / trace", cost["pairs"] - cost["cell"], "x"),
        Figure("a part removed / trace", cost["removed"], "x"),
        Figure("memory held beside the trace", held(kept) / 2**20, "MB", MEMORY),
        Figure("trace", statistics.median(seconds["trace"]), "CPU s"),
    ]


def traced(model: SequenceModel) -> Trace:
    return attnviz.trace(model, model.card.examples[0])


def why(trace: Trace) -> Explanation:
    """Explain a cell of the last site, and what the first head among its keys' parts had read."""
    site = trace.sites[-1]
    query = site.q.shape[1] - 1
    found = trace.why(site.name, 0, query, min(query, site.k.shape[1] - 1) // 2)
    for part in found.keys:
        if part.kind == "head":
            found.sources(part)
            break
    return found


def held(trace: Trace) -> int:
    """Bytes of the tensors that belong to what was written, and neither to the trace nor to the model."""
    others = [*trace.model.network.parameters(), *trace.model.network.buffers()]
    others += [tensor for site in trace.sites for tensor in (site.q, site.k, site.v)]
    known = {tensor.untyped_storage().data_ptr() for tensor in others}
    found: dict[int, int] = {}
    seen, waiting = set[int](), [trace.written]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | nn.Module):
            continue
        seen.add(id(one))
        if isinstance(one, Tensor):
            found[one.untyped_storage().data_ptr()] = one.untyped_storage().nbytes()
        waiting += (one.__closure__ or ()) if isinstance(one, FunctionType) else gc.get_referents(one)
    return sum(size for place, size in found.items() if place not in known)


def answers(rounds: int) -> list[Figure]:
    """One answer of each shipped model that attends, from a new trace."""
    figures = []
    for entry in zoo():
        model = attnviz.load_model(f"zoo/{entry.name}")
        if isinstance(model.network, Transformer):
            text, target = entry.example if isinstance(entry.example, tuple) else (entry.example, None)
            seconds = [answer(attnviz.trace(model, text, target)) for _ in range(rounds)]
            figures.append(Figure(f"{entry.name}: one answer", 1000 * statistics.median(seconds), "CPU ms", ANSWER))
    return figures


def answer(trace: Trace) -> float:
    """CPU seconds of the first answer."""
    start = time.process_time()
    why(trace)
    return time.process_time() - start


def induction(seed: int, steps: int | None = None) -> SequenceModel:
    """Train the recipe of the shipped model anew."""
    recipe = RECIPES["induction"].changed(steps, seed)
    network = build_network(recipe.model, seed)
    for _ in train(network, recipe.task, recipe.training):
        pass
    return recipe.bundle(network.eval(), score=1.0)


def circuits(model: SequenceModel) -> int:
    """Count texts in which the key after an earlier occurrence is read for what head 0.0 wrote of the token before."""
    generator, found = torch.Generator().manual_seed(0), 0
    for _ in range(TEXTS):
        n = int(torch.randint(6, 20, (), generator=generator))
        letters = [model.tokenizer.symbols[at] for at in torch.randperm(26, generator=generator)[:n]]
        key = int(torch.randint(1, n, (), generator=generator))
        why = attnviz.trace(model, " ".join(letters * 2)).why("decoder.1.self", 0, query=n + key - 1, key=key)
        part = why.keys[0]
        if part.name == "decoder.0.self:0":
            found += max(why.sources(part), key=lambda source: source.share).position == key - 1
    return found


if __name__ == "__main__":
    report(measure, __doc__, length=512, layers=12, width=768, heads=12, rounds=5, seeds=5)
