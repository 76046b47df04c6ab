"""Routes of the browser view: its modules, and the numbers of a trace by its address, without a rerun.

GET /attnviz/trace/<address>/bundle?site=NAME&heads=0,1&stages=q,k,weights    as in `attnviz.view.payload`
    &ahead=1                                                                  nobody waits for it yet: the others first
GET /attnviz/trace/<address>/proof                                            JSON
GET /attnviz/trace/<address>/distances?beside=ADDRESS&pin=1.0                 how far apart the heads of two traces read
GET /attnviz/trace/<address>/sweep ...                                        see `attnviz.server.experiments`
GET /attnviz/trace/<address>/heads, reads ...                                 see `attnviz.server.heads`
GET /attnviz/trace/<address>/why ...                                          see `attnviz.server.why`
GET /attnviz/trace/<address>/lens, parts ...                                  see `attnviz.server.logits`
GET /attnviz/trace/<address>/trace.npz                                        a download
GET /attnviz/trace/<address>/page.html?site=NAME&head=0&lang=en               the view as one file, a download
GET /attnviz/qr?text=LINK                                                     a QR code, SVG

Errors are JSON: 404 {"error": "gone"} for a trace that cannot be made any more, 400 {"error": ...} for what it does not
have, 409 {"error": code} for what cannot be computed of it.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from typing import Any

import segno
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from attnviz import locale
from attnviz.analysis.distance import head_distances
from attnviz.errors import AttnvizError
from attnviz.server.experiments import accuracy, sweep
from attnviz.server.first import first_route
from attnviz.server.heads import heads, reads
from attnviz.server.kept import kept_routes
from attnviz.server.learned import asked_of, truth_of
from attnviz.server.logits import lens, parts
from attnviz.server.once import Once
from attnviz.server.people.classes import CLASS
from attnviz.server.picture import DATA_PATH, PIN
from attnviz.server.run_routes import run_routes
from attnviz.server.trace_address import find_trace
from attnviz.server.why import why
from attnviz.trace import Trace
from attnviz.view.payload import STAGES, bundle, pack, proof
from attnviz.view.standalone import page_of

__all__ = ["routes"]

MAX_BUNDLE = 256 * 2**20  # bytes of one answer
MAX_QR = 1200  # letters: a larger code can hardly be read from a wall
KEPT = {"Cache-Control": "private, max-age=600"}  # what an id stands for never changes

_heavy = CapacityLimiter(2)  # requests that compute at the same time
_ahead = CapacityLimiter(1)  # those of them for which nobody waits yet have a queue of their own
_proved = Once(proof)


def routes(base: str = "") -> list[BaseRoute]:
    """Return the routes, below the server's base path when it has one."""
    root = f"/{base.strip('/')}" if base.strip("/") else ""
    data = f"{root}/{DATA_PATH}/{{address}}"
    return [
        Route(f"{data}/bundle", _answer(_bundle)),
        Route(f"{data}/proof", _answer(_proof)),
        Route(f"{data}/sweep", _answer(sweep)),
        Route(f"{data}/accuracy", _answer(accuracy)),
        Route(f"{data}/heads", _answer(heads)),
        Route(f"{data}/reads", _answer(reads)),
        Route(f"{data}/why", _answer(why)),
        Route(f"{data}/lens", _answer(lens)),
        Route(f"{data}/parts", _answer(parts)),
        Route(f"{data}/distances", _answer(_distances)),
        Route(f"{data}/trace.npz", _answer(_npz)),
        Route(f"{data}/page.html", _answer(_page)),
        Route(f"{root}/attnviz/qr", _qr),
        first_route(root),
        *kept_routes(root),
        *run_routes(root),
        *_class_routes(root),
    ]


def _class_routes(root: str) -> list[BaseRoute]:
    if not os.environ.get(CLASS):
        return []
    from attnviz.server.people.routes import class_routes  # it brings SQLAlchemy

    return class_routes(root)


def _answer(make: Callable[[Request, Trace], Response]) -> Callable[[Request], Any]:
    """Return a handler that finds the trace and computes in a thread, so that the event loop stays free."""

    def answer(request: Request) -> Response:
        trace = find_trace(request.path_params["address"])
        return _refuse("gone", 404) if trace is None else make(request, trace)

    async def handle(request: Request) -> Response:
        limiter = _ahead if request.query_params.get("ahead") == "1" else _heavy
        try:
            return await to_thread.run_sync(answer, request, limiter=limiter)
        except AttnvizError as error:
            return _refuse(error.code, 409)

    return handle


def _refuse(error: str, status: int = 400) -> Response:
    return JSONResponse({"error": error}, status)


def _bundle(request: Request, trace: Trace) -> Response:
    query = request.query_params
    site = next((site for site in trace.sites if site.name == query.get("site")), None)
    if site is None:
        return _refuse("site")
    heads = query.get("heads", "").split(",")
    if not all(head.isascii() and head.isdigit() and len(head) < 7 and int(head) < site.n_heads for head in heads):
        return _refuse("heads")
    stages = [stage for stage in STAGES if stage in query.get("stages", "").split(",")]
    if not stages or len(stages) != len(set(query.get("stages", "").split(","))):
        return _refuse("stages")
    chosen = sorted({int(head) for head in heads})
    cells = {"scores", "masked", "weights"}.intersection(stages)
    if len(chosen) * len(cells) * site.q.shape[1] * site.k.shape[1] * 4 > MAX_BUNDLE:
        return _refuse("too_large", 413)
    # "identity": float32 hardly shrinks, and the server's gzip would hold up everybody else
    headers = {**KEPT, "Content-Encoding": "identity"}
    return Response(bundle(trace, site.name, chosen, stages), media_type="application/octet-stream", headers=headers)


def _proof(request: Request, trace: Trace) -> Response:
    return JSONResponse(_proved(trace), headers=KEPT)


def _distances(request: Request, trace: Trace) -> Response:
    other = find_trace(request.query_params.get("beside", ""))
    if other is None:
        return _refuse("gone", 404)
    pin = None
    if place := request.query_params.get("pin", ""):
        parts = re.fullmatch(PIN, place)
        site, head = (int(parts[1]), int(parts[2])) if parts else (-1, -1)
        if not (0 <= site < len(other.sites) and head < other.sites[site].n_heads):
            return _refuse("pin")
        pin = other.sites[site].name, head
    found = {name: bits.numpy() for name, bits in head_distances(trace, other, pin).items()}
    return Response(pack({}, found), media_type="application/octet-stream", headers=KEPT)


def _page(request: Request, trace: Trace) -> Response:
    query = request.query_params
    head, lang = query.get("head", "0"), query.get("lang", locale.DEFAULT)
    if not (head.isascii() and head.isdigit() and len(head) < 7):
        return _refuse("heads")
    name = trace.model.facts.name
    asked, truth = asked_of(name, trace), truth_of(name, trace)
    try:
        page = page_of(trace, [(query.get("site", ""), int(head))], lang, asked=asked, truth=truth)
    except ValueError:  # there is no such site, head or language
        return _refuse("site")
    headers = {**KEPT, "Content-Disposition": 'attachment; filename="attnviz.html"'}
    return Response(page, media_type="text/html", headers=headers)


def _qr(request: Request) -> Response:
    text = request.query_params.get("text", "")
    if not text or len(text) > MAX_QR:
        return _refuse("text", 413 if text else 400)
    file = io.BytesIO()
    segno.make(text, error="l", micro=False).save(file, kind="svg", scale=4, light="#fff")
    return Response(file.getvalue(), media_type="image/svg+xml", headers=KEPT)


def _npz(request: Request, trace: Trace) -> Response:
    file = io.BytesIO()
    trace.to_npz(file)
    headers = {**KEPT, "Content-Disposition": 'attachment; filename="trace.npz"', "Content-Encoding": "identity"}
    return Response(file.getvalue(), media_type="application/octet-stream", headers=headers)
