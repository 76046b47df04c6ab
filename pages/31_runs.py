"""Runs: what was trained here; compare, go back in time, take away."""

from attnviz.ui.runs import page

page.show()
