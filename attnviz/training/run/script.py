"""A run's network written out as one Python file: plain PyTorch to read, to run and to train on, without attnviz.

The parts of a script hold the lines of every kind of network. A line that ends with `#? word` is for those that the
word applies to, with `#? !word` for all others; `_words` says which words there are. `$NAME` stands for a value of the
run.
"""

from __future__ import annotations

import re
from pprint import pformat
from string import Template

import torch

from attnviz.models.config import ModelConfig
from attnviz.models.network_config import SCORINGS
from attnviz.models.recurrent_config import AnyConfig, RecurrentConfig
from attnviz.tasks.base import IGNORE
from attnviz.tokenizers import Tokenizer
from attnviz.training.run import script_recurrent, script_transformer
from attnviz.training.run.folder import Run
from attnviz.vectors import Reader

__all__ = ["pytorch_script"]

MARK = re.compile(r"  #\? (!?)(\w+)$")
LONGEST = 64  # tokens of the example of a decoder: a piece of a text shows as much
WIDTH = 110
CELLS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}


def pytorch_script(run: Run) -> str:
    """One self-contained Python file with the network of a run; it needs torch and safetensors alone.

    It loads the weights file named on its command line (see `model_files`), lets the network read an example that is
    built in, prints what it reads and writes, with `--json` all outputs, and with `--train N` trains on.
    """
    network = script_recurrent if isinstance(run.config.model, RecurrentConfig) else script_transformer
    words = _words(run)
    states = STATE_ATTENTION if "state_attention" in words else ""
    lines = []
    for line in (HEAD + network.CONSTANTS + DATA + states + network.NETWORK + TAIL).splitlines():
        mark = MARK.search(line)
        if mark is None:
            lines.append(line)
        elif (mark[2] in words) != bool(mark[1]):
            lines.append(line[: mark.start()])
    return Template("\n".join(lines) + "\n").substitute(_names(run), **_values(run))


def _words(run: Run) -> set[str]:
    """What applies to the network: what it reads and writes, and then what its kind has."""
    model, task = run.config.model, run.config.task
    kind = model.architecture.replace("-", "_")
    cross = kind == "encoder_decoder"
    reads = "cross" if cross else "features" if model.n_features else "plain"  # also what `forward` takes
    parts = {
        "values": model.predicts == "values",
        "labels": bool(task.labels),
        "vocabulary": model.predicts == "classes" and not task.labels,
        "pooled": model.pooling != "none",
        "pool_attention": model.pooling in SCORINGS,
        "state_attention": model.pooling in SCORINGS,
        "numbers": model.n_features > 0 or model.predicts == "values",
        "clip": run.config.training.clip is not None,
    }
    words = {kind, reads, f"{kind}_{reads}", f"pool_{model.pooling}"} | {word for word, given in parts.items() if given}
    return words | (_of_recurrent(model) if isinstance(model, RecurrentConfig) else _of_transformer(model))


def _of_transformer(model: ModelConfig) -> set[str]:
    """Its positions and norm, and parts that not every one has."""
    parts = {
        "transformer": True,
        "feed_forward": model.d_ff > 0,
        "grouped": model.kv_heads < model.n_heads,
        "scaled": model.scoring == "scaled_dot",
        "window": model.window is not None,
        f"{model.norm}_feed_forward": model.d_ff > 0,
        "angles": model.positions in ("rotary", "sinusoidal"),
    }
    beside = "cross" if model.architecture == "encoder-decoder" else "alone"
    words = {model.positions, model.norm, f"{model.positions}_{beside}", f"{model.norm}_{beside}"}
    return words | {word for word, applies in parts.items() if applies}


def _of_recurrent(model: RecurrentConfig) -> set[str]:
    """Its cell, and how states attend."""
    cross, attends = model.architecture == "encoder-decoder", model.attention != "none"
    fed = cross and model.attention == "additive"
    parts = {
        model.cell: True,
        "attends": attends,
        "state_attention": attends,
        "attends_self": attends and not cross,
        "attends_cross": attends and cross,
        "fed": fed,
        "luong": attends and cross and not fed,
        "cross_unfed": cross and not fed,
        "decoder_unfed": model.architecture != "encoder" and not fed,
        "counts": (attends and not cross) or model.pooling != "none",
        "cross_lstm": cross and model.cell == "lstm",
        "cross_not_lstm": cross and model.cell != "lstm",
    }
    return {word for word, applies in parts.items() if applies}


def _names(run: Run) -> dict[str, str]:
    """What is written as it is: names of kinds, none of them typed by anybody."""
    model = run.config.model
    recurrent = isinstance(model, RecurrentConfig)
    cell = CELLS[model.cell] if isinstance(model, RecurrentConfig) else ""
    name = "forecasts" if model.predicts == "values" else "logits"
    return {
        "KIND": f"A network of {cell} layers" if recurrent else "A Transformer",
        "CELL": cell,
        "OUTPUT_NAME": name,
        "RESULT": f"{name} (B, T, N_OUTPUTS)",
    }


def _values(run: Run) -> dict[str, str]:
    """Python literals; what a person may have typed is among them, nowhere else."""
    training, task = run.config.training, run.config.task
    values: dict[str, object] = {
        "RUN": run.name,
        "TASK": task.name,
        "OUTPUTS": list(task.labels),
        "VOCABULARY": list(task.tokenizer.vocab),
        "SOURCE_VOCABULARY": list(task.source_tokenizer.vocab) if task.source_tokenizer else [],
        "LEARNING_RATE": training.learning_rate,
        "BETAS": (training.beta1, training.beta2),
        "WEIGHT_DECAY": training.weight_decay,
        "CLIP": training.clip,
        **_shape(run.config.model),
        **_example(run),
    }
    return {name: pformat(value, width=WIDTH, compact=True) for name, value in values.items()}


def _shape(model: AnyConfig) -> dict[str, object]:
    """The numbers that the network is made with."""
    names = ("d_model", "n_heads", "n_layers", "d_ff", "max_len", "source_max_len", "window", "dropout", "n_features")
    values: dict[str, object] = {name.upper(): getattr(model, name, None) for name in (*names, "pooling")}
    values["N_OUTPUTS"] = model.output_size
    if isinstance(model, RecurrentConfig):
        values |= {
            "D_EMBEDDING": model.embedding_size,
            "BIDIRECTIONAL": model.bidirectional,
            "ATTENTION": model.attention,
            "CAUSAL": model.architecture == "decoder",
        }
    else:
        values["N_KV_HEADS"] = model.kv_heads
    return values


def _example(run: Run) -> dict[str, object]:
    """A validation sequence, of a long text the beginning."""
    task, example = run.config.task, run.probe()[0]
    n = LONGEST if run.config.model.architecture == "decoder" else example.tokens.shape[1]
    tokens = example.tokens[0, :n].tolist()
    features = None if example.features is None else example.features[0, :n]
    values = None if example.values is None else example.values[0, :n]
    source = [] if example.source is None else example.source[0].tolist()
    return {
        "TOKENS": tokens,
        "TOKEN_LABELS": _text(task.tokenizer, tokens, features),
        "TARGETS": example.targets[0, :n].tolist(),
        "IGNORE": IGNORE,
        "FEATURES": _rows(features),
        "VALUES": _rows(values),
        "SOURCE": source,
        "SOURCE_LABELS": _text(task.source_tokenizer, source, None) if task.source_tokenizer else "",
    }


def _rows(numbers: torch.Tensor | None) -> list[list[float]]:
    """Rows of numbers, with as few digits as name a float32."""
    return [] if numbers is None else [[float(str(number)) for number in row] for row in numbers.numpy()]


def _text(reader: Reader, ids: list[int], features: torch.Tensor | None) -> str:
    separator = "" if isinstance(reader, Tokenizer) and reader.kind == "characters" else " "
    return separator.join(reader.labels(ids, features))


HEAD = r'''
"""$KIND in plain PyTorch, of the shape of one training run; with its weights it computes what the run does.

    pip install torch numpy safetensors
    python model.py model.safetensors                    what the network writes for the example below
    python model.py model.safetensors --tokens 4 5 6     for other tokens: places in VOCABULARY  #? !features
    python model.py model.safetensors --input FILE       for other numbers: a file as --json writes it  #? features
    python model.py model.safetensors --json             all outputs, as JSON
    python model.py model.safetensors --train 20         after 20 more steps of training, on the example alone

Shapes in the comments: B sequences, T tokens (Tq queries, Tk keys, Ts of the source), H heads.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F  #? !values

RUN, TASK = $RUN, $TASK

'''.removeprefix("\n")

DATA = r"""
N_FEATURES = $N_FEATURES  # numbers that come with each token  #? features
N_OUTPUTS = $N_OUTPUTS  # numbers of one output

# What a token id stands for.
VOCABULARY = $VOCABULARY
SOURCE_VOCABULARY = $SOURCE_VOCABULARY  #? cross
# What the output chooses from.  #? !values
OUTPUTS = $OUTPUTS  #? labels
OUTPUTS = VOCABULARY  #? vocabulary

# An example: token ids, what they stand for, and the right output of each ($IGNORE where none is expected).  #? !values
# An example: token ids, what they stand for, and the right values, scored where the target is not $IGNORE.  #? values
SOURCE = $SOURCE  #? cross
SOURCE_TEXT = $SOURCE_LABELS  #? cross
TOKENS = $TOKENS
TEXT = $TOKEN_LABELS
FEATURES = $FEATURES  #? features
TARGETS = $TARGETS
VALUES = $VALUES  #? values


""".removeprefix("\n")

STATE_ATTENTION = r'''
class StateAttention(nn.Module):
    """One head without projections: a state asks, states are keys and values."""

    def __init__(self, scoring: str, mixes: bool) -> None:
        super().__init__()
        self.scoring = scoring
        if scoring == "additive":
            self.w_q = nn.Linear(D_MODEL, D_MODEL, bias=False)
            self.w_k = nn.Linear(D_MODEL, D_MODEL, bias=False)
            self.w_v = nn.Linear(D_MODEL, 1, bias=False)
        if mixes:
            self.mix = nn.Linear(2 * D_MODEL, D_MODEL)

    def forward(self, q: Tensor, states: Tensor, allowed: Tensor) -> Tensor:
        """Queries (B, Tq, D_MODEL) read states (B, Tk, D_MODEL) where (Tq, Tk) says so -> (B, Tq, D_MODEL)."""
        if self.scoring == "additive":  # one number per pair: w_v tanh(W_q q + W_k k)
            pairs = self.w_q(q)[:, :, None] + self.w_k(states)[:, None]  # (B, Tq, Tk, D_MODEL)
            scores = self.w_v(torch.tanh(pairs)).squeeze(-1)  # (B, Tq, Tk)
        else:
            scores = q @ states.transpose(1, 2)  # (B, Tq, D_MODEL) x (B, D_MODEL, Tk) -> (B, Tq, Tk)
        if self.scoring == "scaled_dot":
            scores = scores * D_MODEL**-0.5
        weights = scores.masked_fill(~allowed, float("-inf")).softmax(dim=-1)  # each row sums to 1
        return weights @ states  # (B, Tq, Tk) x (B, Tk, D_MODEL) -> (B, Tq, D_MODEL)
  #? attends
    def mixed(self, context: Tensor, states: Tensor) -> Tensor:  #? attends
        """tanh(W [context; state]): what was read and the state that asked, (B, Tq, D_MODEL) each."""  #? attends
        return torch.tanh(self.mix(torch.cat((context, states), -1)))  #? attends


'''.removeprefix("\n")

TAIL = r'''
def show(reads: list[str], outputs: Tensor, targets: list[int]) -> None:
    """Print what the network reads and writes at every position; logits (T, N_OUTPUTS)."""  #? !values
    """Print what the network reads and forecasts at every position; forecasts (T, N_OUTPUTS)."""  #? values
    print(f"{'position':>8}  {'reads':<12}{'writes':<12}{'probability':>11}  right answer")  #? !values
    for position, (read, row, target) in enumerate(zip(reads, outputs.softmax(-1), targets)):  #? !values
        probability, written = row.max(-1)  #? !values
        right = repr(OUTPUTS[target]) if target >= 0 else "''"  #? !values
        print(f"{position:>8}  {read:<12}{OUTPUTS[written]!r:<12}{probability:>11.3f}  {right}")  #? !values
    print(f"{'position':>8}  {'reads':<24}{'forecast':<24}right value")  #? values
    for position, (read, row, target) in enumerate(zip(reads, outputs.tolist(), targets)):  #? values
        right = numbers(VALUES[position]) if target >= 0 else ""  #? values
        print(f"{position:>8}  {read:<24}{numbers(row):<24}{right}")  #? values


def numbers(row: list[float]) -> str:  #? numbers
    """The first few of some numbers."""  #? numbers
    return ",".join(f"{number:.3g}" for number in row[:3]) + ("..." if len(row) > 3 else "")  #? numbers
  #? numbers
  #? numbers
def main() -> None:
    """Read the command line, load the weights, read the example."""
    parser = argparse.ArgumentParser(description=f"The network of run {RUN}, which learned: {TASK}.")
    parser.add_argument("weights", type=Path, help="model.safetensors")
    parser.add_argument("--tokens", type=int, nargs="+", metavar="ID", help="read these, not the example")  #? !features
    parser.add_argument("--input", type=Path, metavar="FILE", help="read this, as --json writes it")  #? features
    parser.add_argument("--source", type=int, nargs="+", metavar="ID", help="and this source", default=SOURCE)  #? cross
    parser.add_argument("--json", action="store_true", help="print the outputs as JSON")
    parser.add_argument("--train", type=int, metavar="STEPS", default=0, help="train on before, on the example")
    options = parser.parse_args()
    if not options.weights.is_file():
        parser.error(f"{options.weights}: there is no such file")
    tokens = options.tokens or TOKENS  #? !features
    targets = [$IGNORE] * len(tokens) if options.tokens else TARGETS  #? !features
    tokens, features, targets = TOKENS, FEATURES, TARGETS  #? features
    if options.input:  #? features
        given = json.loads(options.input.read_text(encoding="utf-8"))  #? features
        tokens, features = given["tokens"], given["features"]  #? features
        targets = [$IGNORE] * len(tokens)  #? features
    if [len(row) for row in features] != [N_FEATURES] * len(tokens):  #? features
        parser.error(f"every token needs {N_FEATURES} numbers")  #? features
    if not all(0 <= token < len(VOCABULARY) for token in tokens):
        parser.error(f"token ids go from 0 to {len(VOCABULARY) - 1}")
    if not all(0 <= token < len(SOURCE_VOCABULARY) for token in options.source):  #? cross
        parser.error(f"token ids of the source go from 0 to {len(SOURCE_VOCABULARY) - 1}")  #? cross

    network = Network()
    network.load_state_dict(load_file(options.weights))
    if options.train:
        train(network, options.train)
    network.eval()
    with torch.inference_mode():
        outputs = network(torch.tensor([tokens]), torch.tensor([options.source]))[0]  # (T, N_OUTPUTS)  #? cross
        outputs = network(torch.tensor([tokens]), torch.tensor([features]))[0]  # (T, N_OUTPUTS)  #? features
        outputs = network(torch.tensor([tokens]))[0]  # (T, N_OUTPUTS)  #? plain
    if options.json:
        print(json.dumps({"tokens": tokens, "source": options.source, "$OUTPUT_NAME": outputs.tolist()}))  #? cross
        print(json.dumps({"tokens": tokens, "features": features, "$OUTPUT_NAME": outputs.tolist()}))  #? features
        print(json.dumps({"tokens": tokens, "$OUTPUT_NAME": outputs.tolist()}))  #? plain
        return
    print("source:", *(repr(SOURCE_VOCABULARY[token]) for token in options.source))  #? cross
    reads = [repr(VOCABULARY[token]) for token in tokens]  #? !features
    reads = [numbers(row) for row in features]  #? features
    show(reads, outputs, targets)  #? !pooled
    print("reads:", *reads)  #? pooled
    show(["the whole"], outputs[:1], targets[:1])  #? pooled


def train(network: Network, steps: int) -> None:
    """Train on. The example alone is soon known by heart: put batches of your own in its place."""
    tokens, targets = torch.tensor([TOKENS]), torch.tensor([TARGETS])  # (B, T) each
    source = torch.tensor([SOURCE])  # (B, Ts)  #? cross
    features = torch.tensor([FEATURES])  # (B, T, N_FEATURES)  #? features
    values, scored = torch.tensor([VALUES]), targets != $IGNORE  # (B, T, N_OUTPUTS), (B, T)  #? values
    matrices = [parameter for parameter in network.parameters() if parameter.dim() >= 2]
    others = [parameter for parameter in network.parameters() if parameter.dim() < 2]
    groups = [{"params": matrices, "weight_decay": $WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=$LEARNING_RATE, betas=$BETAS)
    network.train()
    for step in range(1, steps + 1):
        outputs = network(tokens, source)  # (B, T, N_OUTPUTS)  #? cross
        outputs = network(tokens, features)  # (B, T, N_OUTPUTS)  #? features
        outputs = network(tokens)  # (B, T, N_OUTPUTS)  #? plain
        loss = F.cross_entropy(outputs.flatten(0, 1), targets.flatten(), ignore_index=$IGNORE)  #? !values
        loss = (outputs - values)[scored].square().sum() / scored.sum()  #? values
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), $CLIP)  #? clip
        optimizer.step()
        print(f"step {step}: loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
'''.removeprefix("\n")
