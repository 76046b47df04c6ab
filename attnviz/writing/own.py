"""Writing with our own models: they keep no cache, so each step reads the text again."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from attnviz.errors import EmptyText, NotAModel, TextTooLong, WritesNumbers
from attnviz.guard import guarded
from attnviz.models import SequenceModel
from attnviz.models.generation import beginning, joined
from attnviz.trace.edit import Edit, while_writing
from attnviz.trace.record import check_positions, edited, trace_ids
from attnviz.vectors import Vectors
from attnviz.writing.plan import Plan
from attnviz.writing.search import search
from attnviz.writing.written import Written, written

__all__ = ["write"]


def write(model: SequenceModel, text: str, target: str, plan: Plan, edits: Sequence[Edit] = ()) -> Written:
    """Have one of our own models write; see `attnviz.write`."""
    if not isinstance(model, SequenceModel):
        raise NotAModel(type(model).__name__)
    if isinstance(model.tokenizer, Vectors) and model.config.architecture != "encoder":
        raise WritesNumbers(model.card.name)
    with guarded(model.card.name):
        return _write(model, text, target, plan, edits)


@torch.inference_mode()
def _write(model: SequenceModel, text: str, target: str, plan: Plan, edits: Sequence[Edit]) -> Written:
    prompt, source = beginning(model, text, target)
    if not prompt:
        raise EmptyText
    room = model.config.max_len - len(prompt)
    if room < 1:
        raise TextTooLong(len(prompt), model.config.max_len - 1)
    check_positions(model, edits)
    found = search(plan, range(model.tokenizer.n_specials), room)
    rows = [prompt] * found.n_rows
    while not found.done:
        move = found.move(_next(model, rows, source, edits), lambda scores: scores)
        rows = [[*rows[parent], token] for parent, token in zip(move.parents, move.tokens, strict=True)]
    read = [*prompt, *found.tokens[:-1]]
    shown = found.tokens[:-1] if found.ended else found.tokens
    texts = (text, None if source is None else joined(model, target, shown))
    reached = while_writing(edits, len(read))
    return written(
        trace_ids(model, texts, read, source, edits=reached, generated=source is not None and not target.strip()),
        plan=plan,
        prompt=text if source is None else target,
        continuation=joined(model, "", shown),
        whole=joined(model, text if source is None else target, shown),
        steps=tuple(found.steps),
        beams=tuple(found.beams),
        path=tuple(found.path),
        ended=found.ended,
        unreached=unreached(edits, len(read)),
    )


def _next(
    model: SequenceModel, rows: Sequence[Sequence[int]], source: Sequence[int] | None, edits: Sequence[Edit]
) -> Tensor:
    """Return the scores of what follows each row: (rows, V)."""
    tokens = torch.tensor(rows)
    sources = None if source is None else torch.tensor([source] * len(rows))
    reached = while_writing(edits, tokens.shape[1])
    with edited(model.network, [reached] * len(rows)):
        return model.network(tokens, sources)[:, -1]  # type: ignore[no-any-return]


def unreached(edits: Sequence[Edit], n: int) -> tuple[str, ...]:
    """Return the edits whose positions a text of n tokens never reached, in words."""
    return tuple(str(edit) for edit in edits if not while_writing([edit], n))
