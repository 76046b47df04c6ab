"""A run's network written out as one Python file: plain PyTorch to read, to run and to train on, without attnviz.

TEMPLATE holds the lines of every kind of network. A line that ends with `#? word` is for those that the word applies
to, with `#? !word` for all others; `_words` says which words there are. `$NAME` stands for a value of the run.
"""

from __future__ import annotations

import re
from pprint import pformat
from string import Template

from attnviz.tokenizers import Tokenizer
from attnviz.training.run import Run

__all__ = ["pytorch_script"]

MARK = re.compile(r"  #\? (!?)(\w+)$")
LONGEST = 64  # tokens of the example of a decoder: a piece of a text shows as much
WIDTH = 110


def pytorch_script(run: Run) -> str:
    """One self-contained Python file with the network of a run; it needs torch and safetensors alone.

    It loads the weights file named on its command line (see `model_files`), lets the network read an example that is
    built in, prints what it reads and writes, with `--json` all logits, and with `--train N` trains on.
    """
    words = _words(run)
    lines = []
    for line in TEMPLATE.splitlines():
        mark = MARK.search(line)
        if mark is None:
            lines.append(line)
        elif (mark[2] in words) != bool(mark[1]):
            lines.append(line[: mark.start()])
    return Template("\n".join(lines) + "\n").substitute(_values(run))


def _words(run: Run) -> set[str]:
    """What applies to the network: its architecture, positions and norm, and parts that not every network has."""
    model = run.config.model
    parts = {
        "cross": model.architecture == "encoder-decoder",
        "feed_forward": model.d_ff > 0,
        "grouped": model.kv_heads < model.n_heads,
        "scaled": model.scoring == "scaled_dot",
        "window": model.window is not None,
        "clip": run.config.training.clip is not None,
    }
    words = {model.architecture.replace("-", "_"), model.positions, model.norm}
    words |= {word for word, applies in parts.items() if applies}
    words |= {f"{word}_{'cross' if parts['cross'] else 'alone'}" for word in (model.positions, model.norm)}
    if parts["feed_forward"]:
        words.add(f"{model.norm}_feed_forward")
    if words & {"rotary", "sinusoidal"}:
        words.add("angles")
    return words


def _values(run: Run) -> dict[str, str]:
    """Python literals; what a person may have typed is among them, nowhere else."""
    model, training, task = run.config.model, run.config.training, run.config.task
    example = run.probe()[0]
    n = LONGEST if model.architecture == "decoder" else example.tokens.shape[1]
    tokens, targets = example.tokens[0, :n].tolist(), example.targets[0, :n].tolist()
    source = [] if example.source is None else example.source[0].tolist()
    sources = task.source_tokenizer
    values: dict[str, object] = {
        "RUN": run.name,
        "TASK": task.name,
        "D_MODEL": model.d_model,
        "N_HEADS": model.n_heads,
        "N_KV_HEADS": model.kv_heads,
        "N_LAYERS": model.n_layers,
        "D_FF": model.d_ff,
        "MAX_LEN": model.max_len,
        "SOURCE_MAX_LEN": model.source_max_len,
        "WINDOW": model.window,
        "DROPOUT": model.dropout,
        "VOCABULARY": list(task.tokenizer.vocab),
        "SOURCE_VOCABULARY": list(sources.vocab) if sources else [],
        "TOKENS": tokens,
        "TOKEN_LABELS": _labels(tokens, task.tokenizer),
        "TARGETS": targets,
        "SOURCE": source,
        "SOURCE_LABELS": _labels(source, sources) if sources else "",
        "LEARNING_RATE": training.learning_rate,
        "BETAS": (training.beta1, training.beta2),
        "WEIGHT_DECAY": training.weight_decay,
        "CLIP": training.clip,
    }
    return {name: pformat(value, width=WIDTH, compact=True) for name, value in values.items()}


def _labels(ids: list[int], tokenizer: Tokenizer) -> str:
    return (" " if tokenizer.kind == "symbols" else "").join(map(tokenizer.label, ids))


TEMPLATE = r'''
"""A Transformer in plain PyTorch, with the shape of one training run; with its weights it computes what the run does.

    pip install torch numpy safetensors
    python model.py model.safetensors                    what the network writes for the example below
    python model.py model.safetensors --tokens 4 5 6     for other tokens: places in VOCABULARY
    python model.py model.safetensors --json             all logits, as JSON
    python model.py model.safetensors --train 20         after 20 more steps of training, on the example alone

Shapes in the comments: B sequences, T tokens (Tq queries, Tk keys), H heads, V symbols.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

RUN, TASK = $RUN, $TASK

D_MODEL = $D_MODEL  # width of the residual stream
N_HEADS = $N_HEADS
N_KV_HEADS = $N_KV_HEADS  # heads of keys and values; each is read by several heads of queries  #? grouped
N_LAYERS = $N_LAYERS
D_HEAD = D_MODEL // N_HEADS
SCALE = D_HEAD**-0.5  # of the scores  #? scaled
SCALE = 1.0  # of the scores  #? !scaled
WIDTHS = [D_MODEL, N_KV_HEADS * D_HEAD, N_KV_HEADS * D_HEAD]  # of all queries, keys and values of a token  #? grouped
WIDTHS = [D_MODEL, D_MODEL, D_MODEL]  # of all queries, keys and values of a token  #? !grouped
D_FF = $D_FF  # hidden width of the feed-forward part  #? feed_forward
WINDOW = $WINDOW  # only keys nearer than this are read  #? window
DROPOUT = $DROPOUT
MAX_LEN = $MAX_LEN  # tokens
SOURCE_MAX_LEN = $SOURCE_MAX_LEN  # tokens of the source  #? cross

# What a token id stands for.
VOCABULARY = $VOCABULARY
SOURCE_VOCABULARY = $SOURCE_VOCABULARY  #? cross

# An example: token ids, what they stand for, and the right output at each position (-100 where none is expected).
SOURCE = $SOURCE  #? cross
SOURCE_TEXT = $SOURCE_LABELS  #? cross
TOKENS = $TOKENS
TEXT = $TOKEN_LABELS
TARGETS = $TARGETS


class Attention(nn.Module):
    """For every head softmax(q k^T * SCALE) v; all heads side by side, through W_O."""

    def __init__(self) -> None:
        super().__init__()
        self.project_in = nn.Linear(D_MODEL, sum(WIDTHS))  # W_Q, W_K and W_V side by side
        self.project_out = nn.Linear(D_MODEL, D_MODEL)  # W_O

    def forward(self, x: Tensor, allowed: Tensor) -> Tensor:  #? !cross
        """What is read (B, T, D_MODEL), which keys each query may read (T, T) -> (B, T, D_MODEL)."""  #? !cross
        q, k, v = self.project_in(x).split(WIDTHS, dim=-1)  #? !cross
    def forward(self, x: Tensor, memory: Tensor, allowed: Tensor) -> Tensor:  #? cross
        """(B, Tq, D_MODEL), what it reads (B, Tk, D_MODEL), which keys of it (Tq, Tk) -> (B, Tq, D_MODEL)."""  #? cross
        q, _, _ = self.project_in(x).split(WIDTHS, dim=-1)  #? cross
        _, k, v = self.project_in(memory).split(WIDTHS, dim=-1)  #? cross
        q, k, v = split_heads(q), split_heads(k), split_heads(v)  # (B, H, T, D_HEAD)
        q, k = rotate(q), rotate(k)  #? rotary_alone
        if memory is x:  # positions in two different texts do not compare  #? rotary_cross
            q, k = rotate(q), rotate(k)  #? rotary_cross
        k, v = (part.repeat_interleave(N_HEADS // N_KV_HEADS, dim=1) for part in (k, v))  # (B, H, ...)  #? grouped
        scores = q @ k.transpose(-2, -1) * SCALE  # (B, H, Tq, D_HEAD) x (B, H, D_HEAD, Tk) -> (B, H, Tq, Tk)
        weights = scores.masked_fill(~allowed, float("-inf")).softmax(dim=-1)  # each row sums to 1
        context = weights @ v  # (B, H, Tq, Tk) x (B, H, Tk, D_HEAD) -> (B, H, Tq, D_HEAD)
        return self.project_out(context.transpose(1, 2).flatten(2))  # heads side by side: (B, Tq, D_MODEL)


def split_heads(x: Tensor) -> Tensor:
    """(B, T, H * D_HEAD) -> (B, H, T, D_HEAD)."""
    return x.unflatten(-1, (-1, D_HEAD)).transpose(1, 2)


def angles(n: int, width: int) -> Tensor:  #? angles
    """t / 10000^(2i / width) for every position t and pair i of dimensions: (T, width / 2)."""  #? angles
    frequencies = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)  #? angles
    return torch.outer(torch.arange(n, dtype=torch.float64), frequencies).float()  #? angles
  #? angles
  #? angles
def rotate(x: Tensor) -> Tensor:  #? rotary
    """Turn every pair of dimensions of a query or key by the angle of its position: (B, H, T, D_HEAD)."""  #? rotary
    angle = angles(x.shape[-2], D_HEAD)  # (T, D_HEAD / 2)  #? rotary
    even, odd, cos, sin = x[..., 0::2], x[..., 1::2], angle.cos(), angle.sin()  #? rotary
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)  #? rotary
  #? rotary
  #? rotary
def sinusoids(n: int) -> Tensor:  #? sinusoidal
    """Sines and cosines that tell the positions: (T, D_MODEL)."""  #? sinusoidal
    angle = angles(n, D_MODEL)  # (T, D_MODEL / 2)  #? sinusoidal
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)  #? sinusoidal
  #? sinusoidal
  #? sinusoidal
def readable(n: int, causal: bool) -> Tensor:
    """Which keys (columns) each query (row) may read: (T, T) bool."""
    query, key = torch.arange(n)[:, None], torch.arange(n)[None, :]
    allowed = key <= query if causal else torch.ones(n, n, dtype=torch.bool)
    allowed = allowed & ((query - key).abs() < WINDOW)  #? window
    return allowed


class Block(nn.Module):
    """Each part reads the normed stream and adds to the stream."""  #? pre
    """Each part reads the stream and adds to it; the sum is normed."""  #? post

    def __init__(self) -> None:  #? !cross
    def __init__(self, reads_source: bool) -> None:  #? cross
        super().__init__()
        self.attention = Attention()
        self.attention_norm = nn.LayerNorm(D_MODEL)
        if reads_source:  #? cross
            self.cross_attention = Attention()  #? cross
            self.cross_norm = nn.LayerNorm(D_MODEL)  #? cross
        layers = nn.Linear(D_MODEL, D_FF), nn.GELU(), nn.Linear(D_FF, D_MODEL)  #? feed_forward
        self.feed_forward = nn.Sequential(*layers)  #? feed_forward
        self.feed_forward_norm = nn.LayerNorm(D_MODEL)  #? feed_forward
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, allowed: Tensor) -> Tensor:  #? !cross
    def forward(self, x: Tensor, allowed: Tensor, memory: Tensor | None = None) -> Tensor:  #? cross
        """(B, T, D_MODEL) -> (B, T, D_MODEL)."""
        normed = self.attention_norm(x)  #? pre
        x = x + self.dropout(self.attention(normed, allowed))  #? pre_alone
        x = x + self.dropout(self.attention(normed, normed, allowed))  #? pre_cross
        x = self.attention_norm(x + self.dropout(self.attention(x, allowed)))  #? post_alone
        x = self.attention_norm(x + self.dropout(self.attention(x, x, allowed)))  #? post_cross
        if memory is not None:  #? cross
            everything = torch.ones(x.shape[1], memory.shape[1], dtype=torch.bool)  # (Tq, Tk)  #? cross
            x = x + self.dropout(self.cross_attention(self.cross_norm(x), memory, everything))  #? pre_cross
            x = self.cross_norm(x + self.dropout(self.cross_attention(x, memory, everything)))  #? post_cross
        x = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))  #? pre_feed_forward
        x = self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))  #? post_feed_forward
        return x


class Stack(nn.Module):
    """Embeddings, positions and blocks: token ids to a residual stream."""

    def __init__(self, n_symbols: int, max_len: int, causal: bool, reads_source: bool = False) -> None:  #? cross
    def __init__(self, n_symbols: int, max_len: int, causal: bool) -> None:  #? !cross
        super().__init__()
        self.max_len = max_len
        self.causal = causal
        self.embedding = nn.Embedding(n_symbols, D_MODEL)
        self.position_embedding = nn.Embedding(max_len, D_MODEL)  #? learned
        self.blocks = nn.ModuleList(Block(reads_source) for _ in range(N_LAYERS))  #? cross
        self.blocks = nn.ModuleList(Block() for _ in range(N_LAYERS))  #? !cross
        self.final_norm = nn.LayerNorm(D_MODEL)  #? pre
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, tokens: Tensor, memory: Tensor | None = None) -> Tensor:  #? cross
    def forward(self, tokens: Tensor) -> Tensor:  #? !cross
        """Token ids (B, T) -> residual stream (B, T, D_MODEL)."""
        n = tokens.shape[1]
        if n > self.max_len:
            raise SystemExit(f"{n} tokens given, at most {self.max_len} fit")
        x = self.embedding(tokens)
        x = x + self.position_embedding.weight[:n]  #? learned
        x = x + sinusoids(n)  #? sinusoidal
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x, readable(n, self.causal), memory)  #? cross
            x = block(x, readable(n, self.causal))  #? !cross
        return self.final_norm(x)  #? pre
        return x  #? post


class Network(nn.Module):
    """An encoder and a decoder that reads it: source and target ids to logits."""  #? encoder_decoder
    """A decoder: every token reads itself and what came before."""  #? decoder
    """An encoder: every token reads every token."""  #? encoder

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Stack(len(SOURCE_VOCABULARY), SOURCE_MAX_LEN, causal=False)  #? cross
        self.decoder = Stack(len(VOCABULARY), MAX_LEN, causal=True, reads_source=True)  #? cross
        self.decoder = Stack(len(VOCABULARY), MAX_LEN, causal=True)  #? decoder
        self.encoder = Stack(len(VOCABULARY), MAX_LEN, causal=False)  #? encoder
        self.unembedding = nn.Linear(D_MODEL, len(VOCABULARY))

    def forward(self, tokens: Tensor, source: Tensor) -> Tensor:  #? cross
        """Token ids (B, T) and those of the source (B, Ts) -> logits (B, T, V)."""  #? cross
        return self.unembedding(self.decoder(tokens, self.encoder(source)))  #? cross
    def forward(self, tokens: Tensor) -> Tensor:  #? !cross
        """Token ids (B, T) -> logits (B, T, V)."""  #? !cross
        return self.unembedding(self.decoder(tokens))  #? decoder
        return self.unembedding(self.encoder(tokens))  #? encoder


def show(reads: list[int], logits: Tensor, targets: list[int]) -> None:
    """Print what the network reads and writes at every position; logits (T, V)."""
    print(f"{'position':>8}  {'reads':<12}{'writes':<12}{'probability':>11}  right answer")
    for position, (token, row, target) in enumerate(zip(reads, logits.softmax(-1), targets)):
        probability, written = row.max(-1)
        right = VOCABULARY[target] if target >= 0 else ""
        print(f"{position:>8}  {VOCABULARY[token]!r:<12}{VOCABULARY[written]!r:<12}{probability:>11.3f}  {right!r}")


def main() -> None:
    """Read the command line, load the weights, read the example."""
    parser = argparse.ArgumentParser(description=f"The network of run {RUN}, which learned: {TASK}.")
    parser.add_argument("weights", type=Path, help="model.safetensors")
    parser.add_argument("--tokens", type=int, nargs="+", metavar="ID", help="read these instead of the example")
    parser.add_argument("--source", type=int, nargs="+", metavar="ID", help="and this source", default=SOURCE)  #? cross
    parser.add_argument("--json", action="store_true", help="print the logits as JSON")
    parser.add_argument("--train", type=int, metavar="STEPS", default=0, help="train on before, on the example")
    options = parser.parse_args()
    tokens = options.tokens or TOKENS
    targets = [-100] * len(tokens) if options.tokens else TARGETS
    if not options.weights.is_file():
        parser.error(f"{options.weights}: there is no such file")
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
        logits = network(torch.tensor([tokens]), torch.tensor([options.source]))[0]  # (T, V)  #? cross
        logits = network(torch.tensor([tokens]))[0]  # (T, V)  #? !cross
    if options.json:
        print(json.dumps({"tokens": tokens, "source": options.source, "logits": logits.tolist()}))  #? cross
        print(json.dumps({"tokens": tokens, "logits": logits.tolist()}))  #? !cross
        return
    print("source:", *(repr(SOURCE_VOCABULARY[token]) for token in options.source))  #? cross
    show(tokens, logits, targets)


def train(network: Network, steps: int) -> None:
    """Train on. The example alone is soon known by heart: put batches of your own in its place."""
    tokens, targets = torch.tensor([TOKENS]), torch.tensor([TARGETS])  # (B, T) each
    source = torch.tensor([SOURCE])  # (B, Ts)  #? cross
    matrices = [parameter for parameter in network.parameters() if parameter.dim() >= 2]
    others = [parameter for parameter in network.parameters() if parameter.dim() < 2]
    groups = [{"params": matrices, "weight_decay": $WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=$LEARNING_RATE, betas=$BETAS)
    network.train()
    for step in range(1, steps + 1):
        logits = network(tokens, source)  # (B, T, V)  #? cross
        logits = network(tokens)  # (B, T, V)  #? !cross
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), $CLIP)  #? clip
        optimizer.step()
        print(f"step {step}: loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
'''.removeprefix("\n")
