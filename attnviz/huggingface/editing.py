"""Edits of a forward pass of a Hugging Face model: only the heads that are edited are computed here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

from torch import Tensor

from attnviz.huggingface.interface import InterfaceCall, editing
from attnviz.huggingface.model import HuggingFaceModel
from attnviz.huggingface.place import Place, make_site
from attnviz.huggingface.rules import RulesReader
from attnviz.huggingface.structure import Structure
from attnviz.huggingface.windows import has_windows
from attnviz.trace.calls import BlockPlace, Blocks
from attnviz.trace.edit import Rows, changing_streams
from attnviz.trace.site import SiteEdit

__all__ = ["blocks_of", "edited", "windows_of"]


@contextmanager
def edited(
    model: HuggingFaceModel, structure: Structure, rows: Rows, skipped: Collection[BlockPlace] = ()
) -> Iterator[None]:
    """Let the next forward pass of this thread be changed as the edits of each row say; without any, nothing is done.

    Args:
        skipped: blocks that will not run.
    """
    with ExitStack() as stack:
        if any(isinstance(edit, SiteEdit) for edits in rows for edit in edits):
            stack.enter_context(editing(_Editor(model, structure, rows, skipped).change))
        stack.enter_context(changing_streams(rows, blocks_of(model, structure)))
        yield


def blocks_of(model: HuggingFaceModel, structure: Structure) -> Blocks:
    """Return the blocks of a model as modules."""
    submodule = model.network.get_submodule
    return {(submodule(path), turn): place for (path, turn), place in structure.blocks.items()}


def windows_of(model: HuggingFaceModel, place: Place, row: int, parts: int) -> list[tuple[int, int | None]]:
    """Return the rows of a call that belong to one of the batch, each with its window; None: it is no window."""
    block = model.network.get_submodule(place.module.rpartition(".")[0])
    windowed = parts > 1 or has_windows(block)
    return [(row * parts + part, part if windowed else None) for part in range(parts)]


class _Editor:
    """Changes the attention calls of one forward pass."""

    def __init__(
        self, model: HuggingFaceModel, structure: Structure, rows: Rows, skipped: Collection[BlockPlace]
    ) -> None:
        self._model, self._places, self._rows = model, structure.places, rows
        self._names, self._reader = model.module_names, RulesReader()
        before = (place.module for place in structure.places.values() if structure.block_of(place) in skipped)
        self._turns = Counter(before) if skipped else Counter[str]()

    def change(self, call: InterfaceCall, context: Tensor) -> Tensor:
        """Return the context vectors (B, Tq, H, d_value) that go on."""
        module = self._names.get(call.module, "")
        place = self._places.get((module, self._turns[module]))
        self._turns[module] += 1
        if place is None:
            return context  # a layer that nobody has watched: the trace says so
        changed, parts = context, call.q.shape[0] // len(self._rows)
        for row, edits in enumerate(self._rows):
            if not any(isinstance(edit, SiteEdit) and edit.site.startswith(place.name) for edit in edits):
                continue  # its mask need not be read
            for index, part in windows_of(self._model, place, row, parts):
                site = make_site(place, call, self._reader, index, part, edits=edits)
                if site.edits:
                    changed = changed.clone() if changed is context else changed
                    changed[index] = site.edited(changed[index].transpose(0, 1)).transpose(0, 1)  # (Tq, H, d_value)
        return changed
