"""The state of the calculator: what its controls say, as a problem, and a problem back into its controls.

Tables are kept as people typed them; a cell that is no number stays until somebody changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from attnviz.calculator import PRESETS, Problem, solve
from attnviz.calculator.link import NAMES, from_link
from attnviz.calculator.mistakes import MISTAKES
from attnviz.calculator.parse import Cells, to_numbers
from attnviz.calculator.presets import FIRST
from attnviz.calculator.problem import TITLES, used_tables
from attnviz.calculator.tables import Sizes, cells_of, fitted, sizes_of
from attnviz.errors import CalculatorError
from attnviz.ui.calculator import cost, positions
from attnviz.ui.frame.address import Address, notice_error, notice_wrong, whole
from attnviz.ui.frame.view import LOOK, PLACE, follow

__all__ = [
    "ADDRESS",
    "MASKS",
    "NUMBERS",
    "SECTIONS",
    "SHOWN",
    "SIZES",
    "chosen",
    "fit_to",
    "fit_to_choices",
    "given_changed",
    "heads_changed",
    "load",
    "load_preset",
    "problem",
    "randomise",
    "resize",
    "set_table",
    "sizes",
    "tables",
    "used",
]

NUMBERS = "numbers:"
"""What stands for the model in the key of a trace that came from typed numbers; no model is called that."""

SECTIONS = ("hand", "mistakes", "positions", "cost")
"""Parts of the page; the first one is what it opens with."""

SIZES: Mapping[str, tuple[str, ...]] = {
    "x": ("queries", "d_model", "d_k", "d_v"),
    "qkv": ("queries", "keys", "d_k", "d_v"),
}
"""The sizes that can be chosen, by what is given."""

SHOWN = ".shown"
"""Ends the name of a card whose evidence is open."""

MASKS = ("causal", "window", "padding")
"""What can be masked."""


def _key(name: str) -> str:
    return f"calc-{name}"


def _apply(link: Mapping[str, str]) -> None:
    """Set the controls from an address; what cannot be read is noticed and falls back."""
    state = st.session_state
    found = from_link(link)
    wrong = [*found.wrong, *positions.apply(link), *cost.SETTINGS.apply(link)]
    if found.error is not None:
        notice_error(found.error)
    load(found.problem, found.preset)
    section = link.get("section", SECTIONS[0])
    wrong += ["section"] * (section not in SECTIONS)
    state["calc-section"] = section if section in SECTIONS else SECTIONS[0]
    state["calc-step"] = link.get("step", "")
    card = link.get("card", next(iter(MISTAKES)))
    name = card.removesuffix(SHOWN)
    wrong += ["card"] * (name not in MISTAKES)
    state.update({"calc-mistake": name if name in MISTAKES else next(iter(MISTAKES)), "calc-shown": card != name})
    for name in ("i", "j", "h"):
        place = whole(link.get(name, "1"), 1, 999)
        wrong += [name] * (place is None)
        state[_key(name)] = (place or 1) - 1
    notice_wrong(wrong)
    follow(link, NUMBERS)


ADDRESS = Address(
    "calculator",
    _apply,
    names=NAMES | positions.SETTINGS.names | cost.SETTINGS.names | {"section", "step", "card", "i", "j", "h"},
    steps=frozenset({"preset", "section", "card"}),
    view=PLACE | LOOK,
)


def load(given: Problem, preset: str = FIRST) -> None:
    """Set all controls."""
    state = st.session_state
    masks = {"causal": given.causal, "window": given.window is not None, "padding": bool(given.padding)}
    values: dict[str, Any] = {
        "preset": preset,
        "given": given.given,
        "scoring": given.scoring,
        "mask": [name for name in MASKS if masks[name]],
        "window": given.window or 2,
        "padding": [key + 1 for key in given.padding],
        "scale": given.scale,
        "temperature": given.temperature,
        "heads": given.heads,
        "positions": given.positions,
        "pooling": given.pooling,
        "project": given.project,
        "residual": given.residual,
    }
    state.update({_key(name): value for name, value in values.items()})
    state["calc-tables"] = {name: cells_of(matrix) for name, matrix in given.tables.items()}
    state["calc-last"] = given


def chosen(name: str) -> Any:
    """Return the value of a control."""
    return st.session_state[_key(name)]


def tables() -> dict[str, Cells]:
    """Return all tables, used or not, as they were typed."""
    found: dict[str, Cells] = st.session_state["calc-tables"]
    return found


def _choices() -> dict[str, Any]:
    """Return the settings beside the tables, as fields of a problem."""
    masks = chosen("mask") or []
    return {
        **{name: chosen(name) for name in ("given", "scoring", "scale", "positions", "pooling", "project", "residual")},
        "heads": chosen("heads") or 1,
        "temperature": chosen("temperature") or 1.0,
        "causal": "causal" in masks,
        "window": (chosen("window") or 1) if "window" in masks else None,
        "padding": tuple(key - 1 for key in sorted(chosen("padding") or [])) if "padding" in masks else (),
    }


def used() -> list[str]:
    """Names of the tables that the choices use."""
    return used_tables(chosen("given"), chosen("scoring"), chosen("positions"), chosen("project"))


def problem() -> Problem:
    """Build the problem from the controls.

    Raises:
        CalculatorError: it cannot be computed.
    """
    held = tables()
    return Problem({name: to_numbers(TITLES[name], held.get(name, ())) for name in used()}, **_choices())


def sizes() -> Sizes:
    """Return the sizes of the tables as they stand."""
    return sizes_of(tables(), chosen("given"), chosen("heads") or 1)


def set_table(name: str, cells: Cells) -> None:
    """Put other cells into a table; the others stay as they are."""
    st.session_state["calc-tables"] = {**tables(), name: cells}


def _fit(wanted: Sizes) -> None:
    state = st.session_state
    state["calc-heads"] = wanted.heads
    state["calc-tables"] = fitted(tables(), wanted, used())
    state["calc-padding"] = [key for key in chosen("padding") or [] if key <= wanted.keys]


def fit_to(name: str) -> None:
    """Make the other tables fit one of them."""
    _fit(sizes_of(tables(), chosen("given"), chosen("heads") or 1, first=name))


def resize() -> None:
    """Cut the tables, or fill them up, to the sizes that the controls say."""
    names = SIZES[chosen("given")]
    wanted = {name: chosen(name) or getattr(sizes(), name) for name in names}
    if chosen("given") == "x":
        wanted["keys"] = wanted["queries"]
    now = sizes()
    if chosen("residual"):
        wanted["d_out"] = wanted["d_model"]
    _fit(replace(now, **wanted).within())


def heads_changed() -> None:
    """Share the columns among other heads; where they cannot be shared, the tables are cut."""
    _fit(sizes())


def fit_to_choices() -> None:
    """Bring in the tables that a choice needs; a residual needs a result as wide as X."""
    state = st.session_state
    now = sizes()
    if chosen("residual"):
        if not chosen("project") and now.heads * now.d_v != now.d_model:
            state["calc-project"] = True
        if chosen("project"):
            now = replace(now, d_out=now.d_model)
    _fit(now)


def given_changed() -> None:
    """Q, K and V begin as those that X gave; X as one-hot tokens, whose projections are Q, K and V themselves."""
    state = st.session_state
    held = dict(tables())
    if chosen("given") == "qkv":
        state["calc-given"] = "x"
        with suppress(CalculatorError):  # what cannot be computed gives nothing to begin with
            (site,) = solve(problem()).sites
            held |= {name: _side_by_side(getattr(site, name)) for name in "qkv"}
        state["calc-given"] = "qkv"
        state.update({"calc-residual": False, "calc-positions": "none"})
    elif held.get("q") and len(held["q"]) == len(held["k"]):
        n = len(held["q"])
        held |= {"x": cells_of(tuple(tuple(float(i == j) for j in range(n)) for i in range(n)))}
        held |= {f"w_{name}": held[name] for name in "qkv"}
    state["calc-tables"] = held
    fit_to_choices()


def _side_by_side(heads: Any) -> Cells:
    """(H, T, d) as a table of (T, H * d)."""
    rows = heads.transpose(0, 1).flatten(1).tolist()
    return cells_of(tuple(tuple(float(f"{value:.7g}") for value in row) for row in rows))


def randomise() -> None:
    """Other numbers in every table that is used: normal, rounded to one digit."""
    generator = np.random.default_rng()
    shapes = sizes().shapes()
    made = {name: generator.normal(size=shapes[name]).round(1) + 0.0 for name in used()}
    st.session_state["calc-tables"] = {
        **tables(),
        **{name: cells_of(tuple(map(tuple, table.tolist()))) for name, table in made.items()},
    }


def load_preset() -> None:
    """Show the preset that the control names."""
    name = chosen("preset")
    load(PRESETS[name], name)
