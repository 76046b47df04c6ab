"""Foreign hosts are refused, for pages and web sockets alike; operators say who else is answered, and who may frame."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket

from attnviz.errors import InvalidOrigin
from attnviz.server.doors import MISDIRECTED, Doors
from attnviz.server.hosts import FRAMES, HOSTS, checked_frames, checked_hosts
from tests.ui.asgi import Answer, get, messages


def app(address: str = "localhost") -> Starlette:
    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse("page")

    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    routes = [Route("/", page), WebSocketRoute("/_stcore/stream", stream)]
    return Starlette(routes=routes, middleware=[Middleware(Doors, address=address)])


def ask(host: str, address: str = "localhost") -> Answer:
    return get(app(address), "/", headers={"host": host})


def stream(host: str, address: str = "localhost") -> Message:
    """What a web socket is answered first."""
    scope: dict[str, Any] = {
        "type": "websocket",
        "path": "/_stcore/stream",
        "headers": [(b"host", host.encode()), (b"origin", f"http://{host}".encode())],
        "query_string": b"",
        "subprotocols": [],
        "server": ("127.0.0.1", 8501),
        "extensions": {"websocket.http.response": {}},
    }
    return messages(app(address), scope, {"type": "websocket.connect"})[0]


OWN = ["localhost", "localhost:8501", "LOCALHOST:9", "localhost.", "127.0.0.1:8501", "[::1]:8501", "[::1]"]
FOREIGN = [
    "evil.example.org",
    "evil.example.org:8501",
    "localhost.evil.example.org",
    "evil.localhost.example",
    "192.0.2.7",
    "[2001:db8::1]:8501",
    "",
    "localhost@evil.example.org",
    "localhost:8501:1",
    "localhost:x",
    "localhost/",
    "localhost,evil",
    "loc alhost",
    "[::1",
    "[::1]x",
    "127.0.0.1.evil.example.org",
    "127.1",
    "0x7f000001",
    "xn--localhost-",
]


@pytest.mark.parametrize("host", OWN)
def test_this_machine_is_answered(host: str) -> None:
    assert ask(host).content == b"page"
    assert stream(host)["type"] == "websocket.accept"


@pytest.mark.parametrize("address", ["localhost", "0.0.0.0", ""])
@pytest.mark.parametrize("host", FOREIGN)
def test_foreign_hosts_are_refused(host: str, address: str) -> None:
    answer = ask(host, address)
    assert (answer.status, answer.headers["content-type"]) == (MISDIRECTED, "text/plain; charset=utf-8")
    text = answer.content.decode()
    assert "This server does not answer to" in text
    assert "本服务器不响应" in text
    assert "ATTNVIZ_HOSTS" in text
    refused = stream(host, address)
    assert refused["type"] == "websocket.http.response.start"
    assert refused["status"] == MISDIRECTED


def test_a_missing_or_second_host_is_refused() -> None:
    for headers in ([], [(b"host", b"localhost"), (b"host", b"evil.example.org")]):
        scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "query_string": b""}
        assert messages(app(), scope, {"type": "http.request"})[0]["status"] == MISDIRECTED


def test_the_address_that_is_listened_on_is_answered() -> None:
    assert ask("192.0.2.7:8501", "192.0.2.7").status == 200
    assert ask("lab.local", "lab.local").status == 200
    assert ask("192.0.2.8:8501", "192.0.2.7").status == MISDIRECTED


def test_on_all_interfaces_the_address_a_connection_came_to_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address of this machine is the one at which the connection arrived: nobody can make that up."""
    monkeypatch.setattr(socket, "gethostname", lambda: "Lab7")
    for host in ("lab7", "lab7.local:8501", "testserver"):
        assert ask(host, "0.0.0.0").status == (MISDIRECTED if host == "testserver" else 200)
        assert ask(host, "localhost").status == MISDIRECTED
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "server": ("10.0.0.5", 8501)}
    for host, status in (("10.0.0.5:8501", 200), ("10.0.0.6:8501", MISDIRECTED)):
        headers = [(b"host", host.encode())]
        assert messages(app("0.0.0.0"), scope | {"headers": headers}, {"type": "http.request"})[0]["status"] == status


def test_operators_list_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOSTS, "lab.school.org, *.example.org 192.0.2.9 [2001:db8::2]")
    for host in ("lab.school.org", "a.example.org:80", "a.b.example.org", "192.0.2.9:1", "[2001:db8::2]:1"):
        assert ask(host).status == 200
        assert stream(host)["type"] == "websocket.accept"
    for host in ("school.org", "example.org", "evilexample.org", "192.0.2.10"):
        assert ask(host).status == MISDIRECTED
    monkeypatch.setenv(HOSTS, "*")
    assert ask("anything.example").status == 200
    assert ask("not a host").status == MISDIRECTED


def test_frames_are_the_operators_to_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    def policy() -> str:
        return ask("localhost").headers["content-security-policy"]

    assert policy() == "frame-ancestors 'self'"
    monkeypatch.setenv(FRAMES, "https://moodle.school.org, https://*.example.org:8443")
    assert policy() == "frame-ancestors 'self' https://moodle.school.org https://*.example.org:8443"
    monkeypatch.setenv(FRAMES, "none")
    assert policy() == "frame-ancestors 'none'"
    monkeypatch.setenv(FRAMES, "*")
    assert policy() == "frame-ancestors *"


@pytest.mark.parametrize("text", ["https://a.org/x", "a_b!", "http://", "*.*", "a..b", "host:80", "-a", "é.org"])
def test_what_is_no_host_is_said(text: str) -> None:
    with pytest.raises(InvalidOrigin, match="ATTNVIZ_HOSTS"):
        checked_hosts(text)


@pytest.mark.parametrize(
    "text", ["https://a.org; script-src *", "'unsafe-inline'", "data:", "https://a.org/x", "* none"]
)
def test_what_may_not_frame_is_said(text: str) -> None:
    """Nothing gets into the header but sources."""
    with pytest.raises(InvalidOrigin, match="ATTNVIZ_FRAMES"):
        checked_frames(text)
