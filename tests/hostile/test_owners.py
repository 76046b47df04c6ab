"""Somebody else's run: it is looked at, and nothing else; guessed and forged cookies and foreign sites get nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from streamlit.testing.v1 import AppTest

from attnviz.errors import RunNotYours
from attnviz.server import workers
from attnviz.server.doors import Doors
from attnviz.server.people.classes import CLASS
from attnviz.server.people.identity import COOKIE, hashed, identity, keep_identity
from attnviz.server.people.rights import Person
from attnviz.server.routes import routes
from attnviz.server.run_routes import RUNS_PATH, run_routes
from attnviz.training import Run, RunState
from attnviz.training.run.folder import OWNER
from attnviz.training.run.manage import rename_run
from attnviz.ui.frame import who
from attnviz.ui.frame.watch import Told, obey
from attnviz.ui.runs import page as runs_page
from tests.training.runs import small_config
from tests.ui.asgi import Answer, get, messages
from tests.ui.pages import Queue, open_page

APP = Starlette(routes=run_routes(""))
MINE, OTHER = "m" * 43, "o" * 43
FILES = ("metrics.csv", "model.safetensors", "model.py", "tensorboard", "run.zip")


@pytest.fixture(autouse=True)
def runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path))
    return tmp_path


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    made = Queue()
    monkeypatch.setattr(workers, "queue", lambda: made)
    return made


@pytest.fixture
def run(runs_folder: Path) -> Run:
    return Run.create(runs_folder / "mine", small_config(), hashed(MINE))


def sit(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """Have the sessions of this test be of the browser with a token."""
    person = Person(identity({COOKIE: token}))
    monkeypatch.setattr(who, "person_of", lambda cookies: person)


def ask(path: str, token: str = "") -> Answer:
    return get(APP, f"/{RUNS_PATH}/{path}", headers={"cookie": f"{COOKIE}={token}"} if token else {})


def header(token: str) -> dict[str, Any]:
    content = ask("mine/news", token).content
    return json.loads(content[4 : 4 + int.from_bytes(content[:4], "little")])  # type: ignore[no-any-return]


@pytest.mark.parametrize("token", ["", OTHER, "m" * 42, hashed(MINE), quote(MINE + "\n")])
def test_a_stranger_looks_and_takes_nothing(run: Run, token: str) -> None:
    assert ask("mine/news", token).status == 200
    for file in FILES:
        answer = ask(f"mine/{file}", token)
        assert (answer.status, answer.json()["error"]) == (403, "run_not_yours"), file


def test_the_owner_takes_it(run: Run) -> None:
    assert ask("mine/metrics.csv", MINE).status == 200
    assert ask("mine/model.py", MINE).status == 200


@pytest.mark.parametrize("name", ["../mine", "..%2Fmine", ".hidden", "MINE", "mine/..", "owner.json", "%00"])
def test_a_guessed_name_opens_nothing(run: Run, name: str) -> None:
    for file in FILES:
        assert ask(f"{quote(name)}/{file}", MINE).status == 404, file


@pytest.mark.parametrize("told", ["pause", "resume", "step", "stop", "learning_rate", "speed", "submit"])
def test_a_session_of_a_stranger_steers_nothing(
    run: Run, queue: Queue, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.submit(run)
    before = run.state()
    sit(monkeypatch, OTHER)
    with pytest.raises(RunNotYours):
        obey(queue, run, Told(told, 0.01))  # type: ignore[arg-type]
    assert (run.state(), run.commands.poll(), queue.submitted) == (before, [], ["mine"])


def test_a_stranger_neither_renames_nor_deletes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sit(monkeypatch, OTHER)

    def script() -> None:
        from attnviz.ui.runs import page

        page._delete("mine")
        page._delete("../mine")
        page._do_rename("mine")

    AppTest.from_function(script).run()
    assert run.folder.is_dir()
    assert [path.name for path in run.folder.parent.iterdir()] == ["mine"]


def test_the_page_of_a_stranger_has_no_such_buttons(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sit(monkeypatch, OTHER)
    page = open_page("runs", run="mine")
    assert "delete" not in [button.key for button in page.button]
    sit(monkeypatch, MINE)
    page = open_page("runs", run="mine")
    assert "delete" in [button.key for button in page.button]
    assert runs_page.FILES == FILES


def test_what_the_owner_did_is_said_to_others(run: Run, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    assert header(OTHER)["by"] == ""
    sit(monkeypatch, MINE)
    queue.submit(run)
    obey(queue, run, Told("stop"))
    assert (header(OTHER)["state"], header(OTHER)["by"], header(MINE)["by"]) == ("stopped", "owner", "")
    run.write_state(RunState("done"))
    assert header(OTHER)["by"] == ""


def test_a_run_keeps_its_owner_under_another_name(run: Run) -> None:
    assert rename_run("mine", "renamed").owner == hashed(MINE)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"owner": "', "\x00"])
def test_a_damaged_owner_is_nobody(run: Run, content: str) -> None:
    (run.folder / OWNER).write_text(content)
    assert ask("mine/metrics.csv", MINE).status == 403


def test_a_run_without_an_owner_is_everybodys(runs_folder: Path, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    free = Run.create(runs_folder / "free", small_config())
    assert ask("free/metrics.csv", OTHER).status == ask("free/metrics.csv").status == 200
    sit(monkeypatch, OTHER)
    obey(queue, free, Told("submit"))
    assert queue.submitted == ["free"]


def test_the_zip_does_not_say_whose_it_was(run: Run) -> None:
    assert hashed(MINE).encode() not in ask("mine/run.zip", MINE).content
    assert OWNER.encode() not in ask("mine/run.zip", MINE).content


def document(headers: dict[str, str], scheme: str = "http") -> str:
    """The cookie that comes with a page."""

    def page(request: Request) -> PlainTextResponse:
        answer = PlainTextResponse("")
        keep_identity(request, answer, "/base")
        return answer

    app = Starlette(routes=[Route("/", page)])

    async def over(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "scheme": scheme}, receive, send)

    return get(over, "/", headers={"host": "localhost", **headers}).headers["set-cookie"]


def test_a_page_brings_an_identity_that_scripts_and_other_sites_cannot_use() -> None:
    first, second = document({}), document({})
    assert first != second
    assert {"HttpOnly", "Path=/base", "SameSite=lax"} <= set(first.split("; "))
    assert "Secure" not in first
    assert "Secure" in document({}, "https")


def test_a_page_keeps_the_identity_of_who_has_one() -> None:
    assert document({"cookie": f"{COOKIE}={MINE}"}).startswith(f"{COOKIE}={MINE};")
    for odd in ("short", MINE + "x", "<script>" + "x" * 35, "é" * 43):
        assert document({"cookie": f"{COOKIE}={quote(odd)}"}).partition(";")[0] != f"{COOKIE}={odd}"


def doors(method: str, **headers: str) -> int:
    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse("")

    routes = [Route("/", page, methods=["GET", "POST", "PUT", "DELETE"])]
    app = Starlette(routes=routes, middleware=[Middleware(Doors, address="localhost")])
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return get(app, "/", headers={"host": "localhost:8501", **named}, method=method).status


OWN = [{}, {"sec_fetch_site": "same-origin"}, {"sec_fetch_site": "none"}, {"origin": "http://localhost:8501"}]
FOREIGN = [
    {"sec_fetch_site": "cross-site", "origin": "https://evil.example"},
    {"sec_fetch_site": "same-site", "origin": "http://localhost:8501"},
    {"sec_fetch_site": "cross-site"},
    {"origin": "https://evil.example"},
    {"origin": "http://localhost:9000"},
    {"origin": "http://localhost"},
    {"origin": "null"},
    {"origin": "http://evil.example/localhost:8501"},
]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_another_site_sends_nothing(method: str) -> None:
    assert [doors(method, **headers) for headers in OWN] == [200] * len(OWN)
    assert [doors(method, **headers) for headers in FOREIGN] == [403] * len(FOREIGN)


def test_links_from_other_sites_are_followed() -> None:
    assert doors("GET", **FOREIGN[0]) == 200


@pytest.mark.parametrize(("headers", "first"), [(OWN[3], "accept"), (FOREIGN[3], "http.response.start")])
def test_another_site_opens_no_web_socket(headers: dict[str, str], first: str) -> None:
    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/s", stream)], middleware=[Middleware(Doors, address="localhost")])
    scope: dict[str, Any] = {
        "type": "websocket",
        "path": "/s",
        "headers": [
            (b"host", b"localhost:8501"),
            *((name.encode(), value.encode()) for name, value in headers.items()),
        ],
        "query_string": b"",
        "subprotocols": [],
        "server": ("127.0.0.1", 8501),
        "extensions": {"websocket.http.response": {}},
    }
    assert messages(app, scope, {"type": "websocket.connect"})[0]["type"] == f"websocket.{first}"


def test_whatever_changes_something_is_posted(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the doors see it: they let everybody read."""
    monkeypatch.setenv(CLASS, "7b")
    posted = {
        route.path for route in routes() if isinstance(route, Route) and (route.methods or set()) - {"GET", "HEAD"}
    }
    assert posted == {f"/attnviz/class/{name}" for name in ("join", "show", "nickname")}
