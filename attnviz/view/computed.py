"""Compute, where no server does, what a view asks for beside its trace (`attnviz.server` has the same as routes).

sweep  row, output             what each head does to an output, see `attnviz.view.what_if`
why    site, head, query, key  why a query reads a key, see `attnviz.view.why`
parts  row, token, against, all    what wrote a logit, see `attnviz.view.logits`
lens   start                   the most probable outputs behind each layer, likewise
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attnviz.background import Progress
from attnviz.trace import Trace
from attnviz.view import why
from attnviz.view.logits import lens_columns, lens_of, told_parts
from attnviz.view.what_if import effects

__all__ = ["Computation", "computation"]

Computation = Callable[[Progress], dict[str, Any]]
"""Is told whom to tell of its progress, and returns what it found."""


def computation(trace: Trace, what: str, given: Mapping[str, str], lang: str) -> Computation:
    """Return what finds the answer to a question.

    Args:
        what: "sweep", "why", "parts" or "lens".
        given: its parameters, see above.

    Raises:
        LookupError: there is no such question, or it lacks a parameter.
        ValueError: a parameter is no number.
    """
    return _COMPUTATIONS[what](trace, given, lang)


def _sweep(trace: Trace, given: Mapping[str, str], lang: str) -> Computation:
    return partial(effects, trace, int(given["row"]), int(given["output"]))


def _why(trace: Trace, given: Mapping[str, str], lang: str) -> Computation:
    head, query, key = (int(given[name]) for name in ("head", "query", "key"))
    return lambda progress: why.told(trace, given["site"], head, query, key)


def _parts(trace: Trace, given: Mapping[str, str], lang: str) -> Computation:
    row, all_removed = int(given["row"]), "all" in given
    outputs = {name: int(given[name]) for name in ("token", "against") if name in given}
    return lambda progress: told_parts(trace, trace.logit_parts(row, **outputs), lang, all_removed)


def _lens(trace: Trace, given: Mapping[str, str], lang: str) -> Computation:
    start = int(given["start"])
    return lambda progress: lens_columns(trace, lens_of(trace, progress), start, lang)


_COMPUTATIONS = {"sweep": _sweep, "why": _why, "parts": _parts, "lens": _lens}
