"""The state of the calculator: what its controls say, as a problem, and a problem back into its controls.

Tables are kept as people typed them; a cell that is no number stays until somebody changes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from attnviz.calculator import PRESETS, Problem, solve
from attnviz.calculator.link import NAMES, from_link
from attnviz.calculator.parse import Cells, to_numbers
from attnviz.calculator.presets import FIRST
from attnviz.calculator.problem import TITLES, used_tables
from attnviz.calculator.tables import Sizes, cells_of, fitted, sizes_of
from attnviz.errors import CalculatorError
from attnviz.server.paths import whole
from attnviz.server.picture import PLACE
from attnviz.server.traces import NUMBERS
from attnviz.ui.frame.address import Address, notice_error, notice_wrong
from attnviz.ui.frame.state import page_state
from attnviz.ui.frame.view import LOOK, follow
from attnviz.ui.frame.widgets import Widget

__all__ = ["ADDRESS", "MASKS", "MOST_NAMES", "PLACES", "SIZES", "CalculatorState"]

SIZES: Mapping[str, tuple[str, ...]] = {
    "x": ("queries", "d_model", "d_k", "d_v"),
    "qkv": ("queries", "keys", "d_k", "d_v"),
}
"""The sizes that can be chosen, by what is given."""

MOST_NAMES = 400
"""Characters of the tokens' names."""

MASKS = ("causal", "window", "padding")
"""What can be masked."""


@dataclass
class CalculatorState:
    """State of the calculator.

    Attributes:
        tables: all tables, used or not, as they were typed.
        last: what could be computed last.
        pasted: the table that was pasted or opened last.
        confirmed: number of the last edit that was taken over.
    """

    preset = Widget("calc-preset", FIRST)
    given = Widget("calc-given", "x")
    tokens = Widget("calc-tokens", "")
    scoring = Widget("calc-scoring", "scaled_dot")
    scale = Widget[float | None]("calc-scale", None)
    temperature = Widget("calc-temperature", 1.0)
    mask = Widget[Sequence[str]]("calc-mask", ())
    window = Widget("calc-window", 1)
    padding = Widget[Sequence[int]]("calc-padding", ())
    heads = Widget("calc-heads", 1)
    positions = Widget("calc-positions", "none")
    pooling = Widget("calc-pooling", "attention")
    project = Widget("calc-project", False)
    residual = Widget("calc-residual", False)
    step = Widget("calc-step", "")
    query = Widget("calc-i", 0)
    key = Widget("calc-j", 0)
    head = Widget("calc-h", 0)
    edits = Widget[Mapping[str, Any]]("tables", {})

    tables: Mapping[str, Cells] = field(default_factory=dict)
    last: Problem = field(default_factory=lambda: PRESETS[FIRST])
    pasted: str = ""
    confirmed: int = 0

    @staticmethod
    def size(name: str) -> Widget[int]:
        """One of SIZES; 0 while it is empty."""
        return Widget(f"calc-{name}", 0)

    def load(self, given: Problem, preset: str = FIRST) -> None:
        """Set all controls."""
        masks = {"causal": given.causal, "window": given.window is not None, "padding": bool(given.padding)}
        self.preset.value = preset
        self.given.value = given.given
        self.scoring.value = given.scoring
        self.mask.value = [name for name in MASKS if masks[name]]
        self.window.value = given.window or 2
        self.padding.value = [key + 1 for key in given.padding]
        self.scale.value = given.scale
        self.temperature.value = given.temperature
        self.heads.value = given.heads
        self.positions.value = given.positions
        self.pooling.value = given.pooling
        self.project.value = given.project
        self.residual.value = given.residual
        self.tables = {name: cells_of(matrix) for name, matrix in given.tables.items()}
        self.last = given

    def used(self) -> list[str]:
        """Names of the tables that the choices use."""
        return used_tables(self.given.value, self.scoring.value, self.positions.value, self.project.value)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the first tokens."""
        return tuple(self.tokens.value.split())

    def problem(self) -> Problem:
        """Build the problem from the controls.

        Raises:
            CalculatorError: it cannot be computed.
        """
        masks = self.mask.value
        return Problem(
            {name: to_numbers(TITLES[name], self.tables.get(name, ())) for name in self.used()},
            given=self.given.value,
            scoring=self.scoring.value,
            causal="causal" in masks,
            window=self.window.value if "window" in masks else None,
            padding=tuple(key - 1 for key in sorted(self.padding.value)) if "padding" in masks else (),
            scale=self.scale.value,
            temperature=self.temperature.value,
            heads=self.heads.value,
            positions=self.positions.value,
            pooling=self.pooling.value,
            project=self.project.value,
            residual=self.residual.value,
        )

    def sizes(self, first: str = "") -> Sizes:
        """Return the sizes of the tables as they stand; where they do not go together, those of the `first` one."""
        return sizes_of(self.tables, self.given.value, self.heads.value, first=first)

    def set_table(self, name: str, cells: Cells) -> None:
        """Put other cells into a table; the others stay as they are."""
        self.tables = {**self.tables, name: cells}

    def _fit(self, wanted: Sizes) -> None:
        self.heads.value = wanted.heads
        self.tables = fitted(self.tables, wanted, self.used())
        self.padding.value = [key for key in self.padding.value if key <= wanted.keys]

    def fit_to(self, name: str) -> None:
        """Make the other tables fit one of them."""
        self._fit(self.sizes(name))

    def resize(self) -> None:
        """Cut the tables, or fill them up, to the sizes that the controls say."""
        now = self.sizes()
        wanted = {name: self.size(name).value or getattr(now, name) for name in SIZES[self.given.value]}
        if self.given.value == "x":
            wanted["keys"] = wanted["queries"]
        if self.residual.value:
            wanted["d_out"] = wanted["d_model"]
        self._fit(replace(now, **wanted).within())

    def heads_changed(self) -> None:
        """Share the columns among other heads; where they cannot be shared, the tables are cut."""
        self._fit(self.sizes())

    def fit_to_choices(self) -> None:
        """Bring in the tables that a choice needs; a residual needs a result as wide as X."""
        now = self.sizes()
        if self.residual.value:
            if not self.project.value and now.heads * now.d_v != now.d_model:
                self.project.value = True
            if self.project.value:
                now = replace(now, d_out=now.d_model)
        self._fit(now)

    def given_changed(self) -> None:
        """Q, K and V begin as those that X gave; X as one-hot tokens, whose projections are Q, K and V themselves."""
        held = dict(self.tables)
        if self.given.value == "qkv":
            self.given.value = "x"
            with suppress(CalculatorError):  # what cannot be computed gives nothing to begin with
                (site,) = solve(self.problem()).sites
                held |= {name: _side_by_side(getattr(site, name)) for name in "qkv"}
            self.given.value, self.residual.value, self.positions.value = "qkv", False, "none"
        elif held.get("q") and len(held["q"]) == len(held["k"]):
            n = len(held["q"])
            held |= {"x": cells_of(tuple(tuple(float(i == j) for j in range(n)) for i in range(n)))}
            held |= {f"w_{name}": held[name] for name in "qkv"}
        self.tables = held
        self.fit_to_choices()

    def randomise(self) -> None:
        """Other numbers in every table that is used: normal, rounded to one digit."""
        generator = np.random.default_rng()
        shapes = self.sizes().shapes()
        made = {name: generator.normal(size=shapes[name]).round(1) + 0.0 for name in self.used()}
        for name, table in made.items():
            self.set_table(name, cells_of(tuple(map(tuple, table.tolist()))))

    def load_preset(self) -> None:
        """Show the preset that the control names."""
        name = self.preset.value
        self.load(PRESETS[name], name)


def _side_by_side(heads: Any) -> Cells:
    """(H, T, d) as a table of (T, H * d)."""
    rows = heads.transpose(0, 1).flatten(1).tolist()
    return cells_of(tuple(tuple(float(f"{value:.7g}") for value in row) for row in rows))


PLACES = {"i": CalculatorState.query, "j": CalculatorState.key, "h": CalculatorState.head}
"""Widgets of what is looked at, by their parameters in the address."""


def _apply(link: Mapping[str, str]) -> None:
    """Set the controls from an address; what cannot be read is noticed and falls back."""
    state = page_state(CalculatorState)
    found = from_link(link)
    wrong = [*found.wrong]
    if found.error is not None:
        notice_error(found.error)
    state.load(found.problem, found.preset)
    state.step.value = link.get("step", "")
    state.tokens.value = link.get("tokens", "")[:MOST_NAMES]
    for name, widget in PLACES.items():
        place = whole(link.get(name, "1"), 1, 999)
        wrong += [name] * (place is None)
        widget.value = (place or 1) - 1
    notice_wrong(wrong)
    follow(link, NUMBERS)


ADDRESS = Address(
    "calculator",
    _apply,
    names=NAMES | {"tokens", "step", "i", "j", "h"},
    steps=frozenset({"preset"}),
    view=PLACE | LOOK,
)
