"""Whether the pages may download models from the Hugging Face Hub: as the operator says, and not otherwise.

In Python and on the command line a name such as "hf:gpt2" is consent enough.
"""

from __future__ import annotations

import os

__all__ = ["DOWNLOADS", "downloads_are_on"]

DOWNLOADS = "ATTNVIZ_DOWNLOADS"
"""Environment variable of the operator: "1" lets visitors open models of the Hugging Face Hub by their id."""


def downloads_are_on() -> bool:
    """Whether the operator lets visitors download."""
    return os.environ.get(DOWNLOADS) == "1"
