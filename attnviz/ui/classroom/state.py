"""The fields of the teacher's page: what students may do, see `attnviz.server.people.classes.Rules`."""

from __future__ import annotations

from attnviz.ui.frame.widgets import Widget

__all__ = ["ClassroomState"]


class ClassroomState:
    """A number of 0 stands for no limit."""

    look = Widget("class-look", True)
    pages = Widget[list[str]]("class-pages", [])
    controls = Widget[list[str]]("class-controls", [])
    runs = Widget("class-runs", 0)
    steps = Widget("class-steps", 0)
    megabytes = Widget("class-megabytes", 0)
