"""A trace by its address: from the server that holds it, and made again by any other that shares the secret."""

from __future__ import annotations

import random
import stat
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from attnviz.calculator.presets import FIRST, PRESETS
from attnviz.server import forward, secret, trace_address
from attnviz.server.listing import find
from attnviz.server.routes import routes
from attnviz.server.secret import share_secret, signature
from attnviz.server.stores import TRACES
from attnviz.server.traces import TraceKey
from tests.training.test_at_once import at_once
from tests.ui.asgi import get

APP = Starlette(routes=routes())


@pytest.fixture(autouse=True)
def _shared(runs_folder: Path, operator_models: None) -> Iterator[None]:
    share_secret()
    yield
    secret._secret.cache_clear()


@pytest.fixture
def key() -> TraceKey:
    listed = find("tiny-both")
    assert listed is not None
    return TraceKey("tiny-both", "3rd of March 2021", "2021-03-03", listed.version)


def address_of(key: TraceKey) -> str:
    return trace_address.trace_address(key, forward.run(key))


def another_server(address: str) -> bytes | int:
    """What a server answers that has never seen the trace."""
    with TRACES._lock:
        TRACES._held.clear()
        TRACES._keys.clear()
    secret._secret.cache_clear()
    answer = get(APP, f"/attnviz/trace/{address}/trace.npz")
    return answer.content if answer.status == 200 else answer.status


def test_any_server_makes_a_trace_again(key: TraceKey) -> None:
    edited = key._replace(edits="off:decoder.0.self:1;patch:decoder.0.cross:0:0-1:5th of May 2020:2020-05-05")
    for each in (key, edited, forward.numbers_key(PRESETS[FIRST], ("x", "值"))):
        address = address_of(each)
        mine = get(APP, f"/attnviz/trace/{address}/trace.npz").content
        assert another_server(address) == mine
        assert another_server(address.partition(".")[0]) == 404, "the id alone means nothing to it"


def test_a_key_that_no_server_has_signed_means_nothing(key: TraceKey, runs_folder: Path) -> None:
    trace_id, _, told = address_of(key).partition(".")
    other = trace_address.trace_address(key._replace(text="4th of March 2021"), forward.run(key)).partition(".")[2]
    forged = other[:22] + told[22:]  # a signature of another key
    for wrong in (forged, told[:-4], "A" * len(told), "é", "=", "A" * 20_000, urlsafe_b64encode(b"[]").decode()):
        assert another_server(f"{trace_id}.{wrong}") == 404
    (runs_folder / ".secret").unlink()
    assert another_server(f"{trace_id}.{told}") == 404, "of servers on another folder"


def test_other_weights_and_what_is_gone_are_not_passed_off_as_the_trace(key: TraceKey) -> None:
    held = forward.run(key)
    for gone in (
        key._replace(version=key.version + 1),
        key._replace(model="upload/" + "0" * 32),
        key._replace(model="nowhere"),
        key._replace(text="☃"),
        key._replace(edits="off:decoder.0.self"),
        key._replace(edits="off:decoder.7.self:0"),
    ):
        assert another_server(trace_address.trace_address(gone, held)) == 404


def test_a_key_too_long_for_an_address_is_left_out(key: TraceKey) -> None:
    letters = "".join(map(chr, random.Random(0).choices(range(33, 0x2000), k=20_000)))
    held = forward.run(key)
    assert trace_address.trace_address(key._replace(text=letters), held) == held.id


def test_servers_that_start_together_have_one_secret(runs_folder: Path) -> None:
    (runs_folder / ".secret").unlink()
    at_once(lambda _: share_secret(), 6)
    assert [path.name for path in runs_folder.iterdir()] == [".secret"]
    assert stat.S_IMODE((runs_folder / ".secret").stat().st_mode) == 0o600
    mine = signature("trace", b"x")
    share_secret()
    assert signature("trace", b"x") == mine != signature("cookie", b"x")


def test_a_server_that_cannot_write_has_a_secret_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path / "file" / "runs"))
    share_secret()
    assert "is not shared" in caplog.text
    assert signature("trace", b"x") == signature("trace", b"x")
