"""Message catalogues: every text a person reads, by language and key.

A language is a folder of JSON files, each a flat object `{"key": "text with {placeholders}"}`; together they are its
catalogue. Technical terms (query, key, softmax ...) stay untranslated.

Example:
    >>> t("en", "view.frame.grid.layer", layer=3)
    'Layer 3'
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["DEFAULT", "LANGUAGES", "catalogue", "closest", "has", "placeholders", "strings", "t"]

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
DEFAULT = "en"

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """All messages of a language.

    Raises:
        KeyError: the language is not one of LANGUAGES.
        ValueError: two files of the language hold the same key.
    """
    if lang not in LANGUAGES:
        raise KeyError(f"no language {lang!r}; there are {', '.join(LANGUAGES)}")
    merged: dict[str, str] = {}
    for path in sorted((Path(__file__).parent / lang).glob("*.json")):
        messages = json.loads(path.read_text(encoding="utf-8"))
        twice = sorted(merged.keys() & messages.keys())
        if twice:
            raise ValueError(f"{lang}/{path.name} repeats {', '.join(twice)}")
        merged |= messages
    return merged


def closest(tag: str) -> str | None:
    """The language that a tag of BCP 47 asks for, such as "zh-CN" or "en_GB"; None: there are no messages in it.

    Example:
        >>> closest("zh-Hant-TW"), closest("EN"), closest("fr")
        ('zh', 'en', None)
    """
    lang = re.split("[-_]", tag, maxsplit=1)[0].lower()
    return lang if lang in LANGUAGES else None


def t(lang: str, key: str, **params: object) -> str:
    """The message `key` in a language, placeholders filled; a parameter's own braces are left alone.

    Raises:
        KeyError: there is no such message, or a placeholder has no parameter.
    """
    parts = _PLACEHOLDER.split(catalogue(lang)[key])  # text, name, text ...
    parts[1::2] = [str(params[name]) for name in parts[1::2]]
    return "".join(parts)


def has(lang: str, key: str) -> bool:
    """Whether a language has a message of that key."""
    return key in catalogue(lang)


def placeholders(text: str) -> set[str]:
    """Names of the placeholders in a message."""
    return set(_PLACEHOLDER.findall(text))


def strings(lang: str, *prefixes: str) -> dict[str, str]:
    """The messages whose keys begin with one of these: what a part of the page in the browser needs."""
    return {key: text for key, text in catalogue(lang).items() if key.startswith(prefixes)}
