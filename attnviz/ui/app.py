"""Tell Streamlit what to serve: the entry script of all pages, HTTP routes, and a warm-up before the first visitor."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from attnviz.downloads import stay_offline
from attnviz.ui.doors import Doors
from attnviz.ui.paths import PagePaths
from attnviz.ui.routes import routes
from attnviz.ui.shared import UPLOADS, warm_up
from attnviz.ui.uploads import clear_left_over

__all__ = ["options"]


def options() -> dict[str, Any]:
    """Keyword arguments for `streamlit.App`, which must be called by the script that Streamlit is given."""
    base, address = (str(st.get_option(f"server.{name}") or "") for name in ("baseUrlPath", "address"))
    root = f"/{base.strip('/')}" if base.strip("/") else ""
    return {
        "script_path": Path(__file__).parent / "entry.py",
        "lifespan": _warm,
        "routes": routes(base),
        "middleware": [Middleware(Doors, address=address), Middleware(PagePaths, root=root)],
    }


@asynccontextmanager
async def _warm(app: st.App) -> AsyncIterator[dict[str, object]]:
    """Before the first visitor: one picture computed, and what stays for good out of the collector's way.

    Nothing of the server asks the Hub unless the operator lets people download; what a killed server left is deleted.

    After the last one: what people handed in is deleted.
    """
    stay_offline()
    clear_left_over()
    import_module("attnviz.huggingface")  # it takes seconds, in which nobody would be answered later
    warm_up()
    gc.collect()
    gc.freeze()
    yield {}
    UPLOADS.close()
