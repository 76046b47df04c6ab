"""Whether models may be downloaded from the Hugging Face Hub: as the operator says, and not otherwise."""

from __future__ import annotations

import os

__all__ = ["DOWNLOADS", "downloads_are_on"]

DOWNLOADS = "ATTNVIZ_DOWNLOADS"
"""Environment variable of the operator: "1" lets people open models of the Hugging Face Hub by their id."""


def downloads_are_on() -> bool:
    """Whether the operator lets people download."""
    return os.environ.get(DOWNLOADS) == "1"
