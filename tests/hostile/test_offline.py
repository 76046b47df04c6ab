"""Without the operator's word nothing in the server's process asks the Hub."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
import os, sys
import huggingface_hub
from attnviz.downloads import DOWNLOADS, stay_offline
CALLS = ("socket.connect", "socket.getaddrinfo")

def said(word):
    os.environ[DOWNLOADS] = word
    if not word:
        del os.environ[DOWNLOADS]
    called = []
    sys.addaudithook(lambda event, arguments: called.append(event) if event in CALLS else None)
    stay_offline()
    for ask in (
        lambda: huggingface_hub.snapshot_download("org/none"),
        lambda: huggingface_hub.HfApi().model_info("org/none"),
    ):
        try:
            ask()
        except Exception as error:
            print(type(error).__name__, end=" ")
    return "called" if called else "nobody"

for word in ("", "0", "1"):  # each in a process of its own, which need not import all that again
    if os.fork() == 0:
        print(f"{word}:{said(word)}", flush=True)
        os._exit(0)
    os.wait()
"""


def test_the_hub_is_asked_only_with_the_operators_word() -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "TRANSFORMERS_"))}
    environment["HF_ENDPOINT"] = "http://127.0.0.1:9"
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.split()[-1] for line in done.stdout.splitlines()] == [":nobody", "0:nobody", "1:called"], done.stdout
