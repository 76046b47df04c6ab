"""Settings typed as KEY=VALUE, read as the fields of a dataclass want them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from math import isfinite
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from attnviz.errors import SettingNotOffered, SettingOutside, UnknownSetting

__all__ = ["read_settings", "setting_names"]

TRUE, FALSE = ("yes", "true", "1"), ("no", "false", "0")


def setting_names(kind: type, fixed: Collection[str] = ()) -> list[str]:
    """Return the fields of a dataclass that may be set."""
    return [field.name for field in fields(kind) if field.init and field.name not in fixed]


def read_settings(kind: type, texts: Sequence[str], fixed: Collection[str] = ()) -> dict[str, Any]:
    """Return the values for fields of a dataclass, from texts such as "n_layers=1".

    Args:
        kind: the dataclass, of numbers, texts, choices (Literal), yes or no, and "none" where that may be.
        texts: each KEY=VALUE; of several for one key the last one counts.
        fixed: fields that may not be set.

    Raises:
        ConfigError: no such field, or no such value; the message names what there is.

    Example:
        >>> from attnviz.models import ModelConfig
        >>> read_settings(ModelConfig, ["n_layers=1", "positions=rotary", "window=none"])
        {'n_layers': 1, 'positions': 'rotary', 'window': None}
    """
    types, names = get_type_hints(kind), setting_names(kind, fixed)
    values: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or name not in names:
            raise UnknownSetting(text, names)
        values[name] = _read(name, value, types[name])
    return values


def _read(name: str, text: str, kind: Any) -> Any:
    """One value of a type; of X | None, X."""
    inner = [part for part in get_args(kind) if part is not NoneType]
    if NoneType in get_args(kind):
        return None if text.lower() == "none" else _read(name, text, inner[0])
    if get_origin(kind) is Literal:
        if text not in inner:
            raise SettingNotOffered(name, text, inner)
        return text
    if kind is bool:
        if text.lower() not in TRUE + FALSE:
            raise SettingNotOffered(name, text, ("yes", "no"))
        return text.lower() in TRUE
    if kind is str:
        return text
    try:
        value = kind(text)
    except ValueError as error:
        raise SettingOutside(name, text, WANTED[kind]) from error
    if not isfinite(value):
        raise SettingOutside(name, text, WANTED[kind])
    return value


WANTED = {int: "whole", float: "number"}
