"""The browser view: plain ES modules in the rooms of `static/`, and the binary payloads they read."""

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"

PANELS: tuple[str, ...] = tuple(
    name
    for path in sorted(STATIC.glob("panels/*.js"))
    for name in re.findall(r'static id = "(.+)"', path.read_text("utf-8"))
)
"""The names of the tab panels; each says its own."""
