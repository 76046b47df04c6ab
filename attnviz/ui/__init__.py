"""The Streamlit side. Only this package, the pages and app.py import streamlit."""

from pathlib import Path

__all__ = ["ENTRANCE"]

_PACKAGE = Path(__file__).resolve().parent.parent
_INSTALLED = _PACKAGE / "entrance"

ENTRANCE = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
"""The folder of app.py, pages/ and .streamlit/: inside an installed package, beside it in a copy of the repository."""
