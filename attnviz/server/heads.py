"""Route of the heads that read in a way that has a name (`attnviz.heads`), found beside the pages.

GET .../heads?who=NAME&lang=L    of a trace's model, over the texts that come with it; else over the trace's own text
GET .../reads?token=T&site=NAME&head=H&who=NAME&lang=L    where that head reads a token most, over the same texts

Answers are those of `attnviz.server.experiments`: asked again until it is there. What was found of a model is kept as
long as the model.
"""

from __future__ import annotations

from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from torch import nn

from attnviz import locale
from attnviz.background import Progress
from attnviz.errors import InputError, NoTexts
from attnviz.server.experiments import BACKGROUND, answer_when_there
from attnviz.server.paths import whole
from attnviz.trace import Trace

__all__ = ["heads", "reads"]

LONGEST = 100  # characters of a token that is looked for
AROUND = 4  # tokens on both sides of one that was found

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


def reads(request: Request, trace: Trace) -> Response:
    """Answer how far the search for a token is, or where a head reads it most."""
    query = request.query_params
    token, name = query.get("token", "").strip(), query.get("site", "")
    site = next((site for site in trace.sites if site.name.partition(".w")[0] == name), None)
    if site is None:
        return JSONResponse({"error": "site"}, 400)
    head = whole(query.get("head", ""), 0, site.n_heads - 1)
    if head is None:
        return JSONResponse({"error": "head"}, 400)
    if not 0 < len(token) <= LONGEST:
        return JSONResponse({"error": "token"}, 400)
    key = ("reads", request.path_params["address"].partition(".")[0], name, head, token)
    return answer_when_there(BACKGROUND, request, key, lambda progress: _searched(trace, token, name, head, progress))


def _searched(trace: Trace, token: str, site: str, head: int, progress: Progress) -> dict[str, Any]:
    """Return the places that are read most; a text of None is the trace's own."""
    from attnviz.heads import Text, TokenReads, reads_of, shipped_texts  # as above

    texts: list[Text] | None = None
    try:
        if not hasattr(trace.model, "network"):
            raise NoTexts(trace.model.facts.name)
        texts = shipped_texts(trace.model)  # type: ignore[arg-type]  # one with a network
        found = reads_of(trace.model, token, site, head, texts, progress=progress)  # type: ignore[arg-type]
    except InputError:
        texts, found = None, TokenReads(token, site, head)
        found.read(trace.with_edits(()) if trace.edits else trace, 0)
    places = []
    for place in found.places:
        queries, keys = found.labels[place.text]
        first = max(0, place.key - AROUND)
        text, target = (None, None) if texts is None else texts[place.text]
        places.append(
            {
                **place._asdict(),
                "text": text,
                "target": target,
                "label": queries[place.query],
                "around": keys[first : place.key + AROUND + 1],
                "at": place.key - first,
            }
        )
    return {"token": token, "texts": found.n_texts, "n": found.n_places, "places": places}
