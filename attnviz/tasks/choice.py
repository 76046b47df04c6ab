"""What a person may change about a task: the values that controls offer, and the limits that no task goes beyond."""

from __future__ import annotations

from dataclasses import dataclass

from attnviz.errors import ConfigError

__all__ = ["Choice", "check_order", "check_whole"]


@dataclass(frozen=True)
class Choice:
    """A parameter of a task and the values to offer for it; any of them goes with any of every other parameter.

    Attributes:
        name: of the parameter, a field of the task.
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


def check_whole(name: str, value: object, low: int, high: int | None = None) -> None:
    """Refuse what is no whole number from low to high.

    Raises:
        ConfigError: it is none.
    """
    if type(value) is not int or value < low or (high is not None and value > high):
        limits = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ConfigError(f"{name} is {value!r}; it must be a whole number {limits}")


def check_order(low_name: str, low: int, high_name: str, high: int) -> None:
    """Refuse limits that are the wrong way round.

    Raises:
        ConfigError: the lower one is above the other.
    """
    if low > high:
        raise ConfigError(f"{low_name} is {low}, above {high_name}, which is {high}: lower the one or raise the other")
