"""State of the Applications page in a session."""

from __future__ import annotations

from dataclasses import dataclass

from attnviz.ui.frame.widgets import Widget

__all__ = ["NOT_CHOSEN", "ApplicationsState"]

NOT_CHOSEN = -1


@dataclass
class ApplicationsState:
    """State of the Applications page.

    Attributes:
        is_new_input: another example was chosen, and its text is not in the field yet.
        sound: the sound that was recorded or uploaded last: the text that became of it, and the file.
        drawing: the text that became of what was drawn last.
    """

    application = Widget("app", "")
    model = Widget("app-model", "")
    example = Widget("app-n", NOT_CHOSEN)
    text = Widget("app-text", "")
    target = Widget("app-target", "")
    head = Widget("app-head", "")
    query = Widget("app-query", NOT_CHOSEN)
    sentence = Widget("app-sentence", NOT_CHOSEN)
    begin = Widget("app-begin", NOT_CHOSEN)
    steps = Widget("app-steps", 24)
    wanted = Widget("app-wanted", "")
    sign = Widget("app-sign", "")
    start = Widget("app-start", "")
    drawn = Widget[dict[str, object]]("app-drawn", {})

    is_new_input: bool = True
    sound: tuple[str, bytes] = ("", b"")
    drawing: str = ""

    @staticmethod
    def value(phase: int) -> Widget[float]:
        """Return the slider of one point of a period."""
        return Widget(f"app-value-{phase}", 0.0)

    def leave_input(self) -> None:
        """Forget what was chosen in an input: it means nothing in another one."""
        self.query.value = self.sentence.value = NOT_CHOSEN
