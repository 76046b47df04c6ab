"""Measure the cost of looking inside, beside other tools that look into models of transformers.

GPT-2 small's shape with random weights, one thread, CPU time, variants taking turns in a process for each tool:

- a trace and its logits over the plain forward pass (fused attention, logits, no cache);
- eager attention, TransformerLens and nnsight over the same forward pass;
- a trace, its logits and the weights of all heads over the eager forward pass that returns them;
- memory: what a trace holds, and how much a process grows at its height, by the kernel's account of a fresh process
  for each variant that gives freed memory back at once (Linux);
- BertViz's page of all heads against our file and against what the app sends to its page.

The tools live in an environment of their own, and what is not installed is said to be unmeasured:

    python3 -m venv .venv/peers && .venv/peers/bin/python -m pip install -r bench/requirements-peers.txt
    .venv/peers/bin/python -m bench.peers

(Where pip's own index would give a CUDA build of PyTorch, add --extra-index-url with PyTorch's index of CPU builds.)
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.common import Figure, ratio
from bench.peers_child import PRECISE, ChildFailed, ask
from bench.peers_html import FILE, seconds_to_open

ROUNDS = {64: 15, 256: 9, 1024: 7}  # by length
LONG = 1024  # where the goals are set
INSTALL = "pip install -r bench/requirements-peers.txt"


@dataclass(frozen=True)
class Unmeasured:
    """A figure that there is no number for, and why."""

    figure: str
    unit: str
    reason: str


Entry = Figure | Unmeasured


def measure(lengths: list[int], longest: bool) -> Iterator[Entry]:
    """Yield all figures, as they come."""
    for length in lengths:
        yield from ours(length)
        yield from theirs(length)
    yield from memory(lengths)
    yield from pages(longest)


def ours(length: int) -> Iterator[Entry]:
    """Yield a trace, eager attention, and all heads."""
    heads = ["traced, all heads", "traced, no logits, all heads", "all heads"] if length == LONG else []
    names = ["plain", "traced", "traced, no logits", "eager", *heads]
    seconds = ask("seconds", length, ROUNDS[length], *names)
    at = f"T={length}"

    goal = 1.02 if length == LONG else None
    yield Figure(f"{at}: traced / plain forward", ratio(seconds, "traced", "plain"), "x", goal)
    bare = ratio(seconds, "traced, no logits", "plain")
    yield Figure(f"{at}: traced, logits not looked at / plain forward", bare, "x")
    yield Figure(f"{at}: eager with attentions / plain forward", ratio(seconds, "eager", "plain"), "x")
    if heads:
        both, bare = (ratio(seconds, name, "eager") for name in heads[:2])
        yield Figure(f"{at}: traced, weights of all heads / eager", both, "x", 0.85)
        yield Figure(f"{at}: traced, weights of all heads, logits not looked at / eager", bare, "x")
        yield Figure(f"{at}: weights of all heads", statistics.median(seconds["all heads"]), "CPU s")
    yield Figure(f"{at}: plain forward", statistics.median(seconds["plain"]), "CPU s")


def theirs(length: int) -> Iterator[Entry]:
    """Yield the peers' forward passes that keep what they can."""
    name = "TransformerLens"
    yield from peer(
        "transformer_lens",
        ["plain", f"{name}, plain", name],
        {
            f"T={length}: TransformerLens run_with_cache / plain forward": (name, "plain"),
            f"T={length}: TransformerLens run_with_cache / its own forward": (name, f"{name}, plain"),
        },
        length,
    )
    yield from peer(
        "nnsight",
        ["plain", "nnsight, q k v", "nnsight, weights"],
        {
            f"T={length}: nnsight saving q, k, v / plain forward": ("nnsight, q k v", "plain"),
            f"T={length}: nnsight saving weights, eager / plain forward": ("nnsight, weights", "plain"),
        },
        length,
    )


def peer(package: str, names: list[str], figures: dict[str, tuple[str, str]], length: int) -> Iterator[Entry]:
    """Ratios of one tool, from one process."""

    def found() -> list[Entry]:
        seconds = ask("seconds", length, ROUNDS[length], *names)
        return [Figure(figure, ratio(seconds, *pair), "x") for figure, pair in figures.items()]

    yield from if_installed(package, list(figures), "x", found)


def if_installed(package: str, figures: list[str], unit: str, found: Callable[[], list[Entry]]) -> list[Entry]:
    """Return a peer's figures, or why there are none: it is not installed, or does not work with what is."""
    if importlib.util.find_spec(package) is None:
        return [Unmeasured(figure, unit, f"no {package}; {INSTALL}") for figure in figures]
    try:
        return found()
    except ChildFailed as error:
        return [Unmeasured(figure, unit, f"{package}: {error}") for figure in figures]


def memory(lengths: list[int]) -> Iterator[Entry]:
    """Measure what a trace keeps, and the peak memory of each variant above the model."""
    if not Path("/proc/self/clear_refs").exists():
        yield Unmeasured("memory", "MB", "the kernel tells no process's peak here (Linux does)")
        return
    found = {
        name: ask("bytes", name, *lengths, **PRECISE) for name in ("plain", "traced, no logits", "traced", "eager")
    }
    for index, length in enumerate(lengths):
        at = f"T={length}"
        plain, trace, looked, eager = (found[name][index] for name in found)
        goal = 0.40 if length == LONG else None
        yield Figure(f"{at}: memory held by a trace / q, k, v", trace["counted"] / trace["qkv"], "x", 1.1)
        yield Figure(f"{at}: what the process gives back with a trace / q, k, v", trace["kept"] / trace["qkv"], "x")
        yield Figure(f"{at}: peak of a trace / peak of eager", trace["peak"] / eager["peak"], "x", goal)
        yield Figure(f"{at}: peak of a trace and its logits / peak of eager", looked["peak"] / eager["peak"], "x")
        for name, peak in (("a trace", trace), ("the plain forward", plain), ("eager", eager)):
            yield Figure(f"{at}: peak of {name} above the model", peak["peak"] / 1e6, "MB")
    for package, name in (("transformer_lens", "TransformerLens"), ("nnsight", "nnsight, weights")):
        figure = f"T={lengths[-1]}: peak of {name} above the model"

        def peak(name: str = name, figure: str = figure) -> list[Entry]:
            return [Figure(figure, ask("bytes", name, lengths[-1], **PRECISE)[0]["peak"] / 1e6, "MB")]

        yield from if_installed(package, [figure], "MB", peak)


def pages(longest: bool) -> Iterator[Entry]:
    """Sizes of pictures of all heads, and how soon ours opens."""
    for length in (32, 128, 512):
        at = f"T={length}"
        theirs = length < 512 or longest
        with tempfile.TemporaryDirectory() as folder:
            found = ask("html", length, folder, "BertViz" if theirs else "ours")
            yield Figure(f"{at}: our file", found["file"] / 1e6, "MB")
            yield Figure(f"{at}: what the page is sent", found["payload"] / 1e6, "MB")
            if theirs:
                yield from against_bertviz(length, found)
            if length == 512:
                yield opening(f"{at}: our file, asked for to ready", Path(folder) / FILE)


def against_bertviz(length: int, found: dict[str, int | None]) -> Iterator[Entry]:
    """Our sizes over BertViz's."""
    bytes_of = {name: size for name, size in found.items() if size is not None}
    for name, said, goal in (("file", "our file", 1 / 20), ("payload", "what the page is sent", 1 / 100)):
        figure = f"T={length}: {said} / BertViz's page"
        if "BertViz" in bytes_of:
            yield Figure(figure, bytes_of[name] / bytes_of["BertViz"], "x", goal if length == 128 else None)
        else:
            yield Unmeasured(figure, "x", f"no bertviz; {INSTALL}")
    if "BertViz" in bytes_of:
        yield Figure(f"T={length}: BertViz's page", bytes_of["BertViz"] / 1e6, "MB")


def opening(figure: str, file: Path) -> Entry:
    """Seconds until the view in a file is ready, in Chromium."""
    if importlib.util.find_spec("playwright") is None:
        return Unmeasured(figure, "s", f"no playwright; {INSTALL}")
    return Figure(figure, seconds_to_open(file), "s", 3.0)


def row(entry: Entry) -> dict[str, object]:
    """Return an entry as `--json` prints it; one without a number says why in its name."""
    if isinstance(entry, Unmeasured):
        figure = f"{entry.figure} (not measured: {entry.reason})"
        return {"figure": figure, "value": None, "unit": entry.unit, "goal": None, "ok": None}
    return {"figure": entry.figure, "value": entry.value, "unit": entry.unit, "goal": entry.goal, "ok": entry.ok}


def line(entry: Entry) -> str:
    """Return an entry as a line of the table."""
    if isinstance(entry, Unmeasured):
        return f"{entry.figure:72} {'-':>10} {entry.unit:8} not measured: {entry.reason}"
    goal = "" if entry.goal is None else f"goal <= {entry.goal:g}"
    verdict = {None: "", True: "ok", False: "MISSED"}[entry.ok]
    return f"{entry.figure:72} {entry.value:>10.4g} {entry.unit:8} {goal:14} {verdict}".rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--json", action="store_true", help="print a JSON list on standard output and nothing else there"
    )
    parser.add_argument("--length", type=int, action="append", choices=ROUNDS, help="one of them; may be repeated")
    parser.add_argument("--longest", action="store_true", help="BertViz at T = 512 too: 15 s and 8 GB of memory")
    options = parser.parse_args()
    entries = []
    for entry in measure(sorted(set(options.length or ROUNDS)), options.longest):
        entries.append(entry)
        print(line(entry), file=sys.stderr if options.json else sys.stdout, flush=True)
    if options.json:
        print(json.dumps([row(entry) for entry in entries], indent=1))


if __name__ == "__main__":
    main()
