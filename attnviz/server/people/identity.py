"""The identity of a browser: a random token in a cookie. No name is asked and nothing about its owner is known.

Everywhere else it is a hash, from which nobody gets the token back: in the folder of a run and in the database.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["COOKIE", "hashed", "identity", "keep_identity"]

COOKIE = "attnviz_browser"
LASTS = 400 * 24 * 3600  # seconds from the last visit: the most that browsers keep a cookie for
TOKEN = re.compile(r"[\w-]{43}", re.ASCII)  # 32 random bytes in base 64


def hashed(secret: str) -> str:
    """Return the hash under which a secret of 32 random bytes is kept."""
    return sha256(secret.encode()).hexdigest()


def identity(cookies: Mapping[str, str]) -> str:
    """Return the hash of the token among a request's cookies; "" for a browser that has none, or one not of ours."""
    token = str(cookies.get(COOKIE, ""))
    return hashed(token) if TOKEN.fullmatch(token) else ""


def keep_identity(request: Request, answer: Response, path: str) -> None:
    """Give a browser its identity with a page's document, or have it keep the one it has for longer.

    Scripts of the page cannot read it, and requests that other sites cause do not carry it.

    Args:
        path: path of the app, "/" or the server's base path.
    """
    token = request.cookies.get(COOKIE, "")
    if not TOKEN.fullmatch(token):
        token = secrets.token_urlsafe(32)
    is_secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, max_age=LASTS, path=path, secure=is_secure, httponly=True, samesite="lax")
    answer.headers["Cache-Control"] = "private, no-cache"
