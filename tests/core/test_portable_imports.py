"""Everything can be imported, and the command line works, where an operating system lacks what only Unix has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ONLY_ON_UNIX = ("fcntl", "grp", "pwd", "resource", "termios", "tty", "pty", "syslog")

# Hidden from our code alone: Python and the libraries have ways of their own for each system.
EVERYTHING = """
import builtins, importlib, os, pkgutil, signal, sys, types

MISSING = set(sys.argv[1].split(","))
HIDDEN = {
    "os": ("fork", "killpg", "setsid", "getpgid", "getuid", "sched_getaffinity", "getloadavg", "nice", "uname"),
    "signal": ("SIGHUP", "SIGKILL", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2", "alarm", "setitimer"),
}
plain_import = builtins.__import__

def without(name):
    module = types.ModuleType(name)
    vars(module).update((key, value) for key, value in vars(sys.modules[name]).items() if key not in HIDDEN[name])
    return module

stripped = {name: without(name) for name in HIDDEN}

def import_as_elsewhere(name, globals=None, locals=None, fromlist=(), level=0):
    if level == 0 and (globals or {}).get("__name__", "").partition(".")[0] == "attnviz":
        if name in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if name in stripped:
            return stripped[name]
    return plain_import(name, globals, locals, fromlist, level)

builtins.__import__ = import_as_elsewhere

import attnviz
for module in pkgutil.walk_packages(attnviz.__path__, "attnviz."):
    if not module.name.endswith(("__main__", ".entry")):  # these start something
        importlib.import_module(module.name)

from attnviz.cli import main
assert main(["zoo"]) == 0
assert main(["trace", "zoo/reverse", "g f e d c"]) == 0
assert main(["train", "reverse", "--steps", "2", "--set", "validation_size=8"]) == 0
"""


def test_every_module_is_imported_without_what_only_unix_has(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", EVERYTHING, ",".join(ONLY_ON_UNIX)]
    environment = {**os.environ, "ATTNVIZ_RUNS": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "reverse" in done.stdout
