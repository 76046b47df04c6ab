"""The script by which Streamlit mounts a view."""

from __future__ import annotations

from pathlib import Path

from attnviz.view.modules import LATER, MODULES_PATH, address, later_address

__all__ = ["loader"]


def loader(name: str) -> str:
    """Return the script for a view of that name in `attnviz.view.modules`."""
    script = Path(__file__).with_suffix(".js").read_text("utf-8")
    found = later_address(name) if name in LATER else address()
    return script.replace(f'"{MODULES_PATH}"', f'"{found}"').replace('"explorer"', f'"{name}"')
