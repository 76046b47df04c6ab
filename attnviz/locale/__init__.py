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
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "DEFAULT", "LANGUAGES", "VISIBLE", "Term", "catalogue", "closest", "glossary", "has", "listed", "placeholders",
    "sentences", "strings", "t", "told", "visible",
]  # fmt: skip

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
DEFAULT = "en"
VISIBLE = {"\n": "↵", "\t": "⇥"}

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """Return all messages of a language.

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


class Term(NamedTuple):
    """A word of the field as the app uses it, and what it means in one sentence."""

    term: str
    meaning: str


def glossary(lang: str) -> dict[str, Term]:
    """Return every term of the glossary in a language, by its id.

    Example:
        >>> glossary("zh")["mask"].term
        '掩码'
    """
    ids = [key.split(".")[1] for key in catalogue(lang) if key.startswith("glossary.") and key.endswith(".term")]
    return {name: Term(t(lang, f"glossary.{name}.term"), t(lang, f"glossary.{name}.meaning")) for name in ids}


def closest(tag: str) -> str | None:
    """Return the language that a tag of BCP 47 asks for, such as "zh-CN" or "en_GB"; None: there are no messages in it.

    Example:
        >>> closest("zh-Hant-TW"), closest("EN"), closest("fr")
        ('zh', 'en', None)
    """
    lang = re.split("[-_]", tag, maxsplit=1)[0].lower()
    return lang if lang in LANGUAGES else None


def t(lang: str, key: str, **params: object) -> str:
    """Return the message `key` in a language, placeholders filled; a parameter's own braces are left alone.

    A parameter that is a list is written as `listed` writes it.

    Raises:
        KeyError: there is no such message, or a placeholder has no parameter.
    """
    parts = _PLACEHOLDER.split(catalogue(lang)[key])  # text, name, text ...
    for place, name in enumerate(parts[1::2]):
        value = params[name]
        parts[2 * place + 1] = listed(lang, map(str, value)) if isinstance(value, list) else str(value)
    return "".join(parts)


def told(lang: str, code: str, details: Mapping[str, object], show: Callable[[str, object], str] | None = None) -> str:
    """Say what went wrong and what to do: the message `error.<code>`, filled with the details of an error.

    A detail that is a word of the program is said in the words of the message `error.<code>.<detail>.<word>`; one that
    is a reason with details of its own, in those of `error.why.<word>`, or of the error that is the reason.

    Args:
        code: code of the error.
        details: fields of the error, by name.
        show: function that writes a detail, given its name and value; as plain text if None.
    """
    words = catalogue(lang)

    def said(name: str, value: object) -> str:
        if isinstance(value, Mapping) and "why" not in value:
            return told(lang, value["code"], value["details"], show)
        if isinstance(value, Mapping):
            return told(lang, f"why.{value['why']}", {each: value[each] for each in value if each != "why"}, show)
        if isinstance(value, list):
            value = [words.get(f"error.{code}.{name}.{each}", each) for each in value]
            if not show:
                return " ".join(value) if name == "known" else listed(lang, map(repr, value))
        return words.get(f"error.{code}.{name}.{value}") or (show or _plain)(name, value)

    return t(lang, f"error.{code}", **{name: said(name, value) for name, value in details.items()})


def listed(lang: str, items: Iterable[str]) -> str:
    """Return the items of a list as a sentence of a language has them.

    Example:
        >>> listed("en", ["Q", "K"]), listed("zh", ["Q", "K"])
        ('Q, K', 'Q、K')
    """
    return t(lang, "list.separator").join(items) or t(lang, "list.empty")


def sentences(said: Iterable[str]) -> str:
    """Return sentences one after the other: no blank follows a full-width stop.

    Example:
        >>> sentences(["One.", "Two."]), sentences(["一。", "二。"])
        ('One. Two.', '一。二。')
    """
    return " ".join(said).replace("。 ", "。")


def _plain(name: str, value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else visible(str(value), 400) or "''"


def visible(text: str, limit: int = 60) -> str:
    """Text on one line: line breaks and tabs as signs, control characters by code point, the rest cut at `limit`."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(VISIBLE.get(c, f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c).startswith("C") else c) for c in cut)


def has(lang: str, key: str) -> bool:
    """Whether a language has a message of that key."""
    return key in catalogue(lang)


def placeholders(text: str) -> set[str]:
    """Return the names of the placeholders in a message."""
    return set(_PLACEHOLDER.findall(text))


def strings(lang: str, *prefixes: str) -> dict[str, str]:
    """Return the messages whose keys begin with one of these: what a part of the page in the browser needs."""
    return {key: text for key, text in catalogue(lang).items() if key.startswith(prefixes)}
