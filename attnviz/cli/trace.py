"""`attnviz trace`: run a model on a text, look at one head in the terminal, or write everything to a file."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Literal, get_args

import attnviz
from attnviz.cli.common import SUCCESS, WHERE, Commands, UsageError, add_command, not_negative, text_or_input
from attnviz.cli.edits import add_edits, edits_of
from attnviz.cli.head import as_json, as_table
from attnviz.trace import AttentionSite, Trace

__all__ = ["add_trace"]

Stack = Literal["encoder", "decoder", "text", "vision"]


def add_trace(commands: Commands) -> None:
    """The command that traces."""
    trace = add_command(
        commands,
        "trace",
        "run a model on a text and look at a head",
        "Run a model on a text and show the attention weights of one head, with the proof that they are the model's "
        "own: the largest difference between its numbers and what is recomputed from q, k and v. Or write all "
        "numbers to a file.",
        [
            "trace zoo/reverse 'g f e d c'",
            "trace zoo/reverse 'g f e d c' --layer 1 --head 1",
            "trace zoo/dates '3rd of March 2021' --kind cross --html dates.html",
            "trace zoo/english - --npz story.npz < story.txt",
            "trace zoo/sort 'd a c b >' --json | jq .largest_error",
            "trace zoo/reverse 'g f e d c' --off encoder.1.self:0 --cut encoder.0.self:*:2",
            "trace ~/models/gpt2 'The cat sat'",
            "trace ~/models/vit cat.png --html cat.html",
        ],
        f"`attnviz models` lists the names of models. {WHERE}",
    )
    trace.add_argument(
        "model",
        metavar="MODEL",
        help="zoo/NAME, run/NAME or run/NAME@STEP, a folder or its name in ATTNVIZ_MODELS, or hf:ID",
    )
    trace.add_argument("text", metavar="TEXT", help="what the model reads, or an image's file; - for standard input")
    trace.add_argument(
        "--target",
        metavar="T",
        help="what the decoder of an encoder-decoder reads (default: its own); an encoder's second sentence",
    )
    trace.add_argument("--image", type=Path, metavar="FILE", help="for a model that reads a text and sees an image")

    which = trace.add_argument_group(
        "which head",
        "By default the first head of the first layer; self-attention of the sequence that the model reads last.",
    )
    which.add_argument("--layer", type=not_negative, metavar="L", help="its layer, from 0")
    which.add_argument("--head", type=not_negative, metavar="H", help="its number in the layer, from 0")
    which.add_argument("--stack", choices=get_args(Stack), metavar="S", help=", ".join(get_args(Stack)))
    which.add_argument("--kind", choices=("self", "cross"), metavar="K", help="self or cross attention")
    which.add_argument("--part", type=not_negative, metavar="P", help="the window of an image, from 0")

    add_edits(trace)

    outputs = trace.add_argument_group("in place of the table").add_mutually_exclusive_group()
    outputs.add_argument("--html", type=Path, metavar="FILE", help="the interactive view as one file, for any browser")
    outputs.add_argument("--npz", type=Path, metavar="FILE", help="the numbers of all heads, for NumPy")
    outputs.add_argument("--json", action="store_true", help="the numbers of the head; null stands for -infinity")
    trace.set_defaults(command=_trace)


def _trace(options: argparse.Namespace) -> int:
    if options.npz and (options.layer, options.head, options.stack, options.kind, options.part) != (None,) * 5:
        raise UsageError("--npz holds all heads: leave out --layer, --head, --stack, --kind and --part")
    text = text_or_input(options.text)
    model = attnviz.load_model(options.model)
    changes = edits_of(options, lambda source, target: attnviz.trace(model, source, target or None))
    trace = attnviz.trace(model, text, options.target, image=options.image, edits=changes)
    if options.npz:
        with options.npz.open("wb") as file:  # by its name, NumPy would append ".npz"
            trace.to_npz(file)
        print(f"written to {options.npz}")
        return SUCCESS
    site, head = _head(trace, options)
    if options.html:
        from attnviz.view.standalone import to_html  # what the other outputs do without

        print(f"written to {to_html(trace, options.html, heads=[(site.name, head)])}")
    elif options.json:
        print(json.dumps(as_json(trace, site, head), allow_nan=False))
    else:
        for line in as_table(trace, site, head, shutil.get_terminal_size().columns):
            print(line)
    return SUCCESS


def _head(trace: Trace, options: argparse.Namespace) -> tuple[AttentionSite, int]:
    """Return the head that was asked for, by default the first one of the first layer."""
    fitting = [s.layer for s in trace.sites if options.stack in (None, s.stack) and options.kind in (None, s.kind)]
    layer = options.layer if options.layer is not None else min(fitting, default=0)
    try:
        site = trace.find(layer, options.stack, options.kind, options.part)
    except KeyError as error:
        raise UsageError(error.args[0]) from error
    head = options.head or 0
    if head >= site.n_heads:
        raise UsageError(f"--head {head}: {site.name} has the heads 0 to {site.n_heads - 1}")
    return site, head
