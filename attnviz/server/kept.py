"""Files that a browser keeps for good, since other content has another address: views, texts, the charts' library.

GET /attnviz/view/modules.js?v=HASH
GET /attnviz/view/later/<module>.js?v=HASH   what a view imports when it is first asked for
GET /attnviz/view/texts/<language>?v=HASH    JSON of `attnviz.view.texts`
GET /attnviz/plotly.js?v=VERSION             out of the installed package

Each is compressed once.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from attnviz import locale
from attnviz.view import modules, texts

__all__ = ["kept_routes", "plotly_address"]

PLOTLY_PATH = "attnviz/plotly.js"

HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


def kept_routes(root: str) -> list[Route]:
    """The routes, below the path of the app."""
    return [
        Route(f"{root}/{modules.MODULES_PATH}", lambda request: _answer(request, modules.served())),
        *(Route(f"{root}/{modules.LATER_PATH}/{name}.js", _later(name)) for name in modules.LATER),
        Route(f"{root}/{texts.TEXTS_PATH}/{{lang}}", _texts),
        Route(f"{root}/{PLOTLY_PATH}", lambda request: _answer(request, _plotly())),
    ]


@cache
def plotly_address() -> str:
    """Return the address of the charts' library, relative to the app."""
    return f"{PLOTLY_PATH}?v={version('plotly')}"


def _answer(request: Request, content: bytes, media_type: str = "text/javascript") -> Response:
    packed = "gzip" in request.headers.get("accept-encoding", "")
    headers = {**HEADERS, "Content-Encoding": "gzip" if packed else "identity"}
    return Response(_packed(content) if packed else content, media_type=media_type, headers=headers)


def _later(name: str) -> Callable[[Request], Response]:
    return lambda request: _answer(request, modules.later(name))


def _texts(request: Request) -> Response:
    lang = request.path_params["lang"]
    if lang not in locale.LANGUAGES:
        return JSONResponse({"error": "language"}, 404)
    return _answer(request, texts.written(lang), "application/json")


@cache
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 6, mtime=0)


@cache
def _plotly() -> bytes:
    spec = find_spec("plotly")
    assert spec is not None  # a dependency
    assert spec.origin is not None
    return (Path(spec.origin).parent / "package_data" / "plotly.min.js").read_bytes()
