"""Tell Streamlit what to serve: the entry script of all pages, HTTP routes, and a warm-up before the first visitor."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from attnviz.server.doors import Doors
from attnviz.server.lifespan import lifespan
from attnviz.server.paths import PagePaths
from attnviz.server.people.classes import CLASS
from attnviz.server.routes import routes
from attnviz.server.shell import shell
from attnviz.ui import PAGES

__all__ = ["options"]


def options() -> dict[str, Any]:
    """Return the keyword arguments for `streamlit.App`, which must be called by the script that Streamlit is given."""
    base, address = (str(st.get_option(f"server.{name}") or "") for name in ("baseUrlPath", "address"))
    root = f"/{base.strip('/')}" if base.strip("/") else ""
    paths = {name: f"{root}/{name if index else ''}" for index, name in enumerate(PAGES)}
    if os.environ.get(CLASS):
        paths["class"] = f"{root}/class"
    documents = shell(Path(st.__file__).parent / "static", paths, root)
    return {
        "script_path": Path(__file__).parent / "frame" / "entry.py",
        "lifespan": lifespan,
        "routes": [*routes(base), *documents],
        "middleware": [Middleware(Doors, address=address), Middleware(PagePaths, pages=list(paths), root=root)],
    }
