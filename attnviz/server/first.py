"""The Explorer's picture as its document asks for it, before Streamlit is there to open the page.

GET /attnviz/first?QUERY    the payload of the picture that the page will show of this address; 204 where only the page
                            can tell: a model of somebody's own, a text that is refused, an address that it will mend
"""

from __future__ import annotations

from collections.abc import Mapping

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from attnviz.errors import AttnvizError
from attnviz.server.forward import run
from attnviz.server.learned import check
from attnviz.server.listing import shipped
from attnviz.server.picture import choice_of, picture
from attnviz.server.shell import FIRST, language_of
from attnviz.server.traces import TraceKey
from attnviz.server.what_if import what_if

__all__ = ["first_picture", "first_route"]

FIRST_LINK = 1  # the number that a session gives to the link it begins with, see `ui.frame.view.follow`

_computing = CapacityLimiter(2)  # requests that compute at the same time


def first_route(root: str) -> Route:
    """Return the route, below the path of the app."""
    return Route(f"{root}/{FIRST}", _answer)


def first_picture(link: Mapping[str, str], lang: str) -> bytes | None:
    """Return the payload of the picture that the Explorer shows first of an address; None where only the page can tell.

    Args:
        link: the parameters of the address.
        lang: the language of the page.
    """
    models = shipped()
    model = models.get(link["model"]) if "model" in link else next(iter(models.values()), None)
    if model is None or not model.architecture or "edits" in link:
        return None
    text, target = (link["text"], link.get("target", "")) if "text" in link else model.examples[0]
    key = TraceKey(model.name, text, target if model.architecture == "encoder-decoder" else "", model.version)
    try:
        check(key)
        held = run(key)
    except AttnvizError:  # the page says what is wrong with this text
        return None
    offered = None if link.get("lock") == "all" else what_if(held.trace, lang)
    return picture(key, held, choice_of(held.trace, link, FIRST_LINK)[0], lang, what_if=offered)


async def _answer(request: Request) -> Response:
    lang = language_of(request)
    content = await to_thread.run_sync(first_picture, dict(request.query_params), lang, limiter=_computing)
    headers = {"Cache-Control": "no-store", "Content-Encoding": "identity"}
    if content is None:
        return Response(status_code=204, headers=headers)
    return Response(content, media_type="application/octet-stream", headers=headers)
