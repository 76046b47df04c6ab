import threading
from pathlib import Path

import pytest

import attnviz
from attnviz.models import SequenceModel, load_model
from attnviz.server import traces
from attnviz.server.traces import TraceKey, TraceStore
from tests.tiny import tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SequenceModel:
    return load_model(tiny_models(Path(tmp_path_factory.mktemp("models"))) / "tiny-encoder")


def key(text: str) -> TraceKey:
    return TraceKey("tiny-encoder", text)


def test_the_same_key_gives_the_same_trace_and_id(model: SequenceModel) -> None:
    store = TraceStore()
    first = store.obtain(key("a b"), lambda: attnviz.trace(model, "a b"))
    again = store.obtain(key("a b"), lambda: pytest.fail("made twice"))
    assert again is first
    assert store.get(first.id) is first.trace
    assert store.obtain(key("b a"), lambda: attnviz.trace(model, "b a")).id != first.id


def test_ids_cannot_be_guessed(model: SequenceModel) -> None:
    held = TraceStore().obtain(key("a b"), lambda: attnviz.trace(model, "a b"))
    other = TraceStore().obtain(key("a b"), lambda: attnviz.trace(model, "a b"))
    assert len(held.id) == 32
    assert held.id != other.id
    assert TraceStore().get(held.id) is None


def test_the_least_recently_used_goes_first(model: SequenceModel) -> None:
    store = TraceStore(max_count=2)
    a, b = (store.obtain(key(text), lambda text=text: attnviz.trace(model, text)) for text in ("a", "b"))
    store.get(a.id)
    store.obtain(key("c"), lambda: attnviz.trace(model, "c"))
    assert store.get(b.id) is None
    assert store.get(a.id) is a.trace
    assert len(store) == 2
    anew = store.obtain(key("b"), lambda: attnviz.trace(model, "b"))
    assert anew.id != b.id  # so that a page that lost its trace sees that there is another


def test_what_nobody_asks_for_goes_after_a_while(model: SequenceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(traces, "monotonic", lambda: now[0])
    store = TraceStore()
    a, b = (store.obtain(key(text), lambda text=text: attnviz.trace(model, text)) for text in ("a", "b"))
    now[0] = 50.0
    store.get(a.id)
    now[0] = 100.0
    assert store.forget_unused(99.0, quiet=50.0) == 1
    assert (store.get(a.id), store.get(b.id)) == (a.trace, None)
    now[0] = 151.0
    assert store.forget_unused(99.0, quiet=50.0) == 1
    assert len(store) == 0


def test_bytes_are_bounded_but_the_newest_stays(model: SequenceModel) -> None:
    store = TraceStore(max_bytes=1)
    for text in ("a b", "b c"):
        held = store.obtain(key(text), lambda text=text: attnviz.trace(model, text))
    assert len(store) == 1
    assert store.get(held.id) is held.trace
    assert store.nbytes == held.trace.nbytes


def test_errors_pass_through_and_nothing_is_kept(model: SequenceModel) -> None:
    store = TraceStore()
    with pytest.raises(attnviz.AttnvizError):
        store.obtain(key("?"), lambda: attnviz.trace(model, "?"))
    assert len(store) == 0


def test_many_threads_agree_on_one_trace(model: SequenceModel) -> None:
    store, found = TraceStore(), []
    threads = [
        threading.Thread(target=lambda: found.append(store.obtain(key("a b"), lambda: attnviz.trace(model, "a b"))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({held.id for held in found}) == 1
