"""Equal questions about a trace share a computation, which lasts as long as the trace; an error is not kept."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette

import attnviz
from attnviz.server import forward
from attnviz.server.once import Once
from attnviz.server.routes import routes
from attnviz.server.traces import TraceKey
from attnviz.trace import ProofEntry, Trace
from tests.ui.asgi import get


def trace_of(text: str) -> Trace:
    return attnviz.trace(attnviz.load_model("zoo/reverse"), text)


def test_forty_that_ask_at_once_share_one_answer() -> None:
    computed: list[Trace] = []

    def compute(trace: Trace) -> object:
        computed.append(trace)
        return object()

    once, one, other = Once(compute), trace_of("c b a"), trace_of("c b")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(once, [one] * 40))
    assert len(set(answers)) == len(computed) == 1
    assert once(other) not in answers
    assert (computed.count(one), len(once._asked)) == (1, 2)
    computed.clear()
    del one, other
    gc.collect()
    assert len(once._asked) == 0


def test_an_error_is_no_answer() -> None:
    errors = [MemoryError("full")]

    def compute(trace: Trace) -> str:
        if errors:
            raise errors.pop()
        return trace.text

    once, trace = Once(compute), trace_of("c b a")
    with pytest.raises(MemoryError):
        once(trace)
    assert once(trace) == "c b a"


def test_a_proof_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    prove, proved = Trace.proof, list[Trace]()

    def counted(trace: Trace) -> list[ProofEntry]:
        proved.append(trace)
        return prove(trace)

    monkeypatch.setattr(Trace, "proof", counted)
    held = forward.run(TraceKey("reverse", "f e d c b a"))
    app = Starlette(routes=routes())
    one, other = (get(app, f"/attnviz/trace/{held.id}/proof").json() for _ in range(2))
    assert one == other
    assert one["exact"]
    assert proved == [held.trace]
