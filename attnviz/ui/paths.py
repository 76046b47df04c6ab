"""Paths that mean a page and are not its own: "/explorer" for the first page, "/Training", "/runs/"."""

from __future__ import annotations

from starlette.datastructures import URL
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from attnviz.ui.address import PAGES

__all__ = ["PagePaths", "page_path"]


def page_path(path: str) -> str | None:
    """The path of the page that a path means; None: it means none.

    Example:
        >>> page_path("/explorer"), page_path("/Training"), page_path("/runs/"), page_path("/attnviz/view")
        ('/', '/training', '/runs', None)
    """
    name = path.strip("/").lower()
    if name not in PAGES:
        return None
    return "/" if name == PAGES[0] else f"/{name}"


class PagePaths:
    """Middleware that leads to a page's own path and keeps what the link says.

    Args:
        app: what answers everything else.
        root: path below which the pages are, without a slash at its end.
    """

    def __init__(self, app: ASGIApp, root: str = "") -> None:
        self.app, self.root = app, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope.get("path", "")
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and path.startswith(f"{self.root}/"):
            own = page_path(path.removeprefix(self.root))
            if own is not None and path != self.root + own:
                url = URL(scope=scope)
                target = self.root + own + (f"?{url.query}" if url.query else "")
                await RedirectResponse(target)(scope, receive, send)
                return
        await self.app(scope, receive, send)
