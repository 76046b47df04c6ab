"""Other ways to write a text that somebody typed, so that a task can read it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from attnviz.tokenizers import Tokenizer
from attnviz.vectors import Reader

__all__ = ["respelled"]

PLAIN = str.maketrans("‘’“”–—…", "''\"\"--.")
"""Signs that word processors put in place of those on a keyboard."""


def respelled(text: str, reader: Reader) -> Iterator[str]:
    """Yield a text with plain signs, in small letters, with blanks as a reader wants them; nothing for numbers.

    Example:
        >>> list(respelled("Ba!", Tokenizer("symbols", ("a", "b"))))
        ['B a !', 'B a', 'b a !', 'b a']
    """
    if not isinstance(reader, Tokenizer):
        return
    known = set(reader.symbols)
    plain = unicodedata.normalize("NFKC", text).translate(PLAIN).strip()
    for form in dict.fromkeys((plain, plain.casefold())):
        if reader.kind == "symbols":
            words = _pieces(form, reader.symbols)
            yield " ".join(words)
            yield " ".join(word for word in words if word in known or word.isalnum())
        else:
            yield form
            kept = "".join(c for c in form if c in known or c.isalnum() or c.isspace())
            yield kept.strip()
            yield "".join(kept.split())


def _pieces(text: str, symbols: Sequence[str]) -> list[str]:
    """Split a text as far as the symbols go: into letters and numbers, or into words and punctuation marks."""
    if all(len(symbol) == 1 or symbol.isdigit() for symbol in symbols):
        digits = r"\d+" if any(len(symbol) > 1 for symbol in symbols) else r"\d"
        return re.findall(rf"{digits}|\S", text)
    known = set(symbols)
    parts = (re.findall(r"[^\s.,?!|;]+|[.,?!|;]", word) if word not in known else [word] for word in text.split())
    return [part for found in parts for part in found]
