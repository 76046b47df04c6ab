"""Prepare a server before its first visitor, and clear up after the last one."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from attnviz.downloads import stay_offline
from attnviz.errors import AttnvizError
from attnviz.server import workers
from attnviz.server.forward import run
from attnviz.server.handed_in import clear_left_over
from attnviz.server.listing import installed
from attnviz.server.secret import share_secret
from attnviz.server.stores import UPLOADS
from attnviz.server.tidy import tidy
from attnviz.server.traces import TraceKey

__all__ = ["lifespan", "warm_up"]

logger = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[dict[str, object]]:
    """Before the first visitor: one picture computed, and what stays for good out of the collector's way.

    Nothing of the server asks the Hub unless the operator lets people download; what a killed server left is deleted.

    After the last one: what people handed in is deleted.
    """
    stay_offline()
    share_secret()
    clear_left_over()
    import_module("attnviz.huggingface")  # it takes seconds, in which nobody would be answered later
    warm_up()
    gc.collect()
    gc.freeze()
    tidying = asyncio.create_task(tidy())
    yield {}
    tidying.cancel()
    UPLOADS.close()


def warm_up() -> None:
    """Start a worker, open the first model and run its first example, so that the first visitor does not wait."""
    workers.queue()
    first = next(iter(installed().values()), None)
    if first is None or not first.examples:
        return
    try:
        run(TraceKey(first.name, *first.examples[0]))
    except AttnvizError as error:  # the page says the same to whoever opens this model; the others work
        logger.warning("%s", error)
