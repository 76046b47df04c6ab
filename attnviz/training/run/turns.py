"""Many runs in one process, each in turn: those that begin come first, those that are watched more often.

A run that begins makes its first step at once. Then whoever had least comes next, for at most SLICE seconds; the time
of a run that nobody looks at counts UNSEEN times. A run that is paused or slowed down has its turn when it asked for
it, and keeps nobody waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from attnviz.training.run.recorder import Work

__all__ = ["SEEN", "SLICE", "UNSEEN", "Turns"]

SLICE = 0.5  # seconds of a turn
SEEN = 3.0  # seconds after a look in which a run is on a screen: pages ask at least every second
UNSEEN = 16


@dataclass
class _Member:
    """A run that takes turns; times are on the clock of `Turns`.

    Attributes:
        work: its training.
        used: seconds that it had, those that nobody looked at counted UNSEEN times.
        ready: when it has something to do again.
        seen: when somebody last looked.
        waits: whether it is paused or slowed down.
        begun: whether it had its first turn.
    """

    work: Work
    used: float
    ready: float = -inf
    seen: float = -inf
    waits: bool = False
    begun: bool = False


class Turns:
    """Runs that take turns, by their numbers.

    Args:
        clock: seconds, always rising.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._members: dict[int, _Member] = {}
        self._least = 0.0  # that one of them had when it came next

    @property
    def sharing(self) -> int:
        """Number of those that have something to do all the time."""
        return sum(not member.waits for member in self._members.values())

    def add(self, number: int, work: Work) -> None:
        """Let a run begin."""
        self._members[number] = _Member(work, self._least)

    def look(self, number: int) -> None:
        """Note that somebody looks at a run, if it is here."""
        if number in self._members:
            self._members[number].seen = self._clock()

    def wait(self) -> float | None:
        """Return in how many seconds somebody has something to do, 0 for now; None: there is nobody."""
        if not self._members:
            return None
        return max(0.0, min(member.ready for member in self._members.values()) - self._clock())

    def next(self) -> int:
        """Return the number of the run whose turn it is, of those that have something to do."""
        now = self._clock()
        ready = {number: member for number, member in self._members.items() if member.ready <= now}
        number = min(ready, key=lambda number: (ready[number].begun, self._standing(ready[number])))
        self._least = self._standing(ready[number])
        return number

    def _standing(self, member: _Member) -> float:
        """Return the seconds that a run had; what it left to others while it waited is theirs."""
        return max(member.used, self._least)

    def waits(self, number: int) -> bool:
        """Whether a run is paused or slowed down."""
        return self._members[number].waits

    def take(self, number: int, is_wanted: Callable[[], bool]) -> bool:
        """Give a run its turn: one step if it begins, else as many as it has time for; False when it has ended.

        Args:
            is_wanted: whether something else is to be done first; asked after every step.

        Raises:
            Exception: that ended the run.
        """
        member = self._members[number]
        begin = self._clock()
        wakes = (other.ready for other in self._members.values() if other is not member and other.ready > begin)
        end = min((begin + SLICE, *wakes)) if member.begun else begin
        try:
            while True:
                wait = next(member.work)
                now = self._clock()
                if wait or now >= end or is_wanted():
                    break
        except BaseException as ended:
            del self._members[number]
            if isinstance(ended, StopIteration):
                return False
            raise
        weight = 1 if now < member.seen + SEEN else UNSEEN
        member.used = self._standing(member) + weight * (now - begin)
        member.ready, member.waits, member.begun = now + wait, wait > 0, True
        return True

    def remove(self, number: int) -> bool:
        """Interrupt a run; False when it is not here."""
        member = self._members.pop(number, None)
        if member is not None:
            member.work.close()
        return member is not None

    def close(self) -> None:
        """Interrupt all of them."""
        for number in list(self._members):
            self.remove(number)
