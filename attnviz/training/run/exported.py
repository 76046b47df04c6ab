"""Run an exported network: read an example, show what the network writes, train on.

The source of this module is part of every such script; see script.py.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from attnviz.models.network import Network
from attnviz.tasks.base import IGNORE, Batch
from attnviz.training.engine.config import TrainConfig
from attnviz.training.engine.gradients import add_gradients, forward
from attnviz.training.engine.optimizer import new_optimizer

__all__ = ["Exported", "main"]


@dataclass(frozen=True)
class Exported:
    """Facts of a run that its exported script needs.

    Attributes:
        run: its name.
        task: what was learned.
        vocabulary: what a token id stands for.
        source_vocabulary: likewise in the source; () where there is none.
        outputs: what the output chooses from; () where it says values.
        pooled: there is one output for the whole sequence.
        training: settings of the run.
        example: one sequence.
    """

    run: str
    task: str
    vocabulary: tuple[str, ...]
    source_vocabulary: tuple[str, ...]
    outputs: tuple[str, ...]
    pooled: bool
    training: TrainConfig
    example: Batch


def main(network: Network, known: Exported) -> None:
    """Read the command line, load the weights, let the network read the example or what is given."""
    parser = argparse.ArgumentParser(description=f"The network of run {known.run}, which learned: {known.task}.")
    parser.add_argument("weights", type=Path, help="model.safetensors")
    if known.example.features is None:
        parser.add_argument("--tokens", type=int, nargs="+", metavar="ID", help="read these, not the example")
    else:
        parser.add_argument("--input", type=Path, metavar="FILE", help="read this, as --json writes it")
    if known.example.source is not None:
        parser.add_argument("--source", type=int, nargs="+", metavar="ID", help="and this source")
    parser.add_argument("--json", action="store_true", help="print the outputs as JSON")
    parser.add_argument("--train", type=int, metavar="STEPS", default=0, help="train on before, on the example")
    options = parser.parse_args()
    if not options.weights.is_file():
        parser.error(f"{options.weights}: there is no such file")
    batch = given(parser, options, known)

    network.load_state_dict(load_file(options.weights))
    if options.train:
        train(network, known, options.train)
    network.eval()
    try:
        with torch.inference_mode():
            outputs = forward(network, batch)[0]  # (T, V)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    if options.json:
        read = {"tokens": batch.tokens, "source": batch.source, "features": batch.features}
        lists = {name: part[0].tolist() for name, part in read.items() if part is not None}
        print(json.dumps({**lists, "logits" if known.outputs else "forecasts": outputs.tolist()}))
    else:
        show(known, batch, outputs)


def given(parser: argparse.ArgumentParser, options: argparse.Namespace, known: Exported) -> Batch:
    """Return the sequence to read: what the command line gives, else the example."""
    example, asked = known.example, vars(options)
    source = example.source if asked.get("source") is None else torch.tensor([asked["source"]])
    tokens, features, targets, values = example.tokens, example.features, example.targets, example.values
    if asked.get("tokens"):
        tokens = torch.tensor([asked["tokens"]])
    elif asked.get("input"):
        read = json.loads(asked["input"].read_text(encoding="utf-8"))
        width = 0 if features is None else features.shape[-1]
        if [len(row) for row in read["features"]] != [width] * len(read["tokens"]):
            parser.error(f"every token needs {width} numbers")
        tokens, features = torch.tensor([read["tokens"]]), torch.tensor([read["features"]])
    if tokens is not example.tokens:
        targets, values = torch.full_like(tokens, IGNORE), None
    for ids, vocabulary, of in ((tokens, known.vocabulary, ""), (source, known.source_vocabulary, " of the source")):
        if ids is not None and not bool(((ids >= 0) & (ids < len(vocabulary))).all()):
            parser.error(f"token ids{of} go from 0 to {len(vocabulary) - 1}")
    return Batch(tokens, targets, source=source, features=features, values=values)


def train(network: Network, known: Exported, steps: int) -> None:
    """Train on. The example alone is soon known by heart: put batches of your own in its place."""
    optimizer, clip = new_optimizer(network, known.training), known.training.clip
    network.train()
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss, _ = add_gradients(network, known.example)
        if clip is not None:
            nn.utils.clip_grad_norm_(network.parameters(), clip)
        optimizer.step()
        print(f"step {step}: loss {loss:.4f}")


def show(known: Exported, batch: Batch, outputs: Tensor) -> None:
    """Print what the network reads and writes at every position (T, V)."""
    if batch.source is not None:
        print("source:", *(repr(known.source_vocabulary[token]) for token in batch.source[0].tolist()))
    reads = [repr(known.vocabulary[token]) for token in batch.tokens[0].tolist()]
    if batch.features is not None:
        reads = [numbers(row) for row in batch.features[0].tolist()]
    targets = batch.targets[0].tolist()
    if known.pooled:
        print("reads:", *reads)
        reads, outputs = ["the whole"], outputs[:1]
    if not known.outputs:
        print(f"{'position':>8}  {'reads':<24}{'forecast':<24}right value")
        for position, (read, row) in enumerate(zip(reads, outputs.tolist(), strict=True)):
            scored = batch.values is not None and targets[position] != IGNORE
            right = numbers(batch.values[0, position].tolist()) if scored and batch.values is not None else ""
            print(f"{position:>8}  {read:<24}{numbers(row):<24}{right}")
        return
    print(f"{'position':>8}  {'reads':<12}{'writes':<12}{'probability':>11}  right answer")
    for position, (read, row) in enumerate(zip(reads, outputs.softmax(-1), strict=True)):
        probability, written = row.max(-1)
        right = repr(known.outputs[targets[position]]) if targets[position] != IGNORE else "''"
        print(f"{position:>8}  {read:<12}{known.outputs[written]!r:<12}{probability:>11.3f}  {right}")


def numbers(row: list[float]) -> str:
    """Return the first few of some numbers."""
    return ",".join(f"{number:.3g}" for number in row[:3]) + ("..." if len(row) > 3 else "")
