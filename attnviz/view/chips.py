"""Edits of a widget as chips: one or several edits each, in force or switched off for a moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from attnviz import locale
from attnviz.edits import write_edits
from attnviz.edits.edit import NoMask, NoScale
from attnviz.edits.text import EVERY
from attnviz.errors import EditMisfit
from attnviz.locale import visible
from attnviz.trace import Edit, Trace
from attnviz.trace.edit import StreamEdit
from attnviz.trace.site import SiteEdit
from attnviz.view.edit_names import about_edit, name_of_edit, place_in_words

__all__ = ["Chip", "Chips", "after", "chips_of", "in_force", "in_words", "removed", "told", "turned"]


class Chip(NamedTuple):
    """One or several edits that are one for people.

    Attributes:
        edits: the edits; several are of one kind, for several layers.
        on: whether they are in force.
    """

    edits: tuple[Edit, ...]
    on: bool = True


Chips = tuple[Chip, ...]


def chips_of(edits: Sequence[Edit]) -> Chips:
    """Return edits as chips, all of them in force."""
    found: list[Chip] = []
    for edit in edits:
        if found and isinstance(edit, NoMask | NoScale) and type(edit) is type(found[-1].edits[-1]):
            found[-1] = Chip((*found[-1].edits, edit))
        else:
            found.append(Chip((edit,)))
    return tuple(found)


def in_force(chips: Chips) -> tuple[Edit, ...]:
    """Return the edits that are in force."""
    return tuple(edit for chip in chips if chip.on for edit in chip.edits)


def turned(chips: Chips, at: int) -> Chips:
    """Return the chips with one switched off, or on again."""
    return (*chips[:at], chips[at]._replace(on=not chips[at].on), *chips[at + 1 :])


def removed(chips: Chips, at: int) -> Chips:
    """Return the chips without one."""
    left = [*chips]
    del left[at]
    return tuple(left)


def after(chips: Chips, edits: Sequence[Edit]) -> Chips:
    """Return the chips after other edits came into force: those that are switched off stay."""
    kept = tuple(chip for chip in chips if not chip.on or all(edit in edits for edit in chip.edits))
    return (*kept, *chips_of([edit for edit in edits if edit not in in_force(kept)]))


def told(chips: Chips, trace: Trace, lang: str) -> list[dict[str, Any]]:
    """Return the chips for JSON: a name, whether they are in force, and what they mean.

    Args:
        trace: the one without edits.
    """
    say = partial(locale.t, lang)
    found = []
    for chip in chips:
        name = _name(chip, trace, say)
        try:
            about = about_edit(write_edits(chip.edits), say)
        except EditMisfit:
            about = ""
        state = say("whatif.chip.on" if chip.on else "whatif.chip.off")
        words = {"about": f"{state} {about}".strip(), "remove": say("whatif.remove", edit=name)}
        found.append({"name": name, "on": chip.on, **words})
    return found


def in_words(edits: Sequence[Edit], trace: Trace, lang: str) -> str:
    """Return the names of edits, as chips have them, in one line; "" without any."""
    names = [_name(chip, trace, partial(locale.t, lang)) for chip in chips_of(edits)]
    return locale.listed(lang, names) if names else ""


def _name(chip: Chip, trace: Trace, say: Callable[..., str]) -> str:
    try:
        return name_of_edit(write_edits(chip.edits), trace, say, visible)
    except EditMisfit:  # it has no short text, such as weights that are given as a matrix
        return say("whatif.name.given", place=_place(chip.edits[0], say))


def _place(edit: Edit, say: Callable[..., str]) -> str:
    if isinstance(edit, SiteEdit):
        return place_in_words(edit.site, EVERY if edit.head is None else str(edit.head), say)
    return place_in_words(f"{edit.stack}.{edit.layer}", EVERY, say) if isinstance(edit, StreamEdit) else ""
