"""The address of a trace: whoever is asked for one that it does not hold makes it again from its key.

    <id>.<signature and key, packed>

A server finds the trace by its id. Another one, behind the same name, or the same one after it dropped the trace or was
started again, reads the key. The signature says that a server has made this trace before: a stranger cannot have other
texts computed, nor name what somebody else has handed in.
"""

from __future__ import annotations

import binascii
import hmac
import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

from attnviz.errors import AttnvizError
from attnviz.server.forward import run
from attnviz.server.listing import find
from attnviz.server.secret import SIGNATURE, signature
from attnviz.server.stores import TRACES
from attnviz.server.traces import NUMBERS, Held, TraceKey
from attnviz.trace import Trace

__all__ = ["find_trace", "trace_address"]

PURPOSE = "trace"
LONGEST = 12_000
"""Letters of a packed key; of a longer one the id alone is told, for servers and proxies refuse long addresses."""


def trace_address(key: TraceKey, held: Held) -> str:
    """Return the last part of a trace's address."""
    packed = zlib.compress(json.dumps(key, ensure_ascii=False).encode(), 9)
    told = urlsafe_b64encode(signature(PURPOSE, packed) + packed).decode().rstrip("=")
    return f"{held.id}.{told}" if len(told) <= LONGEST else held.id


def find_trace(address: str) -> Trace | None:
    """Return the trace of an address, made again where this server does not hold it; None where that cannot be."""
    trace_id, _, told = address.partition(".")
    trace = TRACES.get(trace_id)
    if trace is not None or not told:
        return trace
    key = _read(told)
    if key is None or not _is_there(key):
        return None
    try:
        return run(key).trace
    except AttnvizError:  # the page that asks will say why
        return None


def _read(told: str) -> TraceKey | None:
    """Return the key in an address, if a server has signed it."""
    if len(told) > LONGEST or not told.isascii():
        return None
    try:
        content = urlsafe_b64decode(told + "=" * (-len(told) % 4))
    except binascii.Error:
        return None
    signed, packed = content[:SIGNATURE], content[SIGNATURE:]
    if not hmac.compare_digest(signed, signature(PURPOSE, packed)):
        return None
    return TraceKey(*json.loads(zlib.decompress(packed)))


def _is_there(key: TraceKey) -> bool:
    """Whether the model has the weights that it had."""
    if key.model == NUMBERS:
        return True
    listed = find(key.model)
    return listed is not None and listed.version == key.version
