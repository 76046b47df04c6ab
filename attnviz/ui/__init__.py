"""The Streamlit side. Only this package, the pages and app.py import streamlit."""

from itertools import groupby
from pathlib import Path

__all__ = ["CLASSROOM", "ENTRANCE", "PAGES", "PLACES"]

_PACKAGE = Path(__file__).resolve().parent.parent
_INSTALLED = _PACKAGE / "entrance"

ENTRANCE = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
"""The folder of app.py, pages/ and .streamlit/: inside an installed package, beside it in a copy of the repository."""

_FILES = sorted((ENTRANCE / "pages").glob("[0-9]*_*.py"))

PAGES = {path.stem.partition("_")[2]: path for path in _FILES}
"""All pages by name, in the order of the navigation: the numbered files of pages/. The first one is at the root."""

CLASSROOM = ENTRANCE / "pages" / "class.py"
"""The teacher's page, which is at no place of the navigation: only a server that holds a class has it."""

PLACES = [
    [path.stem.partition("_")[2] for path in files] for _, files in groupby(_FILES, key=lambda path: path.name[0])
]
"""Names of the pages at each place of the navigation: those whose numbers have the same tens."""
