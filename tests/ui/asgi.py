"""The least client that a route needs: one request to an ASGI app, no server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from starlette.types import ASGIApp, Message

from attnviz.background import Background


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


def messages(app: ASGIApp, scope: MutableMapping[str, Any], first: Message) -> list[Message]:
    """All that an app sends after one message; in a thread: browser tests leave an event loop in this one."""
    sent: list[Message] = []
    asked = 0

    async def receive() -> Message:
        nonlocal asked
        asked += 1
        if asked > 1:
            await asyncio.Event().wait()  # the client stays; the app stops waiting once it has answered
        return first

    async def send(message: Message) -> None:
        sent.append(message)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(app(scope, receive, send))).result()
    return sent


def get(
    app: ASGIApp,
    path: str,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
) -> Answer:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "server": ("test", 80),
        "client": ("test", 1),
        "root_path": "",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": urlencode(params or {}).encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
    }
    start, *parts = messages(app, scope, {"type": "http.request", "body": b"", "more_body": False})
    return Answer(
        start["status"],
        {name.decode(): value.decode() for name, value in start["headers"]},
        b"".join(part.get("body", b"") for part in parts),
    )


def awaited(app: ASGIApp, jobs: Background, path: str, **params: str) -> dict[str, Any]:
    """Ask for what is computed beside the pages until it is over, and its thread has ended."""
    while True:
        said: dict[str, Any] = get(app, path, params={"who": "me", **params}).json()
        if (thread := jobs.thread) is not None:
            thread.join(600)
        if said.keys() & {"result", "failed", "error"}:
            return said
