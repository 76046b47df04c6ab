"""Edits on the command line: `attnviz trace --off ... --cut ... --edit ...`, and `attnviz sweep-heads`."""

from __future__ import annotations

import argparse
from pathlib import Path

import attnviz
from attnviz import edits
from attnviz.cli.common import SUCCESS, Commands, UsageError, add_command, text_or_input
from attnviz.cli.text import columns, printable
from attnviz.edits.text import EVERY as ANY
from attnviz.edits.text import PART, SourceOf
from attnviz.trace import Edit

__all__ = ["add_edits", "add_sweep", "edits_of"]


def add_edits(command: argparse.ArgumentParser) -> None:
    """--off, --cut and --edit, see `edits_of`."""
    group = command.add_argument_group("what if", "Change the forward pass; each can be given several times.")
    group.add_argument("--off", action="append", default=[], metavar="SITE:HEAD", help="a head: decoder.1.self:0")
    group.add_argument(
        "--cut",
        action="append",
        default=[],
        metavar="SITE:QUERY:KEY",
        help=f"an edge between positions, of all heads; {ANY} for every query or key",
    )
    group.add_argument(
        "--edit",
        action="append",
        default=[],
        metavar="EDIT",
        help="any edit, as an address of the Explorer has it: temperature:decoder.1.self:0:0.5",
    )


def edits_of(options: argparse.Namespace, source: SourceOf) -> list[Edit]:
    """Return the edits that were asked for.

    Args:
        source: gives the trace of the text, and of the target or "", that a patch comes from.

    Raises:
        UsageError: one is not written as it should be.
    """
    off = [_parts("--off", "SITE:HEAD", given) for given in options.off]
    cut = [_parts("--cut", "SITE:QUERY:KEY", given) for given in options.cut]
    if any(head is None for _, (head,) in off):
        raise UsageError("--off: name one head")
    heads = [edits.head_off(site, head) for site, (head,) in off if head is not None]
    others = edits.read_edits(PART.join(options.edit), source)
    return [*heads, *(edits.cut(site, query, key) for site, (query, key) in cut), *others]


def _parts(option: str, form: str, given: str) -> tuple[str, list[int | None]]:
    site, *places = given.split(":")
    if len(places) != form.count(":") or not all(place == ANY or place.isdecimal() for place in places):
        raise UsageError(f"{option} {given}: write {form}, with whole numbers from 0")
    return site, [None if place == ANY else int(place) for place in places]


def add_sweep(commands: Commands) -> None:
    """The command that switches off every head."""
    sweep = add_command(
        commands,
        "sweep-heads",
        "switch every head off alone, and measure what that does to an answer",
        "Switch every head of a model off, one at a time, and list what that does to one output: its probability and "
        "rank, its loss and the divergence of all outputs, in nats. The heads that are missed most come first.",
        [
            "sweep-heads zoo/reverse 'g f e d c' --token c --position 0",
            "sweep-heads zoo/sort 'd a c b >' --csv heads.csv",
        ],
    )
    sweep.add_argument("model", metavar="MODEL", help="as for `attnviz trace`")
    sweep.add_argument("text", metavar="TEXT", help="what the model reads; - for standard input")
    sweep.add_argument("--target", metavar="T", help="what the decoder of an encoder-decoder reads (default: its own)")
    sweep.add_argument("--token", metavar="T", help="the output that is measured (default: the most probable one)")
    sweep.add_argument("--position", type=int, default=-1, metavar="P", help="row of the outputs (default: the last)")
    outputs = sweep.add_mutually_exclusive_group()
    outputs.add_argument("--csv", type=Path, metavar="FILE", help="write the table there")
    outputs.add_argument("--html", type=Path, metavar="FILE", help="a map of the heads that opens each in the view")
    sweep.set_defaults(command=_sweep)


def _sweep(options: argparse.Namespace) -> int:
    model, text = attnviz.load_model(options.model), text_or_input(options.text)
    found = attnviz.sweep(model, text, options.target, token=options.token, position=options.position)
    if options.html:
        from attnviz.view.standalone import to_html  # what the table does without

        print(f"written to {to_html(found.trace, options.html, sweep=found)}")
        return SUCCESS
    table = found.to_dataframe()
    if options.csv:
        table.to_csv(options.csv, index=False)
        print(f"written to {options.csv}")
        return SUCCESS
    before = found.before
    print(printable(f"{found.token!r} at {found.position}: probability {float(before.probability[0]):.4f}"))
    shown = table[["site", "head", "probability", "rank", "loss", "kl"]].itertuples(index=False, name=None)
    rows = [
        [site, str(head), f"{p:.4f}", f"{rank:.0f}", f"{loss:.4f}", f"{kl:.4f}"]
        for site, head, p, rank, loss, kl in shown
    ]
    for line in columns([["site", "head", "probability", "rank", "loss", "KL"], *rows], right=(1, 2, 3, 4, 5)):
        print(line)
    return SUCCESS
