"""Positional encodings: what each kind looks like, and what is lost without any."""

from attnviz.ui import positions

positions.show()
