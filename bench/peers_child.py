"""One process of bench.peers: measures some variants apart from the others and prints what it found as JSON.

A peer that replaces parts of torch when it is imported, as nnsight does, cannot touch what others are measured by; and
the memory of a variant is that of a process which has run nothing else.

    seconds LENGTH ROUNDS NAME...   CPU seconds of each variant, round by round, taking turns
    bytes NAME LENGTH...            what a call takes at its height, and what its result holds
    html LENGTH FOLDER WHICH        sizes of a picture of all heads, of "ours" or of "BertViz" too
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from bench.server import ROOT

QUIET = {"PYTHONWARNINGS": "ignore", "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1"}
# Memory of more than this many bytes goes back to the system when it is freed: the process's size is what it holds.
PRECISE = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


class ChildFailed(Exception):
    """A process ended with an error; the last line of what it said."""


def ask(*arguments: object, **environment: str) -> Any:
    """Start such a process and return what it found.

    Raises:
        ChildFailed: it did not get there.
    """
    command = [sys.executable, "-m", "bench.peers_child", *map(str, arguments)]
    variables = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", **QUIET, **environment}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise ChildFailed((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return json.loads(done.stdout.splitlines()[-1])  # what a peer prints comes before


def seconds(length: int, rounds: int, names: list[str]) -> dict[str, list[float]]:
    """CPU seconds of each variant, round by round."""
    from bench.common import alternate, keep_freed_memory
    from bench.peers_models import VARIANTS, token_ids

    keep_freed_memory()
    ids = token_ids(length)
    calls = {name: partial(VARIANTS[name](), ids) for name in names}
    return alternate(calls, rounds)


def held(name: str, lengths: list[int]) -> list[dict[str, int]]:
    """Bytes for each length: "peak", above what the process holds with the model in it, and "kept" with the result.

    What is kept is what the process shrinks by when the result goes. For a trace also what it says of itself
    ("counted"), and the size of its q, k and v.
    """
    from attnviz.trace import Trace
    from bench.peers_models import VARIANTS, token_ids

    call = VARIANTS[name]()
    call(token_ids(8))  # loads code, makes workspaces
    found = []
    for length in lengths:
        ids = token_ids(length)
        _give_back()
        Path("/proc/self/clear_refs").write_text("5")  # the peak is now
        before = _status("VmRSS")
        result = call(ids)
        peak = _status("VmHWM")
        entry = {"peak": peak - before}
        if isinstance(result, Trace):
            entry["counted"] = result.nbytes
            entry["qkv"] = sum(tensor.nbytes for site in result.sites for tensor in (site.q, site.k, site.v))
        _give_back()
        with_it = _status("VmRSS")
        del result
        _give_back()
        found.append({**entry, "kept": with_it - _status("VmRSS")})
    return found


def _give_back() -> None:
    gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


def _status(key: str) -> int:
    """Bytes, of a field of the kernel's account of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(key + ":"))


def answer(arguments: list[str]) -> Any:
    """Answer the request given on the command line.

    Raises:
        ValueError: it was asked for something else.
    """
    import torch

    torch.set_num_threads(1)
    match arguments:
        case ["seconds", length, rounds, *names]:
            return seconds(int(length), int(rounds), names)
        case ["bytes", name, *lengths]:
            return held(name, [int(length) for length in lengths])
        case ["html", length, folder, which]:
            from bench.peers_html import sizes

            return sizes(int(length), Path(folder), bertviz=which == "BertViz")
    raise ValueError(f"asked for {arguments}")


if __name__ == "__main__":
    print(json.dumps(answer(sys.argv[1:])))
