"""Try what people of a class, and strangers, may not: each is refused by the server, whatever a browser shows."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from attnviz.errors import NotInClass, RunNotYours, SwitchedOff, TooManyRuns, TooManySteps, TooMuchMemory
from attnviz.server.people import register
from attnviz.server.people.classes import CLASS, Classroom, Rules
from attnviz.server.people.identity import COOKIE, hashed
from attnviz.server.people.register import Links
from attnviz.server.people.rights import authority, check_start, checked_authority, may_look, person_of
from attnviz.server.people.routes import CLASS_PATH, MOST, class_routes
from attnviz.server.run_routes import RUNS_PATH, run_routes
from attnviz.training import Run
from attnviz.ui.frame import choices, who
from tests.classes import hold_class
from tests.training.runs import small_config
from tests.ui.asgi import Answer, get
from tests.ui.pages import messages, open_page, train_nothing

APP = Starlette(routes=[*run_routes(""), *class_routes("")])
TEACHER, ANN, BEN, EVE = ("t" * 43, "a" * 43, "b" * 43, "e" * 43)
READ = ("wall", "runs.csv", "statements.json")


@pytest.fixture(autouse=True)
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Links:
    """A class with a teacher, Ann and Ben; Eve is a stranger. Ann has a run, and one is of the command line."""
    train_nothing(monkeypatch)
    made = hold_class(monkeypatch, tmp_path)
    for token, secret in ((TEACHER, made.teacher), (ANN, made.student), (BEN, made.student)):
        register.join(secret, hashed(token))
    Run.create(tmp_path / "anns", small_config(), hashed(ANN))
    Run.create(tmp_path / "free", small_config())
    return made


def cookie(token: str) -> dict[str, str]:
    return {"cookie": f"{COOKIE}={token}"}


def read(path: str, token: str) -> Answer:
    return get(APP, f"/{path}", headers=cookie(token))


def post(path: str, token: str, body: bytes, **headers: str) -> int:
    """The status of a request with a body."""
    named = {"content-type": "application/json", "content-length": str(len(body)), **cookie(token)}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"/{CLASS_PATH}/{path}",
        "raw_path": b"",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(APP(scope, receive, send))).result()
    return int(sent[0]["status"])


def say(path: str, token: str, **values: object) -> int:
    return post(path, token, json.dumps(values).encode())


def room() -> Classroom:
    found = register.held()
    assert found is not None
    return found


@pytest.mark.parametrize("path", READ)
def test_the_teachers_tables_are_the_teachers(path: str) -> None:
    assert read(f"{CLASS_PATH}/{path}", TEACHER).status == 200
    assert [read(f"{CLASS_PATH}/{path}", token).status for token in (ANN, EVE, "")] == [403] * 3


def test_only_the_teacher_opens_a_page_for_all() -> None:
    assert [say("show", token, address="./cost") for token in (ANN, EVE, "")] == [403] * 3
    assert room().shown == ""
    assert say("show", TEACHER, address="https://evil.example") == 400
    assert say("show", TEACHER, address="./cost") == 200
    assert room().shown == "./cost"


def test_a_forged_link_makes_nobody_a_member(links: Links) -> None:
    for secret in ("x" * 43, links.student[:-1], links.student.swapcase(), "", None, ["a"], {"a": 1}):
        assert say("join", EVE, secret=secret) == 403, secret
    assert say("join", "", secret=links.student) == 403
    assert hashed(EVE) not in room().members


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"content_type": "text/plain"}, 415),
        (b"{}", {"content_type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"content_length": "-1"}, 415),
        (b"{}", {"content_length": str(MOST + 1)}, 413),
        (b"{}", {"content_length": "9" * 40}, 413),
        (b"[]", {}, 400),
        (b"{", {}, 400),
        (b"\xff", {}, 400),
    ],
)
def test_odd_requests_are_refused(body: bytes, headers: dict[str, str], status: int) -> None:
    assert post("nickname", ANN, body, **headers) == status


def test_a_nickname_is_ones_own_and_is_text() -> None:
    assert say("nickname", ANN, nickname="<b>x</b>", person=hashed(BEN)) == 200
    assert [member.nickname for member in room().members.values()] == ["", "<b>x</b>", ""]
    assert say("nickname", EVE, nickname="x") == 403


def test_a_stranger_sees_no_run_of_the_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("anns", "free"):
        assert read(f"{RUNS_PATH}/{name}/run.zip", EVE).status == 404
        assert b'"gone"' in read(f"{RUNS_PATH}/{name}/news", EVE).content
    monkeypatch.setattr(who, "person_of", lambda cookies: person_of({COOKIE: EVE}))
    assert not {entry.name for entry in choices.entries()} & {"anns", "free"}
    page = open_page("training", run="anns")
    assert "anns" in messages(page)
    assert page.session_state["TrainingState"].watched == ""
    assert choices.find("run/anns") is None


@pytest.mark.parametrize("look", [True, False])
def test_students_see_each_other_where_the_teacher_lets_them(tmp_path: Path, look: bool) -> None:
    register.set_rules(room(), Rules(look=look))
    seen = {token: may_look(person_of({COOKIE: token}), tmp_path / "anns") for token in (TEACHER, ANN, BEN, EVE)}
    assert seen == {TEACHER: True, ANN: True, BEN: look, EVE: False}
    assert (b'"gone"' in read(f"{RUNS_PATH}/anns/news", BEN).content) is not look


def test_the_owner_and_the_teacher_steer(tmp_path: Path) -> None:
    people = [person_of({COOKIE: token}) for token in (TEACHER, ANN, BEN, EVE)]
    assert [authority(person, tmp_path / "anns") for person in people] == ["teacher", "owner", "", ""]
    assert [authority(person, tmp_path / "free") for person in people] == ["teacher", "", "", ""]
    with pytest.raises(RunNotYours):
        checked_authority(people[2], tmp_path / "anns")


def test_limits_hold_for_students_and_not_for_the_teacher() -> None:
    config = small_config()
    ann, ben, teacher, eve = (person_of({COOKIE: token}) for token in (ANN, BEN, TEACHER, EVE))
    check_start(ann, [config])
    with pytest.raises(NotInClass):
        check_start(eve, [config])
    for rules, error in (
        (Rules(runs=1), TooManyRuns),
        (Rules(steps=11), TooManySteps),
        (Rules(megabytes=0), None),
        (Rules(controls=("train",)), SwitchedOff),
    ):
        register.set_rules(room(), rules)
        ann, teacher = (person_of({COOKIE: token}) for token in (ANN, TEACHER))
        check_start(teacher, [config])
        if error is not None:
            with pytest.raises(error):
                check_start(ann, [config])
    register.set_rules(room(), Rules(runs=1))
    check_start(person_of({COOKIE: BEN}), [config])
    with pytest.raises(TooManyRuns):
        check_start(person_of({COOKIE: BEN}), [config, config])
    assert ben.role == "student"


def test_a_large_run_is_refused() -> None:
    register.set_rules(room(), Rules(megabytes=1))
    with pytest.raises(TooMuchMemory):
        check_start(person_of({COOKIE: ANN}), [small_config(batch_size=4096)])


def test_a_hidden_page_and_hidden_downloads_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    register.set_rules(room(), Rules(pages=("models",), controls=("export", "upload")))
    assert read(f"{RUNS_PATH}/anns/metrics.csv", ANN).json()["error"] == "switched_off"
    assert read(f"{RUNS_PATH}/anns/metrics.csv", TEACHER).status == 200
    monkeypatch.setattr(who, "person_of", lambda cookies: person_of({COOKIE: ANN}))
    page = open_page("models")
    assert "hidden" in messages(page)
    assert len(page.dataframe) == 0
    assert "Models" not in [link.proto.label for link in page.get("page_link")]


def test_when_it_is_over_students_are_nobody_and_the_teacher_tidies_up() -> None:
    register.close(room())
    assert [person_of({COOKIE: token}).role for token in (TEACHER, ANN, EVE)] == ["teacher", "", ""]
    assert read(f"{RUNS_PATH}/anns/metrics.csv", ANN).status == 200  # what is hers stays hers


def test_the_page_of_a_link_says_no_secret_and_is_not_kept(links: Links) -> None:
    answer = get(APP, "/join", {"lang": "zh"})
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert '<html lang="zh">' in answer.content.decode()
    assert "{" not in answer.content.decode().partition("<style>")[0]


def test_the_table_computes_nothing_and_statements_name_nobody(tmp_path: Path) -> None:
    register.rename_member(room(), hashed(ANN), "=1+1")
    table = read(f"{CLASS_PATH}/runs.csv", TEACHER).content.decode("utf-8-sig")
    assert "2,'=1+1,anns," in table
    told: list[Any] = read(f"{CLASS_PATH}/statements.json", TEACHER).json()
    assert [each["verb"]["display"]["en"] for each in told] == ["joined", "joined", "joined", "launched"]
    assert "=1+1" not in json.dumps(told)
    assert hashed(ANN) not in json.dumps(told) + table


def test_without_a_class_there_is_nothing_to_join(monkeypatch: pytest.MonkeyPatch, links: Links) -> None:
    monkeypatch.delenv(CLASS)
    assert say("join", EVE, secret=links.teacher) == 404
    assert read(f"{CLASS_PATH}/now", ANN).status == 404
