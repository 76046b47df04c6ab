"""Check that the shares of a side mean what they say, and refuse it with the reason where they do not."""

from __future__ import annotations

from math import prod
from typing import Final

import torch
from torch import Tensor, nn

from attnviz.errors import NotSplit
from attnviz.errors.base import Why
from attnviz.why.functions import name_of
from attnviz.why.maps import Call, Times
from attnviz.why.pulled import Pulled
from attnviz.why.sides import Side, writing_of
from attnviz.why.steps import Step, Writing, evaluate, in_order, reached

__all__ = ["check_side", "check_whole"]

CLOSE: Final = 1e-4  # how far factors may be apart
STRONG: Final = 1e6  # of numbers beside which what keeps a norm from dividing by zero is nothing


def check_side(side: Side, module: nn.Module, token_axis: int) -> None:
    """See that each row is a sum of what was written at that row, by all that was written before.

    Args:
        module: layer of attention.
        token_axis: axis of the rows in the target.

    Raises:
        NotSplit: it is not.
    """
    for step in side.leaves:
        writing = writing_of(step)
        if writing.origin == "made" and module in writing.modules:
            raise NotSplit(side.name, Why("split-bent", function=writing.function))
    check_whole(side)
    _check_norms(side)
    _check_rows(side, token_axis)


def check_whole(side: Side) -> None:
    """See that what every earlier attention of the sequence wrote has arrived, and that of a token.

    Raises:
        NotSplit: it has not.
    """
    found = {writing.after for writing in map(writing_of, side.leaves) if writing.origin == "heads"}
    for index, ran in enumerate(side.ran[: side.before]):
        if ran.queries == side.stack and index not in found:
            raise NotSplit(side.name, Why("split-lost", site=ran.site))
    if not any(group.kind == "token" for group in side.groups):
        raise NotSplit(side.name, Why("split-no-token"))


def _check_norms(side: Side) -> None:
    """See that what is held at its value is the scale of a norm, and no gate that looks at something else."""
    for step in in_order([side.target]):
        for statistic in step.inputs if step.kind == "linear" else ():
            if statistic.kind != "statistic":
                continue
            run = step.run
            if not (isinstance(run, Times) and _is_norm(statistic, step.inputs[0], 1 if run.inverse else -1)):
                func = statistic.run.func if isinstance(statistic.run, Call) else statistic.run
                raise NotSplit(side.name, Why("split-gate", function=name_of(func)))


def _is_norm(statistic: Step, normed: Step, degree: int) -> bool:
    """Whether a row of what is normed that is c times as large has c to this degree times its own statistic.

    The statistic is one number a row, which may be expanded to the row.
    """
    begin = _read_by(statistic, normed)
    if begin is None:
        return False
    generator = torch.Generator().manual_seed(0)
    factors = 0.5 + torch.rand((*begin.shape[:-1], 1), generator=generator)
    given = STRONG * torch.randn(begin.shape, generator=generator)
    with torch.no_grad():
        before, after = (evaluate(statistic, {begin: one}, anew=True) for one in (given, given * factors))
    if before is None or after is None or not torch.equal(after, after[..., :1].expand_as(after)):
        return False
    return bool((after - before * factors**degree).abs().le(CLOSE * after.abs()).all())


def _read_by(statistic: Step, normed: Step) -> Step | None:
    """Return the last part of the stream, a row for each number, that a statistic and what it scales both come of."""
    common, waiting = set(in_order([normed])), [statistic]
    while waiting:
        for step in waiting.pop().inputs:
            if step.kind != "statistic" and any(writing.source for writing in reached(step)):
                common &= set(in_order([step]))
            else:
                waiting.append(step)
    rows = {step: (*step.shape[:-1], 1) for step in common if step.shape[-1:] > (1,)}
    found = [step for step, row in rows.items() if statistic.shape in (row, step.shape)]
    return max(found, key=lambda step: step.at, default=None)


def _check_rows(side: Side, token_axis: int) -> None:
    """See that a row depends on the same row of each writing alone.

    If every row of a functional is made stronger by a factor of its own, so is every row of what it reads of a
    writing, and by nothing else.
    """
    generator = torch.Generator().manual_seed(0)
    factors = 0.5 + torch.rand(side.target.shape[token_axis], generator=generator)
    along = torch.zeros(2, *side.target.shape)
    rows = along[:, side.row].movedim(token_axis, 1)  # (2, T, ...)
    rows.copy_(torch.randn(rows.shape[1:], generator=generator))
    rows[1] *= factors.view(-1, *(1,) * (rows.ndim - 2))
    seen = set[int]()  # most of what is read of a stream is read alike
    for step, functionals in side.pull(Pulled.of(along)).items():
        if functionals.columns is not None and id(functionals.rows) in seen:
            continue
        seen.add(id(functionals.rows))
        if not _keeps_text(functionals, writing_of(step), side.row, side.target.shape[0]):
            raise NotSplit(side.name, Why("split-rows", function=writing_of(step).function))
        if not _keeps_rows(functionals, writing_of(step), step in side.tops, factors):
            raise NotSplit(side.name, Why("split-rows", function=writing_of(step).function))


def _keeps_text(functionals: Pulled, writing: Writing, row: int, batch: int) -> bool:
    """Whether functionals of one text of a batch read that text alone, whichever axis of a writing comes first."""
    shape = functionals.shape[:-1]
    if batch == 1 or not shape or shape[0] == 1 or writing.origin in ("constant", "bias", "table"):
        return True
    sizes = functionals.rows.abs().amax((0, 2))  # (n,)
    places = torch.arange(prod(shape)) if functionals.at is None else functionals.at
    places = places[sizes > 1e-6 * sizes.max()]
    texts = [places // (prod(shape) // batch)] if shape[0] % batch == 0 else []
    texts += [places // prod(shape[2:]) % batch] if shape[1:2] == (batch,) else []
    return not texts or any(bool((text == row).all()) for text in texts)


def _keeps_rows(functionals: Pulled, writing: Writing, merged: bool, factors: Tensor) -> bool:
    """Whether every row of the second functional is that of the first times a factor, that of the target's row.

    Where a writing has as many rows as the target they are the same ones; elsewhere, as in patches of an image that
    follow a token for the whole, any row may be.
    """
    if writing.origin in ("constant", "bias", "table"):
        return True
    if functionals.columns is not None or (merged and functionals.at is not None):
        pair, at = functionals.rows, functionals.at  # they are alike in every column
        places = torch.arange(pair.shape[1]) if at is None else at
        return _is_scaled(pair, functionals.shape[:-1], places, factors)
    whole = functionals.dense
    if writing.origin == "heads" and not merged:
        whole = whole.movedim(writing.head_axis + 1, -2).flatten(-2)
    for axis in range(whole.ndim - 1, 0, -1):
        moved = whole.movedim(axis, -1)
        pair = moved.flatten(1, -2)
        if _is_scaled(pair, moved.shape[1:-1], torch.arange(pair.shape[1]), factors):
            return True
    return False


def _is_scaled(pair: Tensor, shape: torch.Size, places: Tensor, factors: Tensor) -> bool:
    """Whether the rows of the second (2, n, m) are those of the first times factors.

    Args:
        shape: of all rows.
        places: numbers of the n among them.
    """
    first, second = pair.double()
    sizes = first.square().sum(-1)  # (n,)
    used = sizes > 1e-12 * sizes.max()
    found = (first * second).sum(-1)[used] / sizes[used]
    scaled = first[used] * found[:, None]
    if not bool(((second[used] - scaled).abs().amax(-1) <= CLOSE * scaled.abs().amax(-1)).all()):
        return False
    axes = [axis for axis, size in enumerate(shape) if size == len(factors)]
    return not axes or any(
        bool(((found - factors[places[used] // prod(shape[axis + 1 :]) % shape[axis]]).abs() <= CLOSE).all())
        for axis in axes
    )
