"""The process that others are forked from: `python -m attnviz.sandbox.template FD`, on Linux.

It imports what they need once, never opens anything itself, and ends when the server does.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

__all__ = ["main"]


def main() -> int:
    """Fork a child for every three pipes that arrive: its input, its answers, its standard error."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    from attnviz.sandbox import trial  # noqa: F401  # imported once, for all of them
    from attnviz.sandbox.child import main as child

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets them when they end
    while True:
        message, pipes, _, _ = socket.recv_fds(connection, 1, 3)
        if not message:
            return 0
        number = os.fork()
        if number == 0:
            connection.close()
            for place, pipe in enumerate(pipes):
                os.dup2(pipe, place)
                os.close(pipe)
            os._exit(child())
        for pipe in pipes:
            os.close(pipe)
        connection.sendall(b"%-16d" % number)


if __name__ == "__main__":
    sys.exit(main())
