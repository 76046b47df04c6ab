"""The root of all errors, and those of configurations."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AttnvizError",
    "ConfigError",
    "TooMuchMemory",
]


class AttnvizError(Exception):
    """Base of the tree: an English message, a `code` and the `details` that fill the message in any language."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, /, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class ConfigError(AttnvizError, ValueError):
    """A configuration that cannot be built; the message says what was given, what is expected and what to change."""

    code = "config"

    def __init__(self, message: str, /, **details: Any) -> None:
        super().__init__(message, message=message, **details)


class TooMuchMemory(ConfigError):
    """A step of training would take more memory than there is for it.

    Args:
        batch: sequences of the step.
        length: tokens of the longest sequence.
        needed: about what it would take, such as "5.3 GiB".
        limit: what there is.
        fits: largest batch that fits, 0 if none does.
    """

    code = "too_much_memory"

    def __init__(self, batch: int, length: int, needed: str, limit: str, fits: int) -> None:
        super().__init__(
            f"a batch of {batch:,} sequences of {length:,} tokens takes about {needed}, more than the limit of "
            f"{limit}: a batch of {fits:,} fits, a smaller model or shorter sequences take less",
            batch=batch,
            length=length,
            needed=needed,
            limit=limit,
            fits=fits,
        )
