"""Edits of a forward pass as a trace holds them, and how they reach the pass; `attnviz.edits` makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from attnviz.errors import EditError, EditMeansNothing, EditMisfit, NoSuchSite
from attnviz.errors.base import Why
from attnviz.trace.calls import BlockPlace, Blocks, answering, stream_of, with_stream
from attnviz.trace.site import SiteEdit

__all__ = [
    "Edit", "NoPositions", "Rows", "StreamEdit", "changing_streams", "check_edits", "check_kinds", "edits_at",
    "keeping", "no_block", "no_site", "of_decoder", "starting_at", "while_writing",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class StreamEdit:
    """A change of the residual stream behind a block, as data.

    Attributes:
        layer: index of the block.
        stack: its stack.
    """

    layer: int
    stack: str

    def change(self, stream: Tensor) -> Tensor:
        """Return the stream (T, d_model) that goes on.

        Raises:
            EditError: it has no such positions, or another width.
        """
        raise NotImplementedError

    def within(self, start: int, stop: int) -> StreamEdit | None:
        """Return the edit as far as it concerns a part of the stream, as one of that part; None: it does not."""
        raise NotImplementedError

    def while_writing(self, n: int) -> StreamEdit | None:
        """See `SiteEdit.while_writing`."""
        return self.within(0, n)

    @property
    def place(self) -> BlockPlace:
        """The block."""
        return BlockPlace(self.stack, self.layer)


@dataclass(frozen=True, eq=False)
class NoPositions:
    """The model is told no positions of its tokens."""


Edit = SiteEdit | StreamEdit | NoPositions
"""A change of a forward pass, as data."""

Rows = Sequence[Sequence[Edit]]
"""The edits of each row of a batch."""


def edits_at(edits: Sequence[Edit], site: str) -> tuple[SiteEdit, ...]:
    """Return those of a site, by its name, in the order in which they act: those that compute a step afresh first."""
    here = [edit for edit in edits if isinstance(edit, SiteEdit) and edit.concerns(site)]
    return tuple(sorted(here, key=lambda edit: not edit.afresh))


class Named(Protocol):
    """A site, or the place of one."""

    @property
    def name(self) -> str:
        """Its name."""


def check_edits(edits: Sequence[Edit], sites: Sequence[Named], blocks: Blocks, model: str) -> None:
    """See that every edit had something to change in a pass with these sites and blocks.

    Raises:
        NoSuchSite, EditMeansNothing: it had not.
        EditMisfit: it is no edit.
    """
    check_kinds(edits)
    places = set(blocks.values())
    for edit in edits:
        if isinstance(edit, SiteEdit) and not any(edit.concerns(site.name) for site in sites):
            raise no_site(edit.site, sites, model)
        if isinstance(edit, StreamEdit) and edit.place not in places:
            raise EditMeansNothing(model, no_block(places))


def check_kinds(edits: Sequence[object]) -> None:
    """See that all are edits.

    Raises:
        EditMisfit: one is not, such as the text of one.
    """
    for edit in edits:
        if not isinstance(edit, Edit):
            raise EditMisfit("edits", Why("edit-kind", given=repr(edit)[:40]))


def no_site(site: str, sites: Sequence[Named], model: str) -> EditError:
    """Say that there is no such site, or that the model has no attention at all."""
    known = [known.name for known in sites]
    return NoSuchSite(site, known) if known else EditMeansNothing(model, Why("no-attention"))


def while_writing(edits: Sequence[Edit], n: int) -> tuple[Edit, ...]:
    """Return those edits, or parts of them, that concern the first n positions of a decoder that writes.

    Raises:
        EditError: one needs the whole text, of which the end is not written yet.
    """
    reached = [
        edit if isinstance(edit, NoPositions) or not of_decoder(edit) else edit.while_writing(n) for edit in edits
    ]
    return tuple(edit for edit in reached if edit is not None)


def of_decoder(edit: Edit) -> bool:
    """Whether an edit changes the stack that writes."""
    return (
        not isinstance(edit, NoPositions)
        and (edit.stack if isinstance(edit, StreamEdit) else edit.site.partition(".")[0]) == "decoder"
    )


def no_block(places: Iterable[BlockPlace]) -> Why:
    """Say why a stream cannot be changed, where there are only these blocks."""
    known = ", ".join(f"{stack}.{layer}" for stack, layer in sorted(places))
    return Why("no-block", known=known) if known else Why("no-blocks")


@contextmanager
def changing_streams(rows: Rows, blocks: Blocks) -> Iterator[None]:
    """Let the residual streams of a forward pass of this thread go on as the edits of each row have them."""
    wanted: dict[BlockPlace, list[tuple[int, StreamEdit]]] = {}
    for row, edits in enumerate(rows):
        for edit in edits:
            if isinstance(edit, StreamEdit):
                wanted.setdefault(edit.place, []).append((row, edit))

    def answer(place: BlockPlace, run: Callable[[], Any]) -> Any:
        made = run()
        if place not in wanted:
            return made
        stream = stream_of(made).clone()
        for row, edit in wanted[place]:
            stream[row] = edit.change(stream[row])
        return with_stream(made, stream)

    if not wanted:
        yield
        return
    with answering(blocks, answer):
        yield


@contextmanager
def keeping(blocks: Blocks) -> Iterator[dict[BlockPlace, Any]]:
    """Keep what each block of a forward pass of this thread gives, in the order in which they run."""
    kept: dict[BlockPlace, Any] = {}

    def answer(place: BlockPlace, run: Callable[[], Any]) -> Any:
        kept[place] = run()
        return kept[place]

    with answering(blocks, answer):
        yield kept


@contextmanager
def starting_at(place: BlockPlace | None, kept: Mapping[BlockPlace, Any], blocks: Blocks, n: int) -> Iterator[None]:
    """Let a forward pass of this thread begin at a block: those before it give what is kept, for n rows.

    Args:
        place: the block; None: begin where the model begins.
        kept: what each block gave for one row, see `keeping`.
    """
    if place is None:
        yield
        return
    before = {known: kept[known] for known in list(kept)[: list(kept).index(place)]}

    def answer(block: BlockPlace, run: Callable[[], Any]) -> Any:
        return _repeated(before[block], n) if block in before else run()

    with answering(blocks, answer):
        yield


def _repeated(made: Any, n: int) -> Any:
    if isinstance(made, tuple | list):
        return type(made)(_repeated(part, n) for part in made)
    return torch.cat([made] * n) if isinstance(made, Tensor) else made
