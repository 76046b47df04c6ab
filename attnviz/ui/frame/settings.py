"""Settings of a page: widgets that keep their values, and parameters of its address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

__all__ = ["KEEP", "Settings"]

KEEP: Mapping[str, Any] = {"persist_state": "session"}
"""For widgets: the value stays while the widget is not on the page."""


@dataclass(frozen=True)
class Settings:
    """Widgets whose keys are their parameters in the address.

    Attributes:
        defaults: the values at first.
        options: the values of one; asked for only where an address names it.
    """

    defaults: Mapping[str, Any]
    options: Callable[[str], Iterable[Any]]

    @property
    def names(self) -> frozenset[str]:
        """Parameters of the address."""
        return frozenset(self.defaults)

    def begin(self) -> None:
        """Set what was never set to its default, before the widgets are made."""
        for name, value in self.defaults.items():
            st.session_state.setdefault(name, value)

    def apply(self, link: Mapping[str, str]) -> list[str]:
        """Set all values from an address; those it does not name go back to the default.

        Returns:
            The names of those whose value does not exist.
        """
        chosen, wrong = dict(self.defaults), []
        for name in sorted(self.names & link.keys()):
            options = {str(option): option for option in self.options(name)}
            if link[name] in options:
                chosen[name] = options[link[name]]
            else:
                wrong.append(name)
        st.session_state.update(chosen)
        return wrong

    def to_link(self) -> dict[str, str]:
        """Return the values that differ from the default, as parameters of the address."""
        found = {name: st.session_state.get(name, default) for name, default in self.defaults.items()}
        return {name: str(value) for name, value in found.items() if value != self.defaults[name]}
