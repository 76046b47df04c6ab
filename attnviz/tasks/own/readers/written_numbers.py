"""Numbers as people and spreadsheets write them: decimal sign, grouped thousands, percent and currency signs."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, NamedTuple

from attnviz.tasks.base import words

__all__ = ["DECIMALS", "GREATEST", "Decimal", "Number", "is_missing", "read_number"]

Decimal = Literal["point", "comma"]
DECIMALS: tuple[Decimal, ...] = ("point", "comma")

GREATEST = 1e12  # beyond it, squares and sums lose what single precision needs
PERCENT = "%‰"
MINUS = "\N{MINUS SIGN}"
MISSING = {"", *words("na n/a #n/a #na nan null none nil missing - -- --- – — ? . 无 缺失 空")}
SPACES = " \u00a0\u2009\u202f'’"  # that group thousands in some countries


def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    """Return a number; where thousands are grouped, one sign groups all of them, and no number begins with 0."""
    grouped = rf"[1-9]\d{{0,2}}(?P<group>[{re.escape(thousands + SPACES)}])\d{{3}}(?:(?P=group)\d{{3}})*"
    whole = rf"(?P<whole>{grouped}|\d+)(?:{re.escape(decimal)}(?P<part>\d*))?|{re.escape(decimal)}(?P<only>\d+)"
    return re.compile(rf"(?:{whole})(?P<power>e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


PATTERNS: dict[Decimal, re.Pattern[str]] = {"point": _pattern(".", ","), "comma": _pattern(",", ".")}


class Number(NamedTuple):
    """A number, and the sign beside it: "%", "‰", a currency's, or ""."""

    value: float
    unit: str


def is_missing(cell: str) -> bool:
    """Whether a cell says in one of the usual ways that there is no value.

    Example:
        >>> [is_missing(cell) for cell in ("", " NA ", "-", "#N/A", "0", "no")]
        [True, True, True, True, False, False]
    """
    return cell.strip().lower() in MISSING


def read_number(cell: str, decimal: Decimal) -> Number | None:
    """Return the number in a cell; None: it is none, is not finite, or is beyond 1e12.

    "12 %" is 12 with the unit "%". Thousands may be grouped by the sign that is not the decimal sign, by blanks or by
    apostrophes.

    Example:
        >>> read_number("1.234", "point"), read_number("1.234", "comma")
        (Number(value=1.234, unit=''), Number(value=1234.0, unit=''))
        >>> read_number("-€1,234.50", "point"), read_number("12,5 %", "comma"), read_number("12,34", "point")
        (Number(value=-1234.5, unit='€'), Number(value=12.5, unit='%'), None)
    """
    text, units, signs = cell.strip(), "", ""
    while text and (text[0] in "+-" + MINUS or _is_unit(text[0])):
        if _is_unit(text[0]):
            units += text[0]
        else:
            signs += text[0]
        text = text[1:].lstrip()
    while text and _is_unit(text[-1]):
        units += text[-1]
        text = text[:-1].rstrip()
    found = PATTERNS[decimal].fullmatch(text)
    if found is None or len(units) > 1 or len(signs) > 1:
        return None
    group, power = found["group"] or "", found["power"] or ""
    digits = (found["only"] and f".{found['only']}") or f"{found['whole'].replace(group, '')}.{found['part'] or ''}"
    value = float(digits + power)
    if not value <= GREATEST:
        return None
    return Number(value if signs in ("", "+") else -value, units)


def _is_unit(character: str) -> bool:
    return character in PERCENT or unicodedata.category(character) == "Sc"
