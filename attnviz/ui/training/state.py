"""State of the Training page in a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from attnviz.tasks.base import Split
from attnviz.ui.frame.widgets import Widget
from attnviz.ui.training.draft import File, Value
from attnviz.ui.training.tuning import Tuning

__all__ = ["TASK", "Source", "TrainingState", "TuningState"]

TASK = "task"


@dataclass
class Source:
    """Where the data in a field came from.

    Attributes:
        first_line: while it is the same, what was said of how a table is read holds.
        content: bytes of the file, where its encoding is not certain.
        sheets: of a workbook with several, their names; see `attnviz.tasks.own.readers.decoding.Decoded`.
    """

    first_line: str = ""
    content: bytes | None = None
    sheets: tuple[str, ...] = ()


@dataclass
class TrainingState:
    """State of the Training page.

    Attributes:
        watched: name of the run on the page; "" without one.
        joined: name of the run that Play showed, as it computes the same, in place of a new one; "" for none.
        joins: how often that was.
        sweep: name of the sweep that was begun last; "" for none.
        sources: of the data of each recipe that takes some.
        files: of the data of each recipe, those for validation and test that have their own.
    """

    what = Widget("what", TASK)
    """TASK, or `attnviz.ui.training.tuning.FINE_TUNE`."""

    recipe = Widget("recipe", "")

    watched: str = ""
    joined: str = ""
    joins: int = 0
    sweep: str = ""
    sources: dict[str, Source] = field(default_factory=dict)
    files: dict[str, dict[Split, File]] = field(default_factory=dict)

    @staticmethod
    def data(recipe: str) -> Widget[str]:
        """Return the field for the data of a recipe."""
        return Widget(f"data-{recipe}", "")

    @staticmethod
    def encoding(recipe: str) -> Widget[str]:
        """Return the choice of an encoding for the file that the data came from."""
        return Widget(f"data-{recipe}-encoding", "")

    @staticmethod
    def choice(recipe: str, name: str) -> Widget[Any]:
        """Return the control of a parameter of a recipe's task, or of how its data are read."""
        return Widget(f"task-{recipe}-{name}", None)

    @staticmethod
    def setting(name: str) -> Widget[Value]:
        """Return the control of a setting of the model or of its training."""
        return Widget(f"set-{name}", None)


@dataclass
class TuningState:
    """State of the form for fine-tuning.

    Attributes:
        files: data of each split that has its own.
        is_filled: whether the controls have values.
    """

    base = Widget("tune-base", "")
    hub = Widget("tune-hub", "")

    files: dict[Split, File] = field(default_factory=dict)
    is_filled: bool = False

    @staticmethod
    def setting(name: str) -> Widget[Any]:
        """Return the control of a field of `Tuning`."""
        return Widget(f"tune-{name}", getattr(Tuning(), name))

    @staticmethod
    def encoding(split: str) -> Widget[str]:
        """Return the choice of an encoding for a file."""
        return Widget(f"tune-{split}-encoding", "")
