"""Numbers that a view asks for ahead keep nobody waiting who asks for what they look at."""

from __future__ import annotations

import asyncio
import threading

import pytest
from starlette.requests import Request
from starlette.responses import Response

from attnviz.server import routes
from attnviz.trace import Trace

MANY = 8


def test_who_looks_does_not_wait_for_what_is_asked_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    end, begun = threading.Event(), list[str]()

    def make(request: Request, trace: Trace) -> Response:
        begun.append(request.url.query)
        if request.url.query.endswith("ahead=1"):
            end.wait()
        return Response()

    monkeypatch.setattr(routes, "find_trace", lambda address: object())
    answer = routes._answer(make)

    def asked(query: str) -> asyncio.Task[Response]:
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": []}
        return asyncio.create_task(answer(Request({**scope, "path_params": {"address": "a"}})))

    async def ask() -> None:
        ahead = [asked("heads=0&ahead=1") for _ in range(MANY)]
        try:
            assert (await asked("heads=0")).status_code == 200
            assert not any(task.done() for task in ahead)
        finally:
            end.set()
        await asyncio.gather(*ahead)

    asyncio.run(asyncio.wait_for(ask(), 600))
    assert begun.count("heads=0&ahead=1") == MANY
