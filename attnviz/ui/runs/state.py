"""State of the Runs page in a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from attnviz.ui.frame.widgets import Widget

__all__ = ["Asked", "EvaluationState", "RunsState", "Uploaded"]


@dataclass
class RunsState:
    """State of the Runs page.

    Attributes:
        chosen: names of the runs that are shown.
    """

    sweep = Widget("runs-sweep", "")

    chosen: list[str] = field(default_factory=list)


class Uploaded(NamedTuple):
    """A file to judge a run on.

    Attributes:
        run: name of the run.
        name: name of the file.
        data: as `attnviz.finetuning.reading.read_file` returns them.
    """

    run: str
    name: str
    data: str


class Asked(NamedTuple):
    """An evaluation that was asked for.

    Attributes:
        run: name of the run.
        source: "test", or "file" for the one that was uploaded.
    """

    run: str
    source: str


@dataclass
class EvaluationState:
    """State of the evaluation of a fine-tuned run.

    Attributes:
        file: the file that was uploaded last.
        asked: evaluation that is shown.
        n_wrong: wrong answers that are shown.
        refused: why there is no evaluation, to be said once, as Markdown.
    """

    source = Widget("evaluation-source", "test")
    text = Widget("evaluation-text", "")
    label = Widget("evaluation-label", "")

    file: Uploaded | None = None
    asked: Asked | None = None
    n_wrong: int = 0
    refused: str = ""
