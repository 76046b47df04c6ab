"""The effect of one edit after the other, on every head of a model alone: what does each head do to this answer?

Edits of one layer's heads run together as the rows of a batch, which begins at that layer's block: what the blocks
before it give is the same for all, and was kept. Nothing of the model is written anew for that. It is proved first that
such a batch gives the model's own answer; where it does not, the edits run one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import torch
from torch import Tensor, nn

from attnviz.edits.edit import head_off, set_weights
from attnviz.edits.effect import Measures, measures
from attnviz.errors import EditMeansNothing, EditMisfit, ModelFailed, OwnFault
from attnviz.errors.base import Why
from attnviz.guard import guarded
from attnviz.models import SequenceModel
from attnviz.trace import BlockPlace, EditablePass, Trace
from attnviz.trace.compare import difference
from attnviz.trace.rows import output_at, row_of
from attnviz.trace.site import SiteEdit
from attnviz.tracing import trace as take_trace

if TYPE_CHECKING:
    import pandas as pd

    from attnviz.huggingface import HuggingFaceModel

__all__ = ["Job", "Sweep", "edited_logits", "sweep", "swept"]

Make = Callable[[str, int], SiteEdit]
KINDS: Mapping[str, Make] = {"head_off": head_off, "uniform": lambda site, head: set_weights(site, head, "uniform")}
TOKENS = 512  # of a batch: more rows of a longer text gain nothing
SAME = 1e-4  # how far a batch may be from the model's own answer, relative to its largest number


@dataclass(frozen=True, eq=False)
class Sweep:
    """Effects of an edit of each head alone on one output, as tables (sites, heads); nan where a site has no such head.

    Attributes:
        trace: the text without edits.
        token: label of the output.
        position: row of the logits, from 0.
        sites: names of the rows; a layer that attends in windows is one.
        before: the numbers without any edit.
        logit, probability, rank, loss, kl: those with the edit; see `Effect`.
    """

    trace: Trace = field(repr=False)
    token: str
    position: int
    sites: tuple[str, ...]
    before: Measures = field(repr=False)
    logit: Tensor = field(repr=False)
    probability: Tensor = field(repr=False)
    rank: Tensor = field(repr=False)
    loss: Tensor = field(repr=False)
    kl: Tensor = field(repr=False)

    def to_dataframe(self) -> pd.DataFrame:
        """Return a pandas table with a row for each head, the largest change of the loss first."""
        import pandas as pd

        names = Measures._fields
        rows = [
            {"site": site, "head": head, **{name: float(getattr(self, name)[at, head]) for name in names}}
            for at, site in enumerate(self.sites)
            for head in range(self.logit.shape[1])
            if not self.logit[at, head].isnan()
        ]
        return pd.DataFrame(rows).sort_values("loss", ascending=False, ignore_index=True)


class Job(NamedTuple):
    """Heads of one site to edit, each alone; `at` is the caller's index of the site."""

    site: str
    at: int
    heads: Sequence[int]


def sweep(
    model: SequenceModel | HuggingFaceModel | nn.Module,
    text: str,
    target: str | None = None,
    *,
    token: str | int | None = None,
    position: int = -1,
    what: Literal["head_off", "uniform"] | Make = "head_off",
    progress: Callable[[int, int], None] | None = None,
    tokenizer: Any = None,
    image: Any = None,
) -> Sweep:
    """Edit every head of a model alone, and measure what that does to one output.

    Heads that stand in for each other are not missed alone: a small effect does not say that a head does nothing.

    Args:
        model, text, target, tokenizer, image: as in `attnviz.trace`.
        token: output, by label or id; None: the most probable one.
        position: row of the logits; from the end where it is negative.
        what: "head_off", "uniform" (weights), or a function that makes an edit of a site's name and a head.
        progress: is told how many heads are done, of how many; what it raises ends the sweep.

    Raises:
        AttnvizError: see `attnviz.trace` and `attnviz.effect`.

    Example:
        >>> import attnviz
        >>> found = sweep(attnviz.load_model("zoo/reverse"), "c b a", token="a", position=0)
        >>> found.sites, found.loss.shape
        (('encoder.0.self', 'encoder.1.self'), torch.Size([2, 2]))
    """
    make = KINDS.get(what) if isinstance(what, str) else what
    if make is None:
        raise EditMisfit("sweep", Why("sweep-kind", given=what, known=", ".join(KINDS)))
    trace = take_trace(model, text, target, tokenizer=tokenizer, image=image)
    return swept(trace, token, position, make, progress or (lambda done, total: None))


def swept(
    trace: Trace, token: str | int | None, position: int, make: Make, progress: Callable[[int, int], None]
) -> Sweep:
    """Sweep the heads of a model from a trace without edits; see `sweep`."""
    row = row_of(trace, position)
    output = output_at(trace, token, row)
    if not trace.sites:
        raise EditMeansNothing(trace.model.facts.name, Why("no-attention"))
    assert trace.outputs is not None  # `row_of` has seen to it
    base = trace.logits[row].float()
    heads = {site.name.partition(".w")[0]: site.n_heads for site in trace.sites}
    jobs = [Job(name, at, range(n)) for at, (name, n) in enumerate(heads.items())]
    tables = torch.full((len(Measures._fields), len(jobs), max(heads.values(), default=0)), float("nan")).double()
    done, total = 0, sum(heads.values())
    progress(done, total)
    for job, logits in _guarded(trace.model.facts.name, edited_logits(trace, row, base, jobs, make)):
        tables[:, job.at, list(job.heads)] = torch.stack(measures(base, logits, output))
        done += len(job.heads)
        progress(done, total)
    before = measures(base, base[None], output)
    return Sweep(trace, trace.outputs.label(output), row, tuple(heads), before, *tables)


def _guarded(name: str, found: Iterator[tuple[Job, Tensor]]) -> Iterator[tuple[Job, Tensor]]:
    """Yield what is found; what finding it raises is an error of the model, what is done with it is not."""
    while True:
        with guarded(name):
            one = next(found, None)
        if one is None:
            return
        yield one


def edited_logits(
    trace: Trace, at: int | slice, base: Tensor, jobs: Sequence[Job], make: Make
) -> Iterator[tuple[Job, Tensor]]:
    """Yield some heads of a site at a time, with the logits that an edit of each alone leads to.

    Args:
        at: row of the logits, or several.
        base: the logits of the trace itself there, (V,) or (rows, V).

    Yields:
        Some heads of a job, and their logits (heads, V) or (heads, rows, V).
    """
    ran = cast(EditablePass, trace.forward_pass)
    kept = ran.streams()
    rows = max(1, TOKENS // max(site.q.shape[1] for site in trace.sites)) if _batches(ran, at, base, kept) else 1
    for site, index, heads in jobs:
        begin = ran.block_of(site) if rows > 1 else None
        for start in range(0, len(heads), rows):
            some = heads[start : start + rows]
            edits = [(make(site, head),) for head in some]
            yield Job(site, index, some), ran.logits_of(edits, at, begin, kept).float()


def _batches(ran: EditablePass, at: int | slice, base: Tensor, kept: Mapping[BlockPlace, Any]) -> bool:
    """Whether two rows that begin at the last block give the answer of the model itself."""
    if not kept:
        return False
    try:
        two = ran.logits_of([(), ()], at, list(kept)[-1], kept)
    except (ModelFailed, OwnFault, RuntimeError, ValueError, IndexError):  # its code is not made for several rows
        return False
    return all(difference(base, one.float()) <= SAME for one in two)
