"""Routes of what the tab Outputs tells beside the outputs: the lens, and the parts of a logit.

GET .../lens?start=N&who=NAME&lang=L                       as `attnviz.view.logits.lens_columns` returns it
GET .../parts?row=R&token=ID&against=ID&who=NAME&lang=L    as `told_parts`; without a token the most probable one,
                                                           without "against" the logit alone; with &all=1 how the
                                                           logit changes without each part, not the largest alone

Answers are those of `attnviz.server.experiments`: asked again until they are there.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from attnviz import locale
from attnviz.background import Progress
from attnviz.server.experiments import answer_when_there, check_size
from attnviz.server.paths import whole
from attnviz.server.why import EXPLAINING, explained
from attnviz.trace import Trace
from attnviz.view.logits import lens_columns, lens_of, told_parts

__all__ = ["lens", "parts"]

MOST = 2**31


def lens(request: Request, trace: Trace) -> Response:
    """Answer the most probable outputs behind each layer, at some positions."""
    start, lang = whole(request.query_params.get("start", "0"), 0, MOST), _language(request)
    if start is None:
        return JSONResponse({"error": "start"}, 400)

    def compute(progress: Progress) -> dict[str, Any]:
        check_size(trace)
        return lens_columns(trace, lens_of(trace, progress), start, lang)

    return answer_when_there(EXPLAINING, request, ("lens", _id(request), start, lang), compute)


def parts(request: Request, trace: Trace) -> Response:
    """Answer what the parts of the model wrote of a logit, or of the difference of two."""
    query, lang = request.query_params, _language(request)
    row = whole(query.get("row", ""), 0, MOST)
    given = {name: query[name] for name in ("token", "against") if query.get(name)}
    outputs = {name: whole(text, 0, MOST) for name, text in given.items()}
    all_removed = query.get("all") == "1"
    if row is None or None in outputs.values():
        return JSONResponse({"error": "row" if row is None else "token"}, 400)

    def compute(progress: Progress) -> dict[str, Any]:
        check_size(trace)
        with explained(trace, progress):
            return told_parts(trace, trace.logit_parts(row, **outputs), lang, all_removed)

    key = ("parts", _id(request), row, *sorted(outputs.items()), all_removed, lang)
    return answer_when_there(EXPLAINING, request, key, compute)


def _id(request: Request) -> str:
    return str(request.path_params["address"]).partition(".")[0]


def _language(request: Request) -> str:
    asked = request.query_params.get("lang", "")
    return asked if asked in locale.LANGUAGES else locale.DEFAULT
