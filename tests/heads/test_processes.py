"""Texts shared by processes: the same heads, and a process that is killed costs its part only."""

from __future__ import annotations

import multiprocessing
from random import Random

import pytest

import attnviz
from attnviz.heads import Text, find_heads, processes
from attnviz.heads.processes import find_in_processes

LETTERS = "abcdefghijklmnop"


def texts(n: int) -> list[Text]:
    random = Random(0)
    periods = [" ".join(random.sample(LETTERS, random.randint(6, 12))) for _ in range(n)]
    return [Text(f"{period} {period} {period}") for period in periods]


class Killer:
    """Kills a process as soon as a part is done; hears of progress."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []
        self.killed = False

    def __call__(self, done: int, total: int) -> None:
        self.told.append((done, total))
        if done and not self.killed:
            self.killed = True
            victim = multiprocessing.active_children()[0]
            victim.kill()
            victim.join()


def test_processes_find_the_same_and_do_again_what_is_lost() -> None:
    chosen, killer = texts(9), Killer()
    found, lost, seconds = find_in_processes("zoo/induction", chosen, 2, killer)
    alone = find_heads(attnviz.load_model("zoo/induction"), chosen)
    assert killer.killed
    assert lost == ()
    assert seconds > 0
    assert found.n_texts == 9
    assert killer.told[0] == (0, 9)
    assert killer.told[-1][0] == killer.told[-1][1] > 9, "the effects follow the texts"
    assert [head.label for head in found] == ["previous", "induction"]
    for one, other in zip(found, alone, strict=True):
        assert one.profile == pytest.approx(other.profile, abs=1e-5)
        assert [label.state for label in one.labels] == [label.state for label in other.labels]


def test_a_part_that_is_lost_again_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "TRIES", 1)
    found, lost, _ = find_in_processes("zoo/induction", texts(8), 1, Killer())
    assert lost == ((3, 4),)
    assert found.n_texts == 6
