"""Route of the heads that read in a way that has a name (`attnviz.heads`), found beside the pages.

GET .../heads?who=NAME&lang=L    of a trace's model, over the texts that come with it; else over the trace's own text

Answers are those of `attnviz.server.experiments`: asked again until it is there. What was found of a model is kept as
long as the model.
"""

from __future__ import annotations

from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import Response
from torch import nn

from attnviz import locale
from attnviz.background import Progress
from attnviz.errors import InputError
from attnviz.server.experiments import BACKGROUND, answer_when_there
from attnviz.trace import Trace

__all__ = ["heads"]

_found: WeakKeyDictionary[nn.Module, dict[str, Any]] = WeakKeyDictionary()
_lock = Lock()


def heads(request: Request, trace: Trace) -> Response:
    """Answer how far the search for heads is, or what it found."""
    lang = locale.closest(request.query_params.get("lang", "")) or locale.DEFAULT
    key = ("heads", request.path_params["address"].partition(".")[0], lang)
    return answer_when_there(BACKGROUND, request, key, lambda progress: _told(trace, lang, progress))


def _told(trace: Trace, lang: str, progress: Progress) -> dict[str, Any]:
    return {**_of_model(trace, progress), "strings": locale.strings(lang, "heads.")}


def _of_model(trace: Trace, progress: Progress) -> dict[str, Any]:
    """Return what is known of the heads of a trace's model, with the number of texts."""
    from attnviz.heads import find_heads, heads_of  # with what they need, when somebody first asks
    from attnviz.view.atlas import values_of

    network: nn.Module | None = getattr(trace.model, "network", None)
    if network is not None:
        with _lock:
            known = _found.get(network)
        if known is not None:
            return known
        try:
            found = find_heads(trace.model, progress=progress)  # type: ignore[arg-type]  # one with a network
        except InputError:  # no texts come with it, or not of its kind
            network = None
    if network is None:
        found = heads_of(trace.with_edits(()) if trace.edits else trace)
    told = {"texts": found.n_texts, **values_of(found)}
    if network is not None:
        with _lock:
            _found[network] = told
    return told
