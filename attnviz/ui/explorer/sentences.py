"""Texts to begin with: a model's own examples, or general sentences that suit what a Hugging Face model reads."""

from __future__ import annotations

from attnviz import locale
from attnviz.server.reads import Reads

__all__ = ["general_examples", "with_mask"]

MOST = 3  # of one kind in one language
ENDS = ".!?。！？…"


def general_examples(reads: Reads, lang: str) -> tuple[tuple[str, str], ...]:
    """Pairs of a text and a second one, "" without, those of the session's language and one of each other."""
    if not reads.text:
        return ()
    kind = _kind(reads)
    others = [pair for each in locale.LANGUAGES if each != lang for pair in _examples(kind, each, reads.mask)[:1]]
    return (*_examples(kind, lang, reads.mask), *others)


def _kind(reads: Reads) -> str:
    if reads.image:
        return "caption"
    if reads.second == "target":
        return "source"
    if reads.second == "context":
        return "question"
    if reads.continues:
        return "begin"
    return "mask" if reads.mask else "read"


def _examples(kind: str, lang: str, mask: str) -> list[tuple[str, str]]:
    found = []
    for number in range(1, MOST + 1):
        key = f"models.example.{kind}.{number}"
        if locale.has(lang, key):
            second = f"{key}.second"
            text = locale.t(lang, key, mask=mask)
            found.append((text, locale.t(lang, second, mask=mask) if locale.has(lang, second) else ""))
    return found


def with_mask(text: str, mask: str) -> str:
    """Return a text with one more hidden token at its end, before the full stop when there is one.

    Example:
        >>> with_mask("The cat sat on the.", "[MASK]"), with_mask("", "<mask>")
        ('The cat sat on the [MASK].', '<mask>')
    """
    body = text.rstrip()
    end = body[len(body.rstrip(ENDS)) :]
    body = body.rstrip(ENDS).rstrip()
    return f"{body}{' ' if body else ''}{mask}{end}"
