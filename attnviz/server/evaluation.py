"""Evaluations of fine-tuned runs for the pages, computed beside them (`attnviz.background`)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from attnviz.background import Background
from attnviz.errors import AttnvizError, DataTooLarge
from attnviz.finetuning.judgement import judge
from attnviz.finetuning.reading import read_content
from attnviz.finetuning.tasks import TunedTags
from attnviz.training import Run

__all__ = ["EVALUATING", "MOST_MB", "evaluation", "read_upload"]

EVALUATING = Background(seconds=900, waiting=16, kept=16)
"""One evaluation at a time."""

MOST_MB = 10


def evaluation(run: Run, step: int, data: str | None, who: str) -> dict[str, Any]:
    """Return how far the evaluation of a checkpoint is: "done", "total", "ahead", and "result", a `Judgement`.

    It goes on as long as somebody asks again every few seconds.

    Args:
        run: a fine-tuned one.
        step: one of `run.checkpoints()`.
        data: as `read_upload` returns them; None: the test split of the run.
        who: names the one who waits.

    Raises:
        AttnvizError: why there will be no result; who asks again has it computed anew.
    """
    stamp = run.checkpoint_path(step).stat().st_mtime_ns if step in run.checkpoints() else 0
    digest = "" if data is None else sha256(data.encode()).hexdigest()
    key = ("evaluation", run.folder, run.config.created, step, stamp, digest)
    try:
        return EVALUATING.told(key, who, lambda progress: judge(run, step, data, progress=progress))
    except AttnvizError:
        EVALUATING.forget(key)
        raise


def read_upload(run: Run, content: bytes, name: str, text: str = "", label: str = "", encoding: str = "") -> str:
    """Read a file that somebody handed in for a run to be judged on.

    Args:
        run: a fine-tuned one; it says whether the file holds tagged words.
        content: content of the file.
        name: its name.
        text: column of the texts, or of the words: its name or number; "": told by the file.
        label: column of the labels, or of the tags, likewise.
        encoding: see `attnviz.tasks.own.readers.decoding.decode`.

    Raises:
        InputError: the file is too large or cannot be read so; each error says why.
    """
    if len(content) > (limit := MOST_MB * 2**20):
        raise DataTooLarge(len(content), limit)
    return read_content(content, name, text, label, encoding, isinstance(run.config.task, TunedTags))[0]
