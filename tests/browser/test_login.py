"""A login with a provider of OpenID Connect on this machine: pages stand behind it, and open after it."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from attnviz import locale
from tests.browser.conftest import PATIENCE, ROOT, addresses, tabs, wait_for


def provider(address: str) -> Starlette:
    """A provider who lets everybody in, as Ann, and answers each code once."""
    key = RSAKey.generate_key(2048, {"kid": "1"})
    nonces: dict[str, str] = {}

    def configuration(request: Request) -> JSONResponse:
        ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        told = {name: f"{address}/{path}" for name, path in ends.items()}
        algorithms = {"id_token_signing_alg_values_supported": ["RS256"], "response_types_supported": ["code"]}
        return JSONResponse({"issuer": address, "subject_types_supported": ["public"], **told, **algorithms})

    def authorize(request: Request) -> RedirectResponse:
        asked = request.query_params
        code = secrets.token_hex(8)
        nonces[code] = asked.get("nonce", "")
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    async def token(request: Request) -> JSONResponse:
        async with request.form() as form:
            nonce = nonces.pop(str(form["code"]))
        now = int(time.time())
        claims = {"iss": address, "aud": "attnviz", "sub": "ann", "name": "Ann", "iat": now, "exp": now + 600}
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, {**claims, "nonce": nonce}, key)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "expires_in": 600, "id_token": signed})

    def keys(request: Request) -> JSONResponse:
        return JSONResponse({"keys": [key.as_dict(private=False)]})

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", configuration),
            Route("/authorize", authorize),
            Route("/token", token, methods=["POST"]),
            Route("/keys", keys),
        ]
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The app with a login, and its provider."""
    port, issuer = free_port(), f"http://127.0.0.1:{(their := free_port())}"
    running = uvicorn.Server(uvicorn.Config(provider(issuer), port=their, log_level="warning"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    (tmp_path / "secrets.toml").write_text(
        f"""[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "{secrets.token_hex(16)}"
client_id = "attnviz"
client_secret = "secret"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
"""
    )
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.headless", "true", "--secrets.files", str(tmp_path / "secrets.toml")]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_for(f"http://localhost:{port}", process, log)
            yield f"http://localhost:{port}", issuer
        finally:
            process.terminate()
            process.wait(PATIENCE / 1000)
            running.should_exit = True
            thread.join()
    assert "Traceback" not in log.read_text("utf-8"), log.read_text("utf-8")


def test_who_logs_in_sees_the_pages(browser: Browser, servers: tuple[str, str]) -> None:
    server, issuer = servers
    window = browser.new_context(locale="en-US")
    with tabs(window, (*addresses(server), issuer)) as new_tab:
        page = new_tab()
        page.goto(f"{server}/cost")
        button = page.get_by_role("button", name=locale.t("en", "login.button"))
        expect(button).to_be_visible()
        expect(page.get_by_role("link", name=locale.t("en", "page.place.explorer"))).to_have_count(0)
        button.click()
        expect(page.get_by_role("link", name=locale.t("en", "page.place.explorer"))).to_be_visible()
        page.goto(f"{server}/cost")
        expect(page.get_by_role("heading", name=locale.t("en", "page.cost"))).to_be_attached()
    window.close()
