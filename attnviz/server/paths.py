"""Addresses that mean a page and are not its own: "/explorer" for the first page, "/Training", "/runs/", older ones."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import URL
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["PagePaths", "page_path", "whole"]

PARTS = {"mistakes": "card", "positions": "pe", "cost": "cost_"}
"""Pages that were parts of the calculator, "/calculator?section=cost", and how their parameters begin."""

OF_ALL = ("lang", "embed", "embed_options", "theme")


def page_path(path: str, pages: Sequence[str]) -> str | None:
    """Return the path of the page that a path means, the first page's is "/"; None: it means none.

    Example:
        >>> [page_path(path, ["explorer", "runs"]) for path in ("/explorer", "/Runs", "/runs/", "/attnviz/view")]
        ['/', '/runs', '/runs', None]
    """
    name = path.strip("/").lower()
    if name not in pages:
        return None
    return "/" if name == pages[0] else f"/{name}"


def whole(text: str, low: int, high: int) -> int | None:
    """Return the whole number in a parameter; None where it is none, or outside of the limits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high else None


def _moved(path: str, query: str) -> tuple[str, str]:
    """Return path and query of a part of the calculator as a page; others as they are.

    Example:
        >>> _moved("/calculator", "section=cost&cost_d=32&X=1_2&lang=zh")
        ('/cost', 'cost_d=32&lang=zh')
    """
    link = parse_qsl(query, keep_blank_values=True)
    part = dict(link).get("section", "")
    if path != "/calculator" or part not in PARTS:
        return path, query
    own = [(name, value) for name, value in link if name.startswith(PARTS[part]) or name in OF_ALL]
    return f"/{part}", urlencode(own)


class PagePaths:
    """Middleware that leads to a page's own path and keeps what the link says.

    Args:
        app: what answers everything else.
        pages: names of all pages.
        root: path below which the pages are, without a slash at its end.
    """

    def __init__(self, app: ASGIApp, pages: Sequence[str], root: str = "") -> None:
        self.app, self.pages, self.root = app, pages, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope.get("path", "")
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and path.startswith(f"{self.root}/"):
            page = page_path(path.removeprefix(self.root), self.pages)
            if page is not None:
                own, query = _moved(page, URL(scope=scope).query)
                if path != self.root + own:
                    await RedirectResponse(self.root + own + (f"?{query}" if query else ""))(scope, receive, send)
                    return
        await self.app(scope, receive, send)
