"""Without the operator's word nothing in the server's process asks the Hub."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from attnviz.downloads import DOWNLOADS

CODE = """
import sys
import huggingface_hub
from attnviz.downloads import stay_offline
called = []
CALLS = ("socket.connect", "socket.getaddrinfo")
sys.addaudithook(lambda event, arguments: called.append(event) if event in CALLS else None)
stay_offline()
for ask in (
    lambda: huggingface_hub.snapshot_download("org/none"),
    lambda: huggingface_hub.HfApi().model_info("org/none"),
):
    try:
        ask()
    except Exception as error:
        print(type(error).__name__)
print("called" if called else "nobody")
"""


@pytest.mark.parametrize(("word", "said"), [(None, "nobody"), ("0", "nobody"), ("1", "called")])
def test_the_hub_is_asked_only_with_the_operators_word(word: str | None, said: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "TRANSFORMERS_"))}
    environment |= {"HF_ENDPOINT": "http://127.0.0.1:9"} | ({} if word is None else {DOWNLOADS: word})
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == said, done.stdout
