"""The browser view: plain ES modules in the rooms of `static/`, and the binary payloads they read."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
