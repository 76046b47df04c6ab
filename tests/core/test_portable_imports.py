"""Everything can be imported, and the command line works, where an operating system lacks what only Unix has.

On the way: who asks for a list waits for no other library, and the pages wait for no transformers. One process shows
all of it, for a new one takes seconds to import torch.
"""

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

def import_all(package):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith(("__main__", ".entry")):  # these start something
            importlib.import_module(module.name)

from attnviz.cli import main
assert main(["models"]) == 0
loaded = {"streamlit", "transformers", "pandas", "plotly"} & set(sys.modules)
assert not loaded, f"a list needs no {loaded}"

import attnviz.ui
import_all(attnviz.ui)
assert "transformers" not in sys.modules, "the pages do not wait for it"

import_all(attnviz)
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
