"""`attnviz atlas`: all heads of a model over many texts, as a page."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

import attnviz
from attnviz import locale
from attnviz.cli.common import SUCCESS, Commands, UsageError, add_command, not_negative, positive
from attnviz.cli.text import columns, printable

if TYPE_CHECKING:
    from attnviz.heads import Heads

__all__ = ["add_atlas"]

SERVER = "http://localhost:8501"
MOST_PROCESSES = 256


def add_atlas(commands: Commands) -> None:
    """The command that finds the heads of a model."""
    atlas = add_command(
        commands,
        "atlas",
        "find heads that read in a way that has a name, over many texts",
        "Read many texts, and tell how much each head attends to the previous token, the first one, repetitions and so "
        "on, beside chance. Heads past the thresholds are switched off alone to see what that changes. --html "
        "writes a page that needs no network: a table to sort and filter, with examples that open in the Explorer.",
        [
            "atlas zoo/induction",
            "atlas zoo/induction --html heads/",
            "atlas models/gpt2 --texts stories.txt --processes 4 --html heads/",
        ],
        "A file of texts has one a line, in UTF-8; for an encoder-decoder, what its decoder reads may follow a tab.",
    )
    atlas.add_argument("model", metavar="MODEL", help="as for `attnviz trace`")
    atlas.add_argument("--texts", type=Path, metavar="FILE", help="texts to read (default: samples that come along)")
    atlas.add_argument("--html", type=Path, metavar="DIR", help="write the page there, as index.html")
    atlas.add_argument("--lang", choices=locale.LANGUAGES, default=locale.DEFAULT, help="language the page begins in")
    atlas.add_argument("--server", default=SERVER, metavar="URL", help="where its links lead (default: %(default)s)")
    atlas.add_argument("--processes", type=positive, default=1, metavar="N", help="that share the texts (default: 1)")
    atlas.add_argument("--seed", type=not_negative, default=0, metavar="S", help="of the samples that come along")
    atlas.set_defaults(command=_atlas)


def _atlas(options: argparse.Namespace) -> int:
    from attnviz.heads import read_texts, shipped_texts
    from attnviz.heads.processes import find_in_processes

    if options.processes > MOST_PROCESSES:
        raise UsageError(f"--processes: at most {MOST_PROCESSES}")
    if options.html and options.html.exists() and not options.html.is_dir():
        raise UsageError(f"--html: {options.html} is no folder")
    if not options.server.startswith(("http://", "https://")):
        raise UsageError(f"--server: {options.server} does not begin with http:// or https://")
    model = attnviz.load_model(options.model)
    texts = shipped_texts(model, options.seed) if options.texts is None else read_texts(options.texts)
    with tqdm(total=len(texts), unit=" texts", file=sys.stderr, disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        if options.processes > 1:
            found, lost, _ = find_in_processes(options.model, texts, options.processes, progress)
        else:
            found, lost = attnviz.find_heads(model, texts, progress=progress), ()
    for first, last in lost:
        sys.stderr.write(f"attnviz: texts {first} to {last} are not counted: their process ended twice\n")
    if options.html:
        from attnviz.view.atlas import atlas_page  # what the table does without

        name = os.fspath(options.model)
        page = atlas_page(found, texts, model.facts, name=name, server=options.server, lang=options.lang, lost=lost)
        options.html.mkdir(parents=True, exist_ok=True)
        path = options.html / "index.html"
        path.write_text(page, "utf-8", newline="\n")
        print(f"written to {path}")
        return SUCCESS
    print(f"{found.n_texts:,} texts, {found.n_tokens:,} tokens; effects in nats, of each head switched off alone")
    for line in columns([["site", "head", "label", "lift", "top key", "effect"], *_rows(found)], right=(1, 3, 4, 5)):
        print(printable(line))
    return SUCCESS


def _rows(found: Heads) -> Iterator[list[str]]:
    """Yield the cells of each label of each head; what is no label says why in brackets."""
    for head in found:
        if not head.labels:
            yield [head.site, str(head.head)]
        for name, reading, effect, state in head.labels:
            shown = name if state == "confirmed" else f"({name}: {state})"
            told = "" if effect is None else f"{effect.nats:.3f}"
            yield [head.site, str(head.head), shown, f"{reading.lift:.2f}", f"{reading.hits:.2f}", told]
