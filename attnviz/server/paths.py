"""Paths that mean a page and are not its own: "/explorer" for the first page, "/Training", "/runs/"."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import URL
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["PagePaths", "page_path"]


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
            own = page_path(path.removeprefix(self.root), self.pages)
            if own is not None and path != self.root + own:
                url = URL(scope=scope)
                target = self.root + own + (f"?{url.query}" if url.query else "")
                await RedirectResponse(target)(scope, receive, send)
                return
        await self.app(scope, receive, send)
