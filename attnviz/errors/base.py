"""The root of all errors, which declares what an error is made of, and those of configurations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, dataclass_transform

from attnviz import locale

__all__ = ["AttnvizError", "ConfigError", "PathUnusable", "TooMuchMemory"]


MOST = 400  # characters of a detail, which may quote a whole file


@dataclass_transform(eq_default=False)
class AttnvizError(Exception):
    """Base of the tree. A kind of error is a class that declares its fields, as a dataclass does.

    Its `code` is its name in snake case, without "Error"; its words are the message `error.<code>` of the catalogue,
    which its `details` fill. `str(error)` is that message in English, followed by `error.<code>.code`, what to write in
    code, if there is such a message.

    Example:
        >>> class NoSuchStep(AttnvizError):
        ...     step: int
        >>> NoSuchStep.code, NoSuchStep(7).details
        ('no_such_step', {'step': 7})
    """

    code: ClassVar[str] = "error"

    def __init_subclass__(cls, code: str = "") -> None:
        super().__init_subclass__()
        cls.code = code or re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__.removesuffix("Error")).lower()
        dataclass(eq=False, repr=False)(cls)

    def __post_init__(self) -> None:
        given = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        given |= {name: list(value) for name, value in given.items() if isinstance(value, tuple)}
        vars(self).update(given)
        self.args = tuple(given.values())
        self.details: Mapping[str, Any] = {name: _detail(value) for name, value in given.items()}

    def __str__(self) -> str:
        hint = f"{self.code}.code"
        codes = [self.code, hint] if locale.has(locale.DEFAULT, f"error.{hint}") else [self.code]
        return " ".join(locale.told(locale.DEFAULT, code, self.details) for code in codes)


class Why(str):
    """A reason in English, which knows itself in every language: the message `error.<code>`, filled.

    That is `error.why.<word>` for a reason of its own, and of what another error says, its message.

    Example:
        >>> Why("most-megabytes", most=5)
        'more than 5 MB'
        >>> Why.of(TooMuchMemory(8, 512, "9 GB", "4 GB", 3)).code
        'too_much_memory'
    """

    code: str
    details: Mapping[str, Any]

    def __new__(cls, word: str, **given: object) -> Why:
        return cls._made(f"why.{word}", {name: _detail(value) for name, value in given.items()})

    @classmethod
    def of(cls, error: AttnvizError) -> Why:
        """Return what an error says, as the reason of another."""
        return cls._made(error.code, error.details)

    @classmethod
    def _made(cls, code: str, details: Mapping[str, Any]) -> Why:
        self = super().__new__(cls, locale.told(locale.DEFAULT, code, details))
        self.code, self.details = code, details
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _why, (self.code, self.details)

    def said(self, lang: str) -> str:
        """Return the reason in a language."""
        return locale.told(lang, self.code, self.details)


def _why(code: str, details: Mapping[str, Any]) -> Why:
    """Return a reason that another process sent."""
    return Why._made(code, details)


def _detail(value: object) -> str | int | list[str] | dict[str, Any]:
    """Return a field as JSON holds it, whatever its caller gave."""
    if isinstance(value, Why):
        kind, _, word = value.code.partition(".")
        return {**value.details, "why": word} if kind == "why" else {"code": value.code, "details": value.details}
    if isinstance(value, float):
        return f"{value:g}"
    if type(value) is int and abs(value) < 2**63:
        return value
    if isinstance(value, Iterable) and not isinstance(value, str):
        return list(map(str, value))
    text = str(value)
    return text if len(text) <= MOST else f"{text[:MOST]} …"


class ConfigError(AttnvizError, ValueError):
    """A configuration that cannot be built; the message says what was given, what is expected and what to change."""


class PathUnusable(AttnvizError):
    """A file or folder that somebody named cannot be read or written."""

    path: str
    reason: str


class TooMuchMemory(ConfigError):
    """A step of training would take more memory than the machine has for it; `fits` is the largest batch that fits."""

    batch: int
    length: int
    needed: str
    limit: str
    fits: int
