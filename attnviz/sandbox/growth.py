"""Bound how much longer the rules of a tokenizer can make a text."""

from __future__ import annotations

from math import prod
from typing import Any

__all__ = ["growth"]

PARTS = ("decoders", "normalizers", "pretokenizers")


def growth(rules: Any) -> float:
    """Bound the characters that rules of a tokenizer make of one, where they follow each other.

    Args:
        rules: as a tokenizer.json has them: an object with a "type".

    Example:
        >>> growth({"type": "Replace", "pattern": {"String": "a"}, "content": "aaa"})
        4
        >>> growth({"type": "Sequence", "decoders": [{"type": "Replace", "content": "xx"}] * 3})
        27
    """
    if not isinstance(rules, dict):
        return 1
    if rules.get("type") == "Sequence":
        return prod(growth(each) for name in PARTS for each in rules.get(name) or ())
    added = [value for name, value in rules.items() if name != "type" and isinstance(value, str)]
    return 1 + sum(map(len, added)) if rules.get("type") in ("Replace", "Prepend", "Metaspace", "BPEDecoder") else 1
