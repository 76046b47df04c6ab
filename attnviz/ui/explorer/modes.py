"""Modes of the Explorer: to look at a model on one text, and what else can be done there.

A mode is a module beside this one. It takes one line in _MODES, its name in the catalogues ("mode.<name>", and
"mode.<name>.help" in one plain sentence), and three functions; the module is imported where the mode is first chosen:

    apply(link)         set its controls from an address; what it lacks falls back to its default
    parameters(key)     give its controls their defaults where they have nothing; return its parameters of the address
    show(key, messages) show it below the fields

`key` has the chosen model, what was typed, and in `show` the edits in force.

To look is the mode that the address does not name, and `page` shows it itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from streamlit.delta_generator import DeltaGenerator

from attnviz.server.people.rights import offers
from attnviz.server.traces import TraceKey
from attnviz.ui.explorer.state import LOOK, ExplorerState
from attnviz.ui.frame.address import notice_wrong
from attnviz.ui.frame.language import say
from attnviz.ui.frame.who import me
from attnviz.ui.frame.widgets import segments

__all__ = ["MODES", "Mode", "apply", "choose", "chosen", "parameters"]


class Module(Protocol):
    """Functions of a mode's module."""

    def apply(self, link: Mapping[str, str]) -> None:
        """Set the controls from an address."""

    def parameters(self, key: TraceKey) -> Mapping[str, str]:
        """Return the parameters of the address."""

    def show(self, key: TraceKey, messages: DeltaGenerator) -> None:
        """Show the mode."""


@dataclass(frozen=True)
class Mode:
    """A mode, and what the page must know of it before its module is there.

    Attributes:
        name: its value in the address, and its module.
        names: its own parameters of the address.
        long: those of them that are left out where all together are too long for an address.
        types: whether it works on the text in the page's own field.
        target: whether it takes a target beside the text, where the model has one.
    """

    name: str
    names: frozenset[str] = frozenset()
    long: frozenset[str] = frozenset()
    types: bool = True
    target: bool = True

    @property
    def module(self) -> Module:
        """The module of the mode, imported when it is first asked for."""
        return cast(Module, import_module(f"{__package__}.{self.name}"))


_MODES = (
    Mode("compare", names=frozenset({"model2", "text2", "target2"}), long=frozenset({"text2", "target2"})),
    Mode("several", names=frozenset({"texts", "at", "measure", "token"}), long=frozenset({"texts"}), types=False),
    Mode("write", names=frozenset({"write", "begin"}), long=frozenset({"begin"}), target=False),
)
MODES = {mode.name: mode for mode in _MODES}
"""Modes by name, in the order of the control."""


def chosen() -> Mode | None:
    """Return the mode that is chosen; None: to look."""
    return MODES.get(ExplorerState.mode.value) if offers(me(), "modes") else None


def choose() -> None:
    """Place the control, where there is more than one mode."""
    if MODES and offers(me(), "modes"):
        titles = {name: say(f"mode.{name}") for name in (LOOK, *MODES)}
        help_ = "\n".join(f"- **{title}**: {say(f'mode.{name}.help')}" for name, title in titles.items())
        segments(say("mode.label"), ExplorerState.mode, titles, label_visibility="collapsed", help=help_)


def apply(link: Mapping[str, str]) -> None:
    """Choose the mode that an address names, and set its controls."""
    name = link.get("mode", LOOK)
    if name not in (LOOK, *MODES):
        notice_wrong(["mode"])
        name = LOOK
    ExplorerState.mode.value = name
    if mode := chosen():
        mode.module.apply(link)


def parameters(key: TraceKey) -> dict[str, str]:
    """Return the parameters of the chosen mode in the address."""
    mode = chosen()
    return {} if mode is None else {"mode": mode.name, **mode.module.parameters(key)}
