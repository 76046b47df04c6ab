"""Starts the app: `streamlit run app.py`. The pages are declared in attnviz/ui/entry.py."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

import attnviz.ui
from attnviz.ui.routes import routes
from attnviz.ui.shared import UPLOADS, warm_up


@asynccontextmanager
async def warm(app: st.App) -> AsyncIterator[dict[str, object]]:
    """Before the first visitor: one picture computed, and what stays for good out of the collector's way.

    After the last one: what people handed in is deleted.
    """
    warm_up()
    gc.collect()
    gc.freeze()
    yield {}
    UPLOADS.close()


app = st.App(
    Path(attnviz.ui.__file__).parent / "entry.py",
    lifespan=warm,
    routes=routes(str(st.get_option("server.baseUrlPath") or "")),
)
