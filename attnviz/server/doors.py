"""The doors of the server: foreign hosts and sites are refused, and browsers told who may show a page in a frame.

A page of somebody else can have its own name point to this machine (DNS rebinding); to the browser, what it then
fetches here is its own. The name is in the header Host, so a name that is not this server's is refused: for pages, data
and Streamlit's web socket alike.

A page of another site can have a browser send something here, with the cookies of who looks at it. What could change
anything, and the web socket, is refused then: a browser says in Sec-Fetch-Site, or else in Origin, where it comes from.
"""

from __future__ import annotations

import os
import socket
from functools import cached_property
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from attnviz import locale
from attnviz.errors import AttnvizError, ForeignHost, ForeignOrigin
from attnviz.server.hosts import FRAMES, HOSTS, checked_frames, checked_hosts, host_matches, host_name, is_address

__all__ = ["Doors"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("", "0.0.0.0", "::")
MISDIRECTED, FORBIDDEN = 421, 403  # the first: for a host that a server does not answer for
READING = ("GET", "HEAD", "OPTIONS")
POLICY = "content-security-policy"


class Doors:
    """Refuses foreign hosts and sites, and says to browsers who may show a page in a frame; an ASGI middleware.

    Args:
        app: app that is behind it.
        address: address that the server listens on; "" for all of this machine's.

    Raises:
        InvalidOrigin: the environment names a host or a source that is none.
    """

    def __init__(self, app: ASGIApp, address: str = "") -> None:
        self.app, self.address = app, address
        self.hosts = {*LOOPBACK, *checked_hosts(os.environ.get(HOSTS, ""))}
        self.frames = f"frame-ancestors {checked_frames(os.environ.get(FRAMES, ''))}"
        if self.address not in EVERYWHERE:
            self.hosts.add(self.address.lower())

    @cached_property
    def own_names(self) -> frozenset[str]:
        """The names that this machine has in its network, where all of its addresses are listened on."""
        name = socket.gethostname().lower()
        return frozenset({name, f"{name}.local"} if self.address in EVERYWHERE else ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).getlist("host")
        if len(given) != 1 or not self._answers_to(host_name(given[0]), scope):
            host = _shown(given[0] if given else "")
            await _refuse(ForeignHost(host, HOSTS), MISDIRECTED, scope, receive, send)
            return
        origin = _foreign_origin(scope)
        if origin is not None:
            await _refuse(ForeignOrigin(_shown(origin)), FORBIDDEN, scope, receive, send)
            return

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append(POLICY, self.frames)
            await send(message)

        await self.app(scope, receive, send_with_policy)

    def _answers_to(self, name: str, scope: Scope) -> bool:
        if not name:
            return False
        listened = (scope.get("server") or ("",))[0]  # the address of this machine that the connection came to
        own = name in self.hosts or name in self.own_names or (is_address(name) and name == listened)
        return own or any(host_matches(name, host) for host in self.hosts)


def _foreign_origin(scope: Scope) -> str | None:
    """Return where a request that could change something comes from, if that is not here; None: it may pass.

    What says nothing is not sent by a browser, and has nobody's cookies.
    """
    if scope["type"] == "http" and scope["method"] in READING:
        return None
    headers = Headers(scope=scope)
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return None if site in ("same-origin", "none") else origin or site
    if origin is None or urlsplit(origin).netloc == headers["host"]:
        return None
    return origin


def _shown(given: str) -> str:
    return "".join(letter for letter in given[:100] if letter.isascii() and letter.isprintable())


async def _refuse(error: AttnvizError, status: int, scope: Scope, receive: Receive, send: Send) -> None:
    lines = [locale.told(lang, error.code, error.details) for lang in locale.LANGUAGES]
    answer = PlainTextResponse("\n\n".join(lines) + "\n", status, {"X-Content-Type-Options": "nosniff"})
    await answer(scope, receive, send)
