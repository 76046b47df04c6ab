"""Route of the explanation of a score, which is computed beside the pages (`attnviz.background`).

GET .../why?site=NAME&head=H&query=I&key=J&who=NAME&lang=L    what earlier parts wrote of it, see `attnviz.view.why`

Answers are those of `attnviz.server.experiments`: asked again until it is there. The first one of a trace runs its
model twice more; what that leaves is kept with the traces that were asked of last.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import ref

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from torch.overrides import TorchFunctionMode

from attnviz.background import Background, Progress
from attnviz.errors import NotSplit
from attnviz.errors.base import Why
from attnviz.server.experiments import answer_when_there
from attnviz.server.paths import whole
from attnviz.trace import Trace
from attnviz.view.why import told

__all__ = ["EXPLAINING", "Explained", "explained", "why"]

EXPLAINING = Background(seconds=60, kept=512, gives_way=0)
"""Explanations that are asked for: people wait for them, so they have the same right to the processor as pages."""

LARGEST = 192 * 2**20  # bytes of q, k, v of a trace that is explained: what is recorded takes some ten times as much
MOST = 384 * 2**20  # of all traces whose writings are kept
EVERY = 0.1  # seconds


class Explained:
    """Traces whose writings are kept: those that were asked of last, as far as they are small enough together.

    Args:
        most: bytes of q, k, v of all of them; the last one is kept whatever its size.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._held: OrderedDict[int, ref[Trace]] = OrderedDict()  # the one that was asked of last at the end

    def keep(self, trace: Trace) -> None:
        """Note that a trace was asked of, and have the oldest ones forget what their parts wrote."""
        self._held.pop(id(trace), None)
        self._held[id(trace)] = ref(trace)
        found = [(name, held()) for name, held in reversed(self._held.items())]
        size = 0
        for name, each in found:
            size += 0 if each is None else each.nbytes
            if each is None or (size > self.most and each is not trace):
                del self._held[name]
                if each is not None:
                    each.forget_written()


EXPLAINED = Explained()


class _Watched(TorchFunctionMode):
    """Tells now and then how many functions of torch were called, and so ends what nobody waits for between two."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress, self._calls, self._told = progress, 0, 0.0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._calls += 1
        if time.monotonic() - self._told > EVERY:
            self._progress(self._calls, 0)
            self._told = time.monotonic()
        return func(*args, **(kwargs or {}))


@contextmanager
def explained(trace: Trace, progress: Progress) -> Iterator[None]:
    """Look at what the parts of a model wrote: bounded in size and time, and ended when nobody waits for it.

    Raises:
        NotSplit: the text has too many tokens for that.
    """
    _check_size(trace)
    try:
        with _Watched(progress):
            yield
    finally:
        EXPLAINED.keep(trace)


def why(request: Request, trace: Trace) -> Response:
    """Answer why a query reads a key, or how far that is."""
    query = request.query_params
    site = next((site for site in trace.sites if site.name == query.get("site")), None)
    if site is None:
        return JSONResponse({"error": "site"}, 400)
    head = whole(query.get("head", ""), 0, site.n_heads - 1)
    if head is None:
        return JSONResponse({"error": "head"}, 400)
    sizes = {"query": site.q.shape[1], "key": site.k.shape[1]}
    row, column = (whole(query.get(name, ""), 0, size - 1) for name, size in sizes.items())
    if row is None or column is None:
        return JSONResponse({"error": "cell"}, 400)
    name = site.name

    def compute(progress: Progress) -> dict[str, Any]:
        with explained(trace, progress):
            return told(trace, name, head, row, column)

    key = ("why", request.path_params["address"].partition(".")[0], name, head, row, column)
    return answer_when_there(EXPLAINING, request, key, compute)


def _check_size(trace: Trace) -> None:
    """See that what is recorded fits into memory."""
    if trace.nbytes > LARGEST:
        length = max(len(tokens) for tokens in trace.sequences.values())
        limit = length * LARGEST // trace.nbytes
        raise NotSplit(trace.model.facts.name, Why("split-long", length=length, limit=limit))
