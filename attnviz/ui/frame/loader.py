"""The script by which Streamlit mounts a view."""

from __future__ import annotations

from pathlib import Path

from attnviz.view.modules import MODULES_PATH, address

__all__ = ["loader"]


def loader(name: str) -> str:
    """Return the script for a view of that name in `attnviz.view.modules`."""
    script = Path(__file__).with_suffix(".js").read_text("utf-8")
    return script.replace(f'"{MODULES_PATH}"', f'"{address()}"').replace('"explorer"', f'"{name}"')
