"""`attnviz why`: one attention score as a sum of what earlier parts of the model wrote."""

from __future__ import annotations

import argparse
import json
from typing import Any

import attnviz
from attnviz.cli.common import SUCCESS, Commands, UsageError, add_command, text_or_input
from attnviz.cli.text import columns, printable
from attnviz.trace import Trace
from attnviz.why import Explanation, Part

__all__ = ["add_why"]


def add_why(commands: Commands) -> None:
    """The command that explains a score."""
    why = add_command(
        commands,
        "why",
        "explain an attention score by what earlier parts of the model wrote",
        "Split the score of a query and a key, above the mean of its row, into what earlier parts of the model wrote: "
        "token, position, heads, MLPs. Each part is shown with its share, and with the change of the score if it is "
        "left out of this query, or of the keys of this head, and norms are computed anew.",
        ["why zoo/induction 'a c d b a' --site decoder.1.self --head 0 --query 4 --key 1"],
    )
    why.add_argument("model", metavar="MODEL", help="as for `attnviz trace`")
    why.add_argument("text", metavar="TEXT", help="what the model reads; - for standard input")
    why.add_argument("--target", metavar="T", help="what the decoder of an encoder-decoder reads (default: its own)")
    why.add_argument("--site", required=True, metavar="SITE", help="such as decoder.1.self")
    why.add_argument("--head", type=int, required=True, metavar="H", help="index of the head")
    why.add_argument("--query", type=int, required=True, metavar="I", help="position of the query")
    why.add_argument("--key", type=int, required=True, metavar="J", help="position of the key")
    why.add_argument("--top", type=int, default=5, metavar="N", help="parts of each side that are listed (default: 5)")
    why.add_argument("--json", action="store_true", help="print all parts as JSON")
    why.set_defaults(command=_why)


def _why(options: argparse.Namespace) -> int:
    trace = attnviz.trace(attnviz.load_model(options.model), text_or_input(options.text), options.target)
    try:
        found = trace.why(options.site, options.head, options.query, options.key)
    except (KeyError, IndexError) as error:
        raise UsageError(str(error.args[0])) from error
    if options.json:
        print(json.dumps(_values(found), ensure_ascii=False, indent=2))
        return SUCCESS
    for line in _lines(trace, found, options.top):
        print(printable(line))
    return SUCCESS


def _lines(trace: Trace, found: Explanation, top: int) -> list[str]:
    site = trace.site(found.site)
    asks, reads = trace.sequences[site.queries].labels[found.query], trace.sequences[site.keys].labels[found.key]
    above = found.score - found.row_mean
    lines = [
        f"{found.site}, head {found.head}: query {found.query} {asks}, key {found.key} {reads}",
        f"score {found.score:.4f}, {above:+.4f} above the mean of its row",
    ]
    for title, parts in (("what asks", found.queries), ("what is read", found.keys)):
        shown = [[part.name, f"{part.share:+.4f}", f"{part.if_removed:+.4f}"] for part in parts[:top]]
        rest = [[f"{len(parts) - top} others", f"{sum(part.share for part in parts[top:]):+.4f}", ""]]
        total = ["together", f"{sum(part.share for part in parts):+.4f}", ""]
        rows = [[title, "share", "if removed"], *shown, *(rest if len(parts) > top else []), total]
        lines += ["", *columns(rows, right=(1, 2))]
    proof = found.proof
    return [*lines, "", f"error of the sums {proof.sum_error:.1e}, of linearity {proof.linearity_error:.1e}"]


def _values(found: Explanation) -> dict[str, Any]:
    return {
        **{name: getattr(found, name) for name in ("site", "head", "query", "key", "score", "row_mean")},
        "queries": [_part(part) for part in found.queries],
        "keys": [_part(part) for part in found.keys],
        "proof": found.proof._asdict(),
    }


def _part(part: Part) -> dict[str, Any]:
    return {name: getattr(part, name) for name in ("name", "kind", "layer", "head", "share", "if_removed")}
