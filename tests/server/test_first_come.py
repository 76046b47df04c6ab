"""Turns come in the order in which they were asked for; one that lasts, or ends by an error, keeps nobody waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest

from attnviz.server.first_come import FirstCome

PATIENCE = 60.0  # seconds for what comes at once


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if holds():
            return
        pause.wait(0.01)
    pytest.fail("it never came")


def asks(turns: FirstCome, done: Callable[[], object]) -> threading.Thread:
    """Start a thread that does something in its turn, once it waits or has it."""

    def run() -> None:
        with turns.turn():
            done()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_who_came_first_is_first() -> None:
    turns, order = FirstCome(at_once=1, patience=PATIENCE), list[int]()
    with turns.turn():
        threads = []
        for number in range(6):
            threads.append(asks(turns, partial(order.append, number)))
            until(lambda: turns.waiting == len(threads))
        assert order == []
    for thread in threads:
        thread.join(PATIENCE)
    assert order == [*range(6)]


def test_no_more_than_a_few_at_once() -> None:
    turns, inside, end = FirstCome(at_once=2, patience=PATIENCE), list[int](), threading.Event()
    most = list[int]()

    def stay(number: int) -> None:
        inside.append(number)
        most.append(len(inside))
        end.wait(PATIENCE)
        inside.remove(number)

    threads = [asks(turns, partial(stay, number)) for number in range(5)]
    until(lambda: (len(inside), turns.waiting) == (2, 3))
    end.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(most) == 5
    assert max(most) == 2


def test_a_turn_inside_of_a_turn_is_the_same() -> None:
    turns = FirstCome(at_once=1, patience=PATIENCE)
    with turns.turn(), turns.turn():
        later = asks(turns, lambda: None)
        until(lambda: turns.waiting == 1)
    later.join(PATIENCE)
    assert turns.waiting == 0


def test_a_turn_that_ends_by_an_error_ends() -> None:
    turns, done = FirstCome(at_once=1, patience=PATIENCE), list[str]()
    with pytest.raises(KeyError), turns.turn():
        raise KeyError
    asks(turns, lambda: done.append("next")).join(PATIENCE)
    assert done == ["next"]


def test_nobody_waits_longer_for_a_turn_that_lasts() -> None:
    now, looks, done = [0.0], list[float](), list[str]()

    def clock() -> float:
        looks.append(now[0])
        return now[0]

    turns = FirstCome(at_once=1, patience=0.01, clock=clock)
    with turns.turn():
        later = asks(turns, lambda: done.append("next"))
        until(lambda: len(looks) > 5)  # it has looked again and again: no time has passed
        assert done == []
        now[0] = 1.0
        later.join(PATIENCE)
        assert done == ["next"]
