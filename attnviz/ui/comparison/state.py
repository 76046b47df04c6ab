"""State of the Compare page in a session: the values of its widgets."""

from __future__ import annotations

from attnviz.ui.frame.widgets import Widget

__all__ = ["FIRST", "ComparisonState"]

FIRST = "first-symbol"
"""Name of the recipe whose distance can be changed."""


class ComparisonState:
    """Widgets of the Compare page."""

    recipe = Widget("cmp-recipe", FIRST)
    distance = Widget("cmp-distance", 50)
    steps = Widget("cmp-steps", 1)
    seed = Widget("cmp-seed", 0)
    group = Widget("cmp-group", "")
