"""What tests of the command line share."""

from __future__ import annotations

import pytest

from attnviz.cli import main


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str], code: int = 2) -> str:
    """The one line on standard error; nothing was written, not even a run."""
    assert main(arguments) == code
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("attnviz: ")
    assert streams.err.count("\n") == 1
    return streams.err.removeprefix("attnviz: ").strip()
