"""One head of a trace: as a table for a terminal, as plain values for JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from torch import Tensor

from attnviz.cli.outputs import answer_lines, answer_values
from attnviz.cli.text import pad, printable, shorten, shown, width
from attnviz.trace import AttentionSite, ProofEntry, Tokens, Trace

__all__ = ["as_json", "as_table"]

LABEL = 10  # columns that a token takes at most
CELL = 5  # columns of "0.123"
KEYS = 3  # that are shown however narrow the terminal is
MASKED = "·"


def as_json(trace: Trace, site: AttentionSite, head: int) -> dict[str, Any]:
    """Return all numbers of one head, with what they belong to; numbers that are not finite are None.

    Example:
        >>> import attnviz
        >>> trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c")
        >>> values = as_json(trace, trace.sites[0], head=1)
        >>> values["site"]["name"], values["head"], len(values["weights"])
        ('encoder.0.self', 1, 6)
    """
    group = site.group(head)
    given = {"q": site.q[head], "k": site.k[group], "v": site.v[group]}
    steps = {**given, **site.chain(head)._asdict()}
    proof = trace.proof()
    return {
        "model": asdict(trace.model.facts),
        "text": trace.text,
        "target": trace.target,
        "target_generated": trace.target_generated,
        "outputs": answer_values(trace),
        "tokens": {name: list(tokens.labels) for name, tokens in trace.sequences.items()},
        "site": _site(site),
        "layer": site.layer,
        "head": head,
        **{name: None if tensor is None else _plain(tensor.float().tolist()) for name, tensor in steps.items()},
        "proof": [_plain({**entry._asdict(), "max_abs_error": entry.max_abs_error}) for entry in proof],
        "largest_error": _plain(_largest(proof).max_abs_error) if proof else None,
    }


def _site(site: AttentionSite) -> dict[str, Any]:
    names = ("name", "stack", "kind", "part", "queries", "keys", "scoring", "n_heads", "n_kv_heads", "scale", "softcap")
    rules = {"causal": site.mask.causal, "window": site.mask.window, "rotary": site.rotary}
    return {name: getattr(site, name) for name in names} | rules


def _plain(values: Any) -> Any:
    if isinstance(values, list):
        return [_plain(value) for value in values]
    if isinstance(values, dict):
        return {name: _plain(value) for name, value in values.items()}
    return values if isinstance(values, str) or math.isfinite(values) else None


def _largest(proof: list[ProofEntry]) -> ProofEntry:
    """Return the entry with the largest error; one that is not a number is larger than all."""
    return max(proof, key=lambda entry: math.inf if math.isnan(entry.max_abs_error) else entry.max_abs_error)


def as_table(trace: Trace, site: AttentionSite, head: int, size: int) -> list[str]:
    """Return the weights of one head, a query a line, as wide as a terminal of `size` columns.

    Every query is there, with the key that it reads most; of the keys, those that fit.
    """
    queries, keys = trace.sequences[site.queries], trace.sequences[site.keys]
    facts, chain = trace.model.facts, site.chain(head)
    lines = [f"{printable(facts.title)}: {facts.kind or facts.architecture}, {facts.n_parameters:,} parameters"]
    if trace.target is not None:
        lines.append(f"target{' (written by the model)' * trace.target_generated}: {printable(trace.target)}")
    lines += [f"{site.name}, head {head}: {len(queries)} queries (rows), {len(keys)} keys (columns)", ""]
    hidden = chain.masked.isneginf()
    table, n_shown = _table(queries, keys, chain.weights, hidden, size)
    lines += [*table, "", *_notes(site, hidden, n_shown, len(keys))]
    return [*lines, _proved(trace), *answer_lines(trace), *_others(trace, site)]


def _proved(trace: Trace) -> str:
    proof = trace.proof()
    if not proof:
        return "There is no proof for this model."
    largest = _largest(proof)
    return (
        f"Largest error of the proof: {largest.max_abs_error:.2g}, in {largest.name} "
        f"({len(proof)} places of attention recomputed from q, k, v against the model's own numbers)"
    )


def _table(queries: Tokens, keys: Tokens, weights: Tensor, hidden: Tensor, size: int) -> tuple[list[str], int]:
    """Return the lines of the table, and how many keys fit; weights, hidden: (Tq, Tk)."""
    names, heads = [_label(queries, i) for i in range(len(queries))], [_token(keys, j) for j in range(len(keys))]
    strongest = _strongest(keys, weights)
    left = max(map(width, names)) + 2
    sizes = [max(CELL, width(head)) for head in heads]
    room = size - left - 2 - max(map(width, strongest))
    count = _fitting(sizes, room)
    numbers = [[_number(w, h) for w, h in zip(*row, strict=True)] for row in _rows(weights, hidden, count)]
    cells = [[*map(str, range(count))], heads[:count], *numbers]
    ends = ["", "reads most", *strongest]
    middle = [" ".join(pad(cell, sizes[j], right=True) for j, cell in enumerate(row)) for row in cells]
    return [
        f"{pad(name, left)}{row}  {end}".rstrip() for name, row, end in zip(["", "", *names], middle, ends, strict=True)
    ], count


def _rows(weights: Tensor, hidden: Tensor, count: int) -> zip[tuple[list[float], list[bool]]]:
    return zip(weights[:, :count].tolist(), hidden[:, :count].tolist(), strict=True)


def _fitting(sizes: list[int], room: int) -> int:
    """Return how many columns of these sizes fit, with a space between them."""
    used = -1
    for count, size in enumerate(sizes):
        used += size + 1
        if used > room and count >= KEYS:
            return count
    return len(sizes)


def _number(weight: float, hidden: bool) -> str:
    if hidden:
        return MASKED
    return "<.001" if 0 < weight < 0.0005 else f"{weight:.3f}"


def _strongest(keys: Tokens, weights: Tensor) -> list[str]:
    """Return the key that each query reads most, and its weight; none where the mask hides all."""
    values, positions = (t.tolist() for t in weights.max(dim=1))
    return [f"{w:.3f}  {_label(keys, j)}" if w > 0 else "none" for w, j in zip(values, positions, strict=True)]


def _label(tokens: Tokens, position: int) -> str:
    return f"{position} {_token(tokens, position)}"


def _token(tokens: Tokens, position: int) -> str:
    return shorten(shown(tokens.labels[position]), LABEL)


def _notes(site: AttentionSite, hidden: Tensor, n_shown: int, n_keys: int) -> list[str]:
    notes = []
    if n_shown < n_keys:
        notes.append(
            f"Only the first {n_shown:,} of {n_keys:,} keys fit: widen the terminal, or take all with --json, "
            "--npz FILE or --html FILE."
        )
    if bool(hidden.any()):
        notes.append(f"{MASKED} stands for a key that the mask hides.")
    if site.sinks is not None:
        notes.append("What is missing in a row to 1 goes to the sink of the head.")
    return notes


def _others(trace: Trace, site: AttentionSite) -> list[str]:
    """Return the options that lead to other heads, where there are any."""
    stacks = list(dict.fromkeys(s.stack for s in trace.sites))
    kinds = list(dict.fromkeys(s.kind for s in trace.sites))
    layers = sorted({s.layer for s in trace.sites if (s.stack, s.kind) == (site.stack, site.kind)})
    ways = []
    if site.n_heads > 1:
        ways.append(f"--head 0 to {site.n_heads - 1}")
    if len(layers) > 1:
        ways.append(f"--layer {layers[0]} to {layers[-1]}")
    if site.part is not None:
        here = [s.part for s in trace.sites if (s.layer, s.stack, s.kind) == (site.layer, site.stack, site.kind)]
        ways += [f"--part 0 to {len(here) - 1}"] * (len(here) > 1)
    ways += [f"--{name} {' or '.join(all_)}" for name, all_ in (("stack", stacks), ("kind", kinds)) if len(all_) > 1]
    return [f"Other heads: {', '.join(ways)}"] if ways else []
