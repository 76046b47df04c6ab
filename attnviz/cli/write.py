"""`attnviz write`: have a model write step by step, as text, as a table of its steps or as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import attnviz
from attnviz.cli.common import SUCCESS, Commands, add_command, not_negative, text_or_input
from attnviz.cli.edits import add_edits, edits_of
from attnviz.cli.text import columns, printable, shown
from attnviz.writing import MOST_BEAMS, MOST_NEW, Plan, Step, Written, values_of

__all__ = ["add_write"]

BEST = 3  # candidates in a line of the table


def add_write(commands: Commands) -> None:
    """The command that writes."""
    write = add_command(
        commands,
        "write",
        "have a model write, and see what it could have written instead",
        "Have a decoder or an encoder-decoder write: the most probable token each time, tokens drawn after a "
        "temperature and filters, or the best continuation of a search over beams. A seed gives the same text.",
        [
            "write zoo/english 'One day' --max-new 40",
            "write zoo/english 'One day' --temperature 0.8 --top-p 0.9 --seed 1 --steps",
            "write zoo/english 'One day' --beams 4 --json | jq .score",
            "write ~/models/gpt2 'The cat sat' --top-k 20 --off decoder.5.self:1",
        ],
    )
    write.add_argument("model", metavar="MODEL", help="as for `attnviz trace`")
    write.add_argument("text", metavar="TEXT", help="what it continues, or the source; - for standard input")
    write.add_argument("--target", default="", metavar="T", help="the beginning of the target, of an encoder-decoder")
    write.add_argument("--image", type=Path, metavar="FILE", help="for a model that sees an image")

    how = write.add_argument_group("how", "By default the most probable token each time.")
    how.add_argument("--temperature", type=float, metavar="T", help="draw; below 1 likely tokens become likelier")
    how.add_argument("--top-k", type=int, metavar="K", help="draw among the K most probable tokens")
    how.add_argument("--top-p", type=float, metavar="P", help="draw among the most probable tokens that make up P")
    how.add_argument("--beams", type=int, metavar="B", help=f"search over so many beams, 2 to {MOST_BEAMS}")
    how.add_argument("--seed", type=not_negative, default=0, metavar="S", help="of the draws (default: 0)")
    how.add_argument("--max-new", type=int, default=20, metavar="N", help=f"tokens at most, 1 to {MOST_NEW}")
    how.add_argument("--no-template", action="store_true", help="leave out the chat template of a chat model")

    add_edits(write)

    outputs = write.add_argument_group("in place of the text").add_mutually_exclusive_group()
    outputs.add_argument("--steps", action="store_true", help="a table: each token, and what could have come instead")
    outputs.add_argument("--json", action="store_true", help="the steps, their distributions and the beams")
    outputs.add_argument("--html", type=Path, metavar="FILE", help="the view of what every head read, as one file")
    write.set_defaults(command=_write)


def _write(options: argparse.Namespace) -> int:
    plan = Plan.of(
        temperature=options.temperature,
        top_k=options.top_k,
        top_p=options.top_p,
        beams=options.beams,
        seed=options.seed,
        max_new=options.max_new,
        template=not options.no_template,
    )
    text = text_or_input(options.text)
    model = attnviz.load_model(options.model)
    changes = edits_of(options, lambda source, target: attnviz.trace(model, source, target or None))
    written = attnviz.write(model, text, options.target, plan=plan, image=options.image, edits=changes)
    if options.html:
        from attnviz.view.standalone import to_html  # what the other outputs do without

        print(f"written to {to_html(written, options.html)}")
    elif options.json:
        print(json.dumps(values_of(written), ensure_ascii=False, allow_nan=False))
    elif options.steps:
        for line in as_table(written):
            print(line)
    else:
        print(written.whole)
    return SUCCESS


def as_table(written: Written) -> list[str]:
    """Return the steps as lines: the token, its probability by the model and after the filters, the best others."""
    rows = [["step", "token", "model", "drawn from", "number", "could have been"]]
    for at, step in enumerate(written.steps):
        own = _probabilities(step)
        others = [one for one in step.candidates if one.token != step.token][:BEST]
        instead = ", ".join(f"{_label(written, one.token)} {one.probabilities[-1]:.3f}" for one in others)
        number = "" if step.number is None else f"{step.number:.3f}"
        rows.append([str(at), _label(written, step.token), f"{own[0]:.3f}", f"{own[-1]:.3f}", number, instead])
    return columns(rows, right=(0, 2, 3, 4))


def _probabilities(step: Step) -> tuple[float, ...]:
    return next(one.probabilities for one in step.candidates if one.token == step.token)


def _label(written: Written, token: int) -> str:
    return printable(shown(written.label(token)))
