"""One door to several servers of this machine: nginx, with the configuration of deploy/."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.server import ROOT

__all__ = ["free_ports", "nginx"]

SERVER = re.compile(r"(?m)^ *server 127\.0\.0\.1:\d+ (.*)\n")


def free_ports(number: int) -> list[int]:
    """Return ports of 127.0.0.1 that nobody listens on."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@contextmanager
def nginx(folder: Path, port: int, servers: Sequence[int], sticky: bool = True) -> Iterator[None]:
    """Start nginx on a port, in front of servers on others.

    Args:
        folder: where it writes.
        sticky: a cookie keeps each browser at one server.
    """
    (folder / "nginx.conf").write_text(_configuration(folder, port, servers, sticky), "utf-8")
    process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(folder / "nginx.conf")])
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def _configuration(folder: Path, port: int, servers: Sequence[int], sticky: bool) -> str:
    site = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    site = site.replace("listen 80;", f"listen 127.0.0.1:{port};")
    found = SERVER.search(site)
    assert found is not None  # the file names two
    lines = "".join(f"    server 127.0.0.1:{each} {found[1]}\n" for each in servers)
    site = site[: found.start()] + lines + SERVER.sub("", site[found.start() :])
    if not sticky:
        site = re.sub(r"(?m)^ *hash .*$", "", site)
    temporary = "".join(
        f"{each}_temp_path {folder}/{each};\n" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx.log;\nevents {{}}\n"
    return f"{main}http {{\naccess_log off;\n{temporary}{site}}}\n"
