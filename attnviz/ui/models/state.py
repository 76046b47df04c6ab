"""State of the Models page in a session."""

from __future__ import annotations

from dataclasses import dataclass

from attnviz.ui.frame.widgets import Widget

__all__ = ["ModelsState"]


@dataclass
class ModelsState:
    """State of the Models page.

    Attributes:
        chosen: name of the model whose row is chosen; "" for none.
        asked: what the next run of the page does, "open", "run" or "check", and the name of the model.
    """

    search = Widget("search-models", "")
    hub = Widget("hub_id", "")

    chosen: str = ""
    asked: tuple[str, str] = ("", "")
