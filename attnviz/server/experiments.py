"""Routes of experiments on a trace, which are computed beside the pages (`attnviz.background`).

GET .../sweep?row=R&output=ID&who=NAME&lang=L  what each head does to an output: asked again and again, until it is over
GET .../accuracy?who=NAME&lang=L               the score on test data with the edits of the trace, and without
    &stop=1                                 nobody of that name waits any more

Answers are {"done": n, "total": n, "ahead": how many come first}, with "result" once it is there; else {"failed": why}.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from attnviz import locale
from attnviz.analysis.edited import paired_scores
from attnviz.background import Background, Progress
from attnviz.edits.edit import Cut, Patch, PatchStream
from attnviz.errors import AttnvizError, TextOverLimit
from attnviz.models import SequenceModel
from attnviz.server.learned import task_of
from attnviz.server.paths import whole
from attnviz.trace import Trace
from attnviz.view.what_if import effects

__all__ = ["BACKGROUND", "accuracy", "answer_when_there", "check_size", "is_scored", "sweep"]

BACKGROUND = Background()
NAME = re.compile(r"\w{1,40}", re.ASCII)
TESTED = 512  # test sequences
MOST_SCORES = 2**27  # of all outputs at all positions
FRESH = {"Cache-Control": "no-store"}


def is_scored(trace: Trace) -> bool:
    """Whether a trace has edits that mean the same in every text, and a model whose test data are known."""
    ours = isinstance(trace.model, SequenceModel) and task_of(trace.model.facts.name) is not None
    return ours and bool(trace.edits) and not any(isinstance(each, Cut | Patch | PatchStream) for each in trace.edits)


def sweep(request: Request, trace: Trace) -> Response:
    """Answer how far the sweep of all heads is, or what it found."""
    query = request.query_params
    row, output = (whole(query.get(name, ""), 0, 2**31) for name in ("row", "output"))
    if row is None or output is None:
        return JSONResponse({"error": "row"}, 400)
    key = ("sweep", request.path_params["address"].partition(".")[0], row, output)
    return answer_when_there(BACKGROUND, request, key, lambda progress: _swept(trace, row, output, progress))


def _swept(trace: Trace, row: int, output: int, progress: Progress) -> dict[str, Any]:
    check_size(trace)
    return effects(trace, row, output, progress)


def check_size(trace: Trace) -> None:
    """See that the scores of all outputs fit into memory.

    Raises:
        TextOverLimit: the text has too many tokens for that.
    """
    if trace.outputs is not None:
        length, width = len(trace.sequences[trace.outputs.sequence]), next(trace.forward_pass.logits(1)).shape[-1]
        if length * width > MOST_SCORES:
            raise TextOverLimit(length, MOST_SCORES // width)


def accuracy(request: Request, trace: Trace) -> Response:
    """Answer the score on test data with the edits of a trace and without, of a model whose task is known."""
    task = task_of(trace.model.facts.name)
    if not is_scored(trace) or task is None or not isinstance(trace.model, SequenceModel):
        return JSONResponse({"error": "edits"}, 400)
    network = trace.model.network
    key = ("accuracy", request.path_params["address"].partition(".")[0])

    def compute(progress: Progress) -> dict[str, Any]:
        found = paired_scores(network, task, trace.edits, TESTED, progress=progress)
        return {**found._asdict(), "change": [*found.change]}

    return answer_when_there(BACKGROUND, request, key, compute)


def answer_when_there(
    jobs: Background, request: Request, key: Hashable, compute: Callable[[Progress], Any]
) -> Response:
    """Answer how far a computation is that the request asks for, or what it found; see the module."""
    who = request.query_params.get("who", "")
    if not NAME.fullmatch(who):
        return JSONResponse({"error": "who"}, 400)
    if request.query_params.get("stop"):
        jobs.leave(key, who)
        return JSONResponse({}, headers=FRESH)
    try:
        return JSONResponse(jobs.told(key, who, compute), headers=FRESH)
    except AttnvizError as error:
        lang = request.query_params.get("lang", "")
        said = locale.told(lang if lang in locale.LANGUAGES else locale.DEFAULT, error.code, error.details)
        return JSONResponse({"failed": said}, headers=FRESH)
