"""Give memory back that nobody uses any more: traces that were looked at long ago, and what the C library keeps."""

from __future__ import annotations

import asyncio
import ctypes
import logging

from attnviz.server.stores import TRACES

__all__ = ["give_back", "tidy"]

EVERY = 60.0  # seconds
UNUSED = 1800.0  # seconds after which a trace goes that nobody asks for; whoever comes back has it made again
QUIET = 90.0  # seconds without a question of anybody, after which all go: people have left

log = logging.getLogger(__name__)


async def tidy() -> None:
    """Give memory back again and again."""
    while True:
        await asyncio.sleep(EVERY)
        await asyncio.to_thread(give_back)


def give_back() -> None:
    """Give memory back once.

    The C library keeps what was freed, for each thread apart: after a busy hour that is more than what is in use.
    """
    dropped = TRACES.forget_unused(UNUSED, QUIET)
    log.debug("%s traces dropped", dropped)
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library
        return
    trim(0)
