"""The Streamlit side. Only this package, the pages and app.py import streamlit."""

from pathlib import Path

__all__ = ["ENTRANCE", "PAGES"]

_PACKAGE = Path(__file__).resolve().parent.parent
_INSTALLED = _PACKAGE / "entrance"

ENTRANCE = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
"""The folder of app.py, pages/ and .streamlit/: inside an installed package, beside it in a copy of the repository."""

PAGES = {path.stem.partition("_")[2]: path for path in sorted((ENTRANCE / "pages").glob("[0-9]*_*.py"))}
"""All pages by name, in the order of the navigation: the numbered files of pages/. The first one is at the root."""
