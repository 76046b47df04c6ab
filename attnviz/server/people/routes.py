"""Routes of a class.

GET  /join                        the page that a link opens: it sends the secret in its fragment, which no log has
POST /attnviz/class/join          {"secret"}: become a member
GET  /attnviz/class/now           what a member's pages have to know: role, nickname, the page that is open for all
POST /attnviz/class/show          {"address"}: open a page for all, "" to release them; the teacher
POST /attnviz/class/nickname      {"nickname"}
GET  /attnviz/class/wall          all runs at a glance; the teacher
GET  /attnviz/class/runs.csv, statements.json    downloads; the teacher

Errors are JSON {"error": code, "message": in the language that was asked for}: 403 for who may not, 503 while the
database does not answer.
"""

from __future__ import annotations

import html
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from attnviz import locale
from attnviz.errors import AttnvizError, DatabaseUnavailable
from attnviz.server.people import register
from attnviz.server.people.classes import Classroom
from attnviz.server.people.identity import keep_identity
from attnviz.server.people.records import statements, table
from attnviz.server.people.rights import Person, person_of
from attnviz.server.people.wall import wall
from attnviz.server.words import in_words

__all__ = ["CLASS_PATH", "class_routes"]

CLASS_PATH = "attnviz/class"
MOST = 2**14  # bytes of what is sent here
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
FOLDER = Path(__file__).parent


def class_routes(root: str) -> list[BaseRoute]:
    """Return the routes below `root`, "" or "/" and the server's base path."""
    base = f"{root}/{CLASS_PATH}"
    return [
        Route(f"{root}/join", _page(root or "/"), methods=["GET"]),
        Route(f"{base}/join", _posted(_join), methods=["POST"]),
        Route(f"{base}/show", _posted(_show), methods=["POST"]),
        Route(f"{base}/nickname", _posted(_nickname), methods=["POST"]),
        Route(f"{base}/now", _got(_now), methods=["GET"]),
        Route(f"{base}/wall", _got(_wall), methods=["GET"]),
        Route(f"{base}/runs.csv", _got(_table), methods=["GET"]),
        Route(f"{base}/statements.json", _got(_statements), methods=["GET"]),
    ]


def _language(request: Request) -> str:
    first = request.headers.get("accept-language", "").split(",")[0].split(";")[0]
    return locale.closest(request.query_params.get("lang", "")) or locale.closest(first.strip()) or locale.DEFAULT


def _page(home: str) -> Callable[[Request], Response]:
    """Return the handler of the page that a link opens."""

    def answer(request: Request) -> Response:
        lang = _language(request)
        words = {name: locale.t(lang, f"class.join.{name}") for name in ("title", "wait", "failed")}
        text = (FOLDER / "join.html").read_text("utf-8")
        filled = text.replace("{lang}", lang).replace("{script}", (FOLDER / "join.js").read_text("utf-8"))
        for name, word in words.items():
            filled = filled.replace(f"{{{name}}}", html.escape(word))
        page = HTMLResponse(filled)
        keep_identity(request, page, home)
        page.headers.update(PRIVATE)
        return page

    return answer


def _refuse(request: Request, error: AttnvizError) -> Response:
    message = in_words(_language(request), error.code, error.details)
    status = 503 if isinstance(error, DatabaseUnavailable) else 403
    return JSONResponse({"error": error.code, "message": message}, status, headers=PRIVATE)


def _got(make: Callable[[Person, Classroom], Response]) -> Callable[[Request], Response]:
    """Return a handler for members; others are answered 403, or 404 where no class is held."""

    def answer(request: Request) -> Response:
        person = person_of(request.cookies)
        if person.room is None:
            return JSONResponse({"error": "class"}, 404, headers=PRIVATE)
        try:
            return make(person, person.room)
        except AttnvizError as error:
            return _refuse(request, error)

    return answer


def _posted(make: Callable[[Person, Classroom, dict[str, Any]], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler for a small JSON object that somebody sends; other things are refused before they are read."""

    async def answer(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if request.headers.get("content-type") != "application/json" or not length.isascii() or not length.isdigit():
            return JSONResponse({"error": "content"}, 415, headers=PRIVATE)
        if int(length[:9]) > MOST:
            return JSONResponse({"error": "length"}, 413, headers=PRIVATE)
        try:
            values = json.loads(await request.body())
        except ValueError:
            values = None
        if not isinstance(values, dict):
            return JSONResponse({"error": "content"}, 400, headers=PRIVATE)
        return await to_thread.run_sync(_got(lambda person, room: make(person, room, values)), request)

    return answer


def _answer(values: object) -> Response:
    return JSONResponse(values, headers=PRIVATE)


NOT_ALLOWED = {"error": "role"}


def _join(person: Person, room: Classroom, values: dict[str, Any]) -> Response:
    return _answer({"role": register.join(str(values.get("secret", "")), person.id)})


def _now(person: Person, room: Classroom) -> Response:
    if not person.role:
        return _answer({"role": "", "over": room.is_over})
    member = room.members[person.id]
    return _answer(
        {
            "role": person.role,
            "name": room.name,
            "number": member.number,
            "nickname": member.nickname,
            "shown": room.shown,
            "shown_at": room.shown_at,
            "over": room.is_over,
        }
    )


def _show(person: Person, room: Classroom, values: dict[str, Any]) -> Response:
    if person.role != "teacher":
        return JSONResponse(NOT_ALLOWED, 403, headers=PRIVATE)
    if not register.show(room, str(values.get("address", ""))):
        return JSONResponse({"error": "address"}, 400, headers=PRIVATE)
    return _answer({})


def _nickname(person: Person, room: Classroom, values: dict[str, Any]) -> Response:
    if not person.role:
        return JSONResponse(NOT_ALLOWED, 403, headers=PRIVATE)
    register.rename_member(room, person.id, str(values.get("nickname", "")))
    return _answer({})


def _wall(person: Person, room: Classroom) -> Response:
    if person.role != "teacher":
        return JSONResponse(NOT_ALLOWED, 403, headers=PRIVATE)
    students = sum(member.role == "student" for member in room.members.values())
    return _answer({"students": students, "runs": wall(room)})


def _table(person: Person, room: Classroom) -> Response:
    if person.role != "teacher":
        return JSONResponse(NOT_ALLOWED, 403, headers=PRIVATE)
    headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="runs.csv"'}
    return Response("\ufeff" + table(room), media_type="text/csv; charset=utf-8", headers=headers)


def _statements(person: Person, room: Classroom) -> Response:
    if person.role != "teacher":
        return JSONResponse(NOT_ALLOWED, 403, headers=PRIVATE)
    headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="statements.json"'}
    return JSONResponse(statements(room), headers=headers)
