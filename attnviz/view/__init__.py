"""The browser view: plain ES modules in `static/`, and the binary payloads they read."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
