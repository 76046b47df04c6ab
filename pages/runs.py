"""Runs: what was trained here; compare, go back in time, take away."""

from attnviz.ui import runs

runs.ADDRESS.arrive()
runs.page()
