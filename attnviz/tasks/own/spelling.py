"""Texts and labels that are the same to a reader, and others to a computer."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

__all__ = ["alike", "plain"]

FOREIGN = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ", "ABESIJKMHOPCTYXaesijopcyxhdqwABEZHIKMNOPTYXovp"
)
"""Letters of Cyrillic and Greek, and the Latin ones that they look like.

Source:
    Unicode Technical Standard 39, "Unicode Security Mechanisms", confusables.
"""


def plain(text: str, left_out: str) -> str:
    """Return a text in small letters and the usual form of each character, without those of some categories.

    Args:
        text: a text.
        left_out: first letters of the Unicode categories that are left out, unless nothing else is there.

    Example:
        >>> plain("A\\u200b Good\\u00a0FILM!", "PZC"), plain("cafe\\u0301", "C") == plain("CAF\\u00c9", "C")
        ('agoodfilm', True)
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(sign for sign in folded if unicodedata.category(sign)[0] not in left_out)
    return kept or folded


def alike(labels: Collection[str]) -> dict[str, str]:
    """Return the labels that look like another one, with the code points of the letters that tell them apart.

    They differ in capital letters, white space, the form of their characters, or in letters of another alphabet alone.

    Example:
        >>> alike(["cat", "c\\u0430t", "dog", "Dog", "bird"])
        {'Dog': '', 'cat': '', 'cаt': 'U+0430', 'dog': ''}
    """
    looks: dict[str, set[str]] = {}
    for label in labels:
        for look in {plain(label, "ZC"), plain(label.translate(FOREIGN), "ZC")}:
            looks.setdefault(look, set()).add(label)
    found: dict[str, str] = {}
    for same in looks.values():
        if len(same) > 1:
            found |= {label: _apart(label, same) for label in same}
    return dict(sorted(found.items()))


def _apart(label: str, others: Collection[str]) -> str:
    """Return the code points of characters beyond ASCII that not all of others have; invisible ones are seen anyway."""
    told = [sign for sign in dict.fromkeys(label) if not sign.isascii() and unicodedata.category(sign)[0] != "C"]
    return " ".join(f"U+{ord(sign):04X}" for sign in told if any(sign not in other for other in others))
