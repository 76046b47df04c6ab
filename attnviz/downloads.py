"""Whether the pages may download models from the Hugging Face Hub: as the operator says, and not otherwise.

In Python and on the command line a name such as "hf:gpt2" is consent enough.
"""

from __future__ import annotations

import os
import sys

__all__ = ["DOWNLOADS", "downloads_are_on", "stay_offline"]

DOWNLOADS = "ATTNVIZ_DOWNLOADS"
"""Environment variable of the operator: "1" lets visitors open models of the Hugging Face Hub by their id."""


def downloads_are_on() -> bool:
    """Whether the operator lets visitors download."""
    return os.environ.get(DOWNLOADS) == "1"


def stay_offline() -> None:
    """Hold this process, and those it starts, to the operator's word: without it nothing of theirs asks the Hub.

    Called once by the server of the pages, before its first visitor.
    """
    if downloads_are_on():
        return
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is not None:  # it read its environment before
        vars(constants)["HF_HUB_OFFLINE"] = True
