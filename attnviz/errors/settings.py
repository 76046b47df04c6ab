"""Errors of single settings, of models, tasks, tokenizers and training."""

from __future__ import annotations

from collections.abc import Sequence

from attnviz.errors.base import ConfigError

__all__ = [
    "ConfigIncomplete", "SettingMisfit", "SettingNotOffered", "SettingNotWhole", "SettingNotWithin", "SettingOutside",
    "SettingsCrossed", "TaskMismatch", "TooFewInputs", "UnknownSetting",
]  # fmt: skip


class SettingNotOffered(ConfigError):
    name: str
    value: object
    offered: Sequence[object]


class SettingNotWhole(ConfigError):
    name: str
    value: object
    least: int


class SettingNotWithin(SettingNotWhole):
    most: int


class SettingOutside(ConfigError):
    """A setting breaks a rule: `rule` is a word of the catalogue, such as "positive"."""

    name: str
    value: object
    rule: str


class SettingMisfit(SettingOutside):
    """A setting breaks a rule that `example` keeps."""

    example: float


class SettingsCrossed(ConfigError):
    """The setting `low` is above the setting `high`."""

    low: str
    least: int
    high: str
    most: int


class UnknownSetting(ConfigError):
    name: str
    offered: Sequence[str]


class ConfigIncomplete(ConfigError):
    """A model configuration has settings that this version does not know, or lacks some that it needs."""

    unknown: Sequence[str]
    missing: Sequence[str]


class TaskMismatch(ConfigError):
    """A model does not read or write the symbols of a task."""

    name: str
    value: object
    task: str
    needed: object


class TooFewInputs(ConfigError):
    """A task has hardly any different inputs, and none of them belongs to `split`."""

    split: str


def check_whole(name: str, value: object, least: int, most: int | None = None) -> None:
    """Refuse a value that is not a whole number from `least` to `most`.

    Raises:
        SettingNotWhole: it is not a whole number, or below `least`.
        SettingNotWithin: the same, or above `most`, where there is such a limit.
    """
    if type(value) is not int or value < least or (most is not None and value > most):
        raise SettingNotWhole(name, value, least) if most is None else SettingNotWithin(name, value, least, most)
