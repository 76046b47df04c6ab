"""Settings of a page: widgets whose keys are their parameters in the address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from attnviz.ui.frame.widgets import Widget

__all__ = ["Setting", "Settings"]

T = TypeVar("T")


@dataclass
class Setting(Widget[T]):
    """A widget whose key is its parameter in the address.

    Attributes:
        options: its values; asked for only where an address names it.
    """

    options: Callable[[], Iterable[T]]


@dataclass(frozen=True)
class Settings:
    """Several settings, as one part of an address."""

    settings: tuple[Setting[Any], ...]

    @property
    def names(self) -> frozenset[str]:
        """Parameters of the address."""
        return frozenset(setting.key for setting in self.settings)

    def begin(self) -> None:
        """Set what was never set to its default, before the widgets are made."""
        for setting in self.settings:
            setting.value = setting.value

    def apply(self, link: Mapping[str, str]) -> list[str]:
        """Set all values from an address; those it does not name go back to the default.

        Returns:
            The names of those whose value does not exist.
        """
        wrong = []
        for setting in self.settings:
            options = {str(option): option for option in setting.options()} if setting.key in link else {}
            setting.value = options.get(link.get(setting.key, ""), setting.default)
            if setting.key in link and link[setting.key] not in options:
                wrong.append(setting.key)
        return sorted(wrong)

    def to_link(self) -> dict[str, str]:
        """Return the values that differ from the default, as parameters of the address."""
        return {each.key: str(each.value) for each in self.settings if each.value != each.default}
