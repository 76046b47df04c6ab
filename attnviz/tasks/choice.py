"""Parameters of a task that a person may change: the values to offer, and the limits of the task."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, cast

from attnviz.errors import SettingNotOffered, SettingsCrossed
from attnviz.errors.settings import check_whole

__all__ = ["Choice", "check_limits", "check_order", "choices", "column", "one_of", "own_file", "parameters", "whole"]

LIMITS, OFFERED, READING, IF_GIVEN = "limits", "offered", "reading", "if_given"
MOST_COLUMNS = 1000
T = TypeVar("T")


@dataclass(frozen=True)
class Choice:
    """A parameter of a task and the values to offer for it; any of them goes with any of every other parameter.

    Attributes:
        name: name of the parameter, a field of the task.
        values: whole numbers as a range, its step included, or a few values to choose from.

    Example:
        >>> lengths = Choice("length", range(5, 64, 2))
        >>> lengths.values[0], lengths.values[-1], lengths.values.step
        (5, 63, 2)
        >>> 21 in lengths.values, 22 in lengths.values
        (True, False)
    """

    name: str
    values: range | tuple[bool | int | str, ...]


def whole(default: int, low: int, high: int | None = None, *, offered: range | tuple[int, ...]) -> int:
    """Return a field of a task that is a whole number.

    Args:
        default: value.
        low: the least there can be.
        high: the most there can be; None: no limit.
        offered: what people are offered.
    """
    return field(default=default, metadata={LIMITS: (low, high), OFFERED: offered})


def one_of(default: T, offered: tuple[T, ...], *, reading: bool = False) -> T:
    """Return a field of a task that is one of a few values.

    Args:
        default: value.
        offered: all that there are.
        reading: it says how data of one's own are to be read.
    """
    return field(default=default, metadata={OFFERED: offered, READING: reading})


def column() -> int:
    """Return a field of a task that is a column of data of one's own, counted from 1; 0: told by the data."""
    return field(default=0, metadata={LIMITS: (0, MOST_COLUMNS), OFFERED: range(MOST_COLUMNS + 1), READING: True})


def own_file() -> str:
    """Return a field of a task for data of their own for a split; "": none, as for runs that have no such field."""
    return field(default="", repr=False, metadata={IF_GIVEN: True})


def parameters(task: object) -> dict[str, Any]:
    """Return what a task is made of, by name; a file of its own for a split only where it is given."""
    values = {each: getattr(task, each.name) for each in fields(cast(Any, task)) if each.init}
    return {each.name: value for each, value in values.items() if value or IF_GIVEN not in each.metadata}


def choices(task: type, *, reading: bool = False) -> tuple[Choice, ...]:
    """Return the fields of a dataclass that people may change.

    Args:
        task: the dataclass.
        reading: those that say how data of one's own are to be read, in place of those that say what the task is like.
    """
    offered = (each for each in fields(cast(Any, task)) if OFFERED in each.metadata)
    return tuple(
        Choice(each.name, each.metadata[OFFERED]) for each in offered if each.metadata.get(READING, False) == reading
    )


def check_limits(task: object) -> None:
    """Refuse a whole number beyond its limits, a way to read data that there is not, and a min_... above its max_...

    Raises:
        ConfigError: there is one; the message says which, and what it can be.
    """
    names = {each.name for each in fields(cast(Any, task))}
    for each in fields(cast(Any, task)):
        value = getattr(task, each.name)
        if LIMITS in each.metadata:
            check_whole(each.name, value, *each.metadata[LIMITS])
        elif each.metadata.get(READING) and value not in each.metadata[OFFERED]:
            raise SettingNotOffered(each.name, value, each.metadata[OFFERED])
    for low in sorted(name for name in names if name.startswith("min_")):
        high = "max_" + low.removeprefix("min_")
        if high in names:
            check_order(low, getattr(task, low), high, getattr(task, high))


def check_order(low_name: str, low: int, high_name: str, high: int) -> None:
    """Refuse limits that are the wrong way round.

    Raises:
        ConfigError: the lower one is above the other.
    """
    if low > high:
        raise SettingsCrossed(low_name, low, high_name, high)
