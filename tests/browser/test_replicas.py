"""Two servers answer for one name, and nothing keeps a browser at one of them: any gives the answer."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import addresses, serving, tabs, until, view, wait_for
from tests.browser.test_explorer import wait_for_address, write

DATA = "/attnviz/trace/"
STREAM = "/_stcore/stream"


class RoundRobin(ThreadingTCPServer):
    """Passes each request on to the next server that lives; notes which one answered what."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, ports: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.ports = ports
        self.asked: list[tuple[int, str]] = []
        self._turn = count()
        self.url = f"http://localhost:{self.server_address[1]}"

    def connect(self, path: str) -> socket.socket:
        first = next(self._turn) % len(self.ports)  # by its turn, and then whoever comes after: others take turns too
        for port in (*self.ports[first:], *self.ports[:first]):
            with suppress(ConnectionError):
                upstream = socket.create_connection(("127.0.0.1", port))
                self.asked.append((port, path))
                return upstream
        raise ConnectionError("no server lives")

    def those_asked(self, path: str) -> list[int]:
        return [port for port, asked in self.asked if asked.startswith(path)]


class Passing(StreamRequestHandler):
    """One request, or one web socket."""

    server: RoundRobin

    def handle(self) -> None:
        head = b"".join(iter(self.rfile.readline, b"\r\n"))
        if not head:
            return
        is_socket = b"upgrade: websocket" in head.lower()
        if not is_socket:
            head = re.sub(rb"(?im)^connection:.*$", b"Connection: close\r", head)  # the next request comes by its own
        for _ in self.server.ports:
            if self._pass_on(head, is_socket) or is_socket:
                break  # else the server died before it said a word: the next one is asked
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)  # the other direction ends as well

    def _pass_on(self, head: bytes, is_socket: bool) -> bool:
        """Pass a request on, and what is answered back; False where nothing is."""
        said = False
        with self.server.connect(head.split()[1].decode()) as upstream, suppress(OSError):
            upstream.sendall(head + b"\r\n")
            if is_socket:
                threading.Thread(target=self._up, args=(upstream,), daemon=True).start()
            while data := upstream.recv(2**16):
                said = True
                self.wfile.write(data)
        return said

    def _up(self, upstream: socket.socket) -> None:
        with suppress(OSError, ValueError):  # the other direction has ended
            while data := self.rfile.read1(2**16):  # type: ignore[attr-defined]
                upstream.sendall(data)


@pytest.fixture
def replicas(models_folder: Path, tmp_path: Path) -> Iterator[tuple[RoundRobin, dict[int, int]]]:
    """A proxy, and the processes of two servers by their ports."""
    shared = {"ATTNVIZ_RUNS": tmp_path / "runs", "ATTNVIZ_UPLOADS": tmp_path / "uploads"}
    with ExitStack() as stack:
        logs = [tmp_path / "first", tmp_path / "second"]
        started = [stack.enter_context(serving(log, ATTNVIZ_MODELS=models_folder, **shared)) for log in logs]
        for (port, process), log in zip(started, logs, strict=True):
            wait_for(f"http://localhost:{port}", process, log)
        proxy = stack.enter_context(RoundRobin([port for port, _ in started]))
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        stack.callback(proxy.shutdown)
        yield proxy, {port: process.pid for port, process in started}
        assert all("Traceback" not in log.read_text("utf-8") for log in logs)


def traces(proxy: RoundRobin) -> set[str]:
    """The ids of all traces that numbers were asked of: each server gives its own."""
    return {path.removeprefix(DATA).partition(".")[0] for _, path in proxy.asked if path.startswith(DATA)}


def test_any_server_answers_and_one_may_die(
    replicas: tuple[RoundRobin, dict[int, int]], window: BrowserContext
) -> None:
    """Every request for data is answered, which `tabs` sees to; a page whose server is killed goes on at the other."""
    proxy, processes = replicas
    with tabs(window, addresses(proxy.url), forgiven="WebSocket onclose") as new_tab:
        page = new_tab(1440, 900, "light")
        for n, text in enumerate(("a b c", "b c a", "c a b", "c b a"), 1):
            page.goto(f"{proxy.url}/?model=tiny-encoder&text={text.replace(' ', '+')}")
            view(page)
            until(page, lambda least=2 * n: len(proxy.those_asked(DATA)) >= least, "no numbers were asked for")
        assert set(proxy.those_asked(DATA)) == set(processes), "both servers were asked"

        here, before = proxy.those_asked(STREAM)[-1], traces(proxy)
        os.kill(processes[here], signal.SIGKILL)
        until(page, lambda: proxy.those_asked(STREAM)[-1] != here, "the page found no other server")
        until(page, lambda: traces(proxy) > before, "the other server made no picture")
        write(page, "a c b")
        wait_for_address(page, text="a c b")
        page.reload()
        view(page)
        assert page.evaluate("new URLSearchParams(location.search).get('text')") == "a c b"
