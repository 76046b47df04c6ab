"""Numbers as people read them."""

from __future__ import annotations

from attnviz.ui.frame.language import say

__all__ = ["duration", "short"]

PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def short(number: float) -> str:
    """Three significant digits and a prefix.

    Example:
        >>> short(42_906), short(7), short(1_250_000_000)
        ('42.9 k', '7', '1.25 G')
    """
    power = 0
    while number >= 999.5 and power < len(PREFIXES) - 1:
        number /= 1000
        power += 1
    return f"{number:.3g} {PREFIXES[power]}".rstrip()


def duration(seconds: float) -> str:
    """About how long, in the session's language."""
    if seconds < 1.5:
        return say("training.time.second")
    if seconds < 90:
        return say("training.time.seconds", n=f"{seconds:.0f}")
    if seconds < 90 * 60:
        return say("training.time.minutes", n=f"{seconds / 60:.0f}")
    return say("training.time.hours", n=f"{seconds / 3600:,.1f}")
