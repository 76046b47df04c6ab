"""State of the Explorer in a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from attnviz.server.traces import TraceKey
from attnviz.ui.frame.widgets import Widget

__all__ = ["LOOK", "Chip", "Chips", "ExplorerState"]

LOOK = "look"
"""The mode that shows a model on one text."""


class Chip(NamedTuple):
    """An edit of the forward pass, or the same one of several layers, and whether it is in force.

    Attributes:
        edit: as `attnviz.edits.text` writes it.
    """

    edit: str
    on: bool = True


Chips = tuple[Chip, ...]


@dataclass
class ExplorerState:
    """State of the Explorer.

    Attributes:
        is_new_model: the model was just chosen, and begins with its first example.
        frozen: the page is a link that was handed out: model and text cannot be changed.
        head: what the head of the page showed when it was made, see `page`.
        own_image: name of the image that was uploaded last.
        shown: the last good picture, without edits.
        chips: edits of the forward pass.
        undone: what they were before each change.
    """

    mode = Widget("mode", LOOK)
    model = Widget("model", "")
    text = Widget("text", "")
    target = Widget("target", "")
    image = Widget("image", "")
    layer = Widget("states-layer", "")
    part = Widget("states-part", "")

    is_new_model: bool = False
    frozen: bool = False
    head: tuple[object, ...] = ()
    own_image: str = ""
    shown: TraceKey | None = None
    chips: Chips = ()
    undone: list[Chips] = field(default_factory=list)
