"""Edits of the forward pass that the Explorer shows ("What if"), in its state and in its address.

The view sends each edit as the text of `attnviz.edits.text`; of a patch it sends "*", or one position, in place of the
pairs (`attnviz.analysis.patching`).
"""

from __future__ import annotations

from collections.abc import Mapping

from attnviz.analysis.patching import with_pairs
from attnviz.edits.text import PART, canonical_edit, parts_of
from attnviz.errors import AttnvizError, EditUnreadable
from attnviz.errors.base import Why
from attnviz.server.forward import run
from attnviz.trace import Trace
from attnviz.ui.explorer.state import Chip, Chips, ExplorerState
from attnviz.ui.frame.address import notice_error
from attnviz.ui.frame.state import page_state
from attnviz.view.edit_names import OF_ALL_LAYERS
from attnviz.view.what_if import UNDO

__all__ = ["UNDO", "apply", "change", "forget", "in_address", "in_force", "remove", "turn"]

OFF = "-"
"""Before an edit in the address that is switched off."""

MOST_EDITS = 64
MOST_UNDONE = 50


def apply(link: Mapping[str, str]) -> None:
    """Take the edits of an address; where one is none, say so and take none."""
    state = page_state(ExplorerState)
    try:
        state.chips = _read(link.get("edits", ""))
    except AttnvizError as error:
        notice_error(error)
        state.chips = ()


def _read(text: str) -> Chips:
    found: list[Chip] = []
    parts = [part for part in text.split(PART) if part]
    if len(parts) > MOST_EDITS:
        raise EditUnreadable(text, Why("edit-many", most=MOST_EDITS))
    for part in parts:
        chip = Chip(canonical_edit(part.removeprefix(OFF)), not part.startswith(OFF))
        if found and found[-1].on == chip.on and _same_of_all(found[-1].edit.split(PART)[-1], chip.edit):
            chip = Chip(found.pop().edit + PART + chip.edit, chip.on)
        found.append(chip)
    return tuple(found)


def _same_of_all(one: str, other: str) -> bool:
    word = parts_of(one)[0]
    return word in OF_ALL_LAYERS and word == parts_of(other)[0]


def in_address() -> str:
    """Return the edits as the address has them, those that are switched off too."""
    chips = page_state(ExplorerState).chips
    return PART.join(("" if chip.on else OFF) + part for chip in chips for part in chip.edit.split(PART))


def in_force() -> str:
    """Return the edits that are in force, as the key of a trace has them."""
    return PART.join(chip.edit for chip in page_state(ExplorerState).chips if chip.on)


def forget() -> None:
    """Begin without any edit, as with another model."""
    state = page_state(ExplorerState)
    state.chips, state.undone = (), []


def change(asked: str) -> None:
    """Do what the view asks for: more edits, or the last change undone (`UNDO`)."""
    state = page_state(ExplorerState)
    if asked == UNDO:
        _undo()
    if asked == UNDO or state.shown is None or state.frozen:
        return
    key = state.shown

    def source(text: str, target: str) -> Trace:
        return run(key._replace(text=text, target=target)).trace

    try:
        trace = run(key).trace
        chips = _read(PART.join(with_pairs(part, trace, source) for part in asked.split(PART)))
    except AttnvizError as error:
        notice_error(error)
        return
    _keep((*state.chips, *(chip for chip in chips if chip not in state.chips)))


def _keep(chips: Chips) -> None:
    state = page_state(ExplorerState)
    state.undone = [*state.undone, state.chips][-MOST_UNDONE:]
    state.chips = chips


def _undo() -> None:
    state = page_state(ExplorerState)
    if state.undone:
        state.chips = state.undone.pop()
    elif state.chips:  # it came with a link
        state.chips = state.chips[:-1]


def turn(at: int) -> None:
    """Switch an edit off, or on again."""
    chips = page_state(ExplorerState).chips
    _keep((*chips[:at], chips[at]._replace(on=not chips[at].on), *chips[at + 1 :]))


def remove(at: int) -> None:
    """Take an edit away."""
    chips = page_state(ExplorerState).chips
    _keep((*chips[:at], *chips[at + 1 :]))
