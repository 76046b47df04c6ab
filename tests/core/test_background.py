"""Computations beside the pages: joined, one at a time, and gone when nobody waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from attnviz import background
from attnviz.background import Background, Progress
from attnviz.errors import NoSuchPosition, TakesTooLong, TooManyWaiting

SOON = 300  # seconds, of a machine that does much else


@pytest.fixture
def jobs() -> Iterator[Background]:
    made = Background(waiting=2, kept=2)
    yield made
    thread = made.thread
    if thread is not None:
        thread.join(SOON)
    assert made.thread is None, "no thread is left"


class Steps:
    """A computation that goes on, a step for each `go`."""

    def __init__(self) -> None:
        self.began, self.ended = threading.Event(), threading.Event()
        self._step = threading.Semaphore(0)
        self.times = 0

    def __call__(self, progress: Progress) -> str:
        self.times += 1
        try:
            progress(0, 2)
            self.began.set()
            for done in (1, 2):
                assert self._step.acquire(timeout=SOON)
                progress(done, 2)
            return "found"
        finally:
            self.ended.set()

    def go(self, times: int = 1) -> None:
        for _ in range(times):
            self._step.release()


def until_over(jobs: Background, key: str, compute: Callable[[Progress], object]) -> background.Job:
    job = jobs.ask(key, "a", compute)
    thread = jobs.thread
    if thread is not None:
        thread.join(SOON)
    return job


def test_a_result_is_there_for_all_who_ask_and_was_computed_once(jobs: Background) -> None:
    steps = Steps()
    first = jobs.ask("k", "a", steps)
    assert steps.began.wait(SOON)
    assert jobs.ask("k", "b", steps) is first
    assert (first.done, first.total, first.is_over) == (0, 2, False)
    steps.go(2)
    assert until_over(jobs, "k", steps).result == "found"
    assert jobs.ask("k", "c", steps).result == "found"
    assert steps.times == 1


def test_it_ends_when_the_last_one_leaves(jobs: Background) -> None:
    steps = Steps()
    for who in "ab":
        jobs.ask("k", who, steps)
    assert steps.began.wait(SOON)
    jobs.leave("k", "a")
    steps.go()
    assert not steps.ended.is_set()
    thread = jobs.thread
    jobs.leave("k", "b")
    steps.go()
    assert thread is not None
    thread.join(SOON)
    assert not thread.is_alive()
    assert steps.ended.is_set()
    assert [each.name for each in threading.enumerate() if each.name == "attnviz-background"] == []
    again = Steps()
    again.go(2)
    assert until_over(jobs, "k", again).result == "found", "what was left is computed anew"


def test_it_ends_when_nobody_asks_any_more(jobs: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps()
    jobs.ask("k", "a", steps)
    assert steps.began.wait(SOON)
    monkeypatch.setattr(background, "PATIENCE", 0.0)
    thread = jobs.thread
    steps.go(2)
    assert thread is not None
    thread.join(SOON)
    assert not thread.is_alive()


def test_one_at_a_time_in_their_order_and_not_too_many(jobs: Background) -> None:
    first, second = Steps(), Steps()
    jobs.ask("1", "a", first)
    assert first.began.wait(SOON)
    jobs.ask("2", "a", second)
    assert (jobs.ahead("1"), jobs.ahead("2")) == (0, 1)
    assert not second.began.is_set()
    with pytest.raises(TooManyWaiting):
        jobs.ask("3", "a", Steps())
    jobs.leave("2", "a")  # it never begins
    first.go(2)
    assert until_over(jobs, "1", first).result == "found"
    assert second.times == 0


def test_what_is_over_is_kept_as_long_as_there_is_room(jobs: Background) -> None:
    for key in "abc":
        until_over(jobs, key, lambda progress: "x")
    again = Steps()
    again.go(2)
    assert until_over(jobs, "c", again).result == "x"
    assert until_over(jobs, "a", again).result == "found"


def test_errors_are_told(jobs: Background) -> None:
    def fails(progress: Progress) -> None:
        raise NoSuchPosition("x", 3, 2)

    assert isinstance(until_over(jobs, "k", fails).error, NoSuchPosition)
    slow = Background(seconds=-1)
    assert isinstance(until_over(slow, "k", lambda progress: progress(0, 1)).error, TakesTooLong)


def test_what_fails_in_another_way_takes_nobody_along(jobs: Background) -> None:
    def breaks(progress: Progress) -> None:
        raise MemoryError

    assert until_over(jobs, "k", breaks).error is not None
    assert until_over(jobs, "other", lambda progress: "x").result == "x"
