"""What if: edits of the forward pass that the Explorer shows, in its state and in its address.

The view sends each edit as the text of `attnviz.edits.text`; of a patch it sends "*", or one position, in place of the
pairs, for who has only typed a second text does not know which tokens of the two belong together.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from attnviz.analysis.alignment import equal_blocks
from attnviz.edits.text import EVERY, PART, check_edit, pairs_of, pairs_text, parts_of
from attnviz.errors import AttnvizError, EditUnreadable
from attnviz.errors.base import Why
from attnviz.server.forward import run
from attnviz.server.traces import TraceKey
from attnviz.trace import Trace
from attnviz.ui.explorer.state import Chip, Chips, ExplorerState
from attnviz.ui.frame.address import notice_error
from attnviz.ui.frame.state import page_state

__all__ = ["OF_ALL_LAYERS", "UNDO", "apply", "change", "forget", "in_address", "in_force", "remove", "turn"]

UNDO = "undo"
"""What the view sends to have the last change undone."""

OFF = "-"
"""Before an edit in the address that is switched off."""

MOST_EDITS = 64
MOST_UNDONE = 50
OF_ALL_LAYERS = ("no-mask", "no-scale")
"""Edits that are one chip for all layers."""


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
        chip = Chip(part.removeprefix(OFF), not part.startswith(OFF))
        check_edit(chip.edit)
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
    try:
        chips = _read(PART.join(_resolved(part, key) for part in asked.split(PART)))
    except AttnvizError as error:
        notice_error(error)
        return
    _keep((*state.chips, *(chip for chip in chips if chip not in state.chips)))


def _resolved(edit: str, key: TraceKey) -> str:
    """Return an edit of the view with the pairs of positions that a patch needs: those of equal blocks of tokens."""
    fields = edit.split(":")
    if fields[0] != "patch" or len(fields) < 5:
        return edit
    _, site, head, asked, *texts = fields
    check_edit(":".join(["patch", site, head, "0", *texts]))
    source = run(key._replace(text=unquote(texts[0]), target=unquote("".join(texts[1:])))).trace
    pairs = _aligned(run(key).trace, source, site)
    if asked != EVERY:
        wanted, _ = pairs_of(asked)
        pairs = [pair for pair in pairs if pair[0] in wanted]
    if not pairs:
        raise EditUnreadable(edit, Why("edit-unaligned"))
    return ":".join(["patch", site, head, pairs_text(*zip(*pairs, strict=True)), *texts])


def _aligned(trace: Trace, source: Trace, site: str) -> list[tuple[int, int]]:
    """Return the positions of queries that belong together: all of texts of one length, else those of equal tokens."""
    name = next((each.queries for each in trace.sites if each.name == site), trace.main)
    mine, theirs = (each.sequences[name].labels for each in (trace, source))
    if len(mine) == len(theirs):
        return [(position, position) for position in range(len(mine))]
    blocks = equal_blocks(mine, theirs)
    return [(block.first + n, block.second + n) for block in blocks for n in range(block.size)]


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
