"""A problem goes into an address and into a file, and comes back the same."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz import errors
from attnviz.calculator import PRESETS, Problem
from attnviz.calculator.link import NAMES, from_json, from_link, to_json, to_link
from attnviz.calculator.presets import FIRST
from tests.calculator.problems import problems


@settings(max_examples=100)
@given(problems(), st.sampled_from(sorted(PRESETS)))
def test_any_problem_comes_back(problem: Problem, preset: str) -> None:
    link = to_link(problem, preset)
    assert link.keys() <= NAMES
    travelled = {name: values[0] for name, values in parse_qs(urlencode(link), strict_parsing=True).items()}
    found = from_link(travelled)
    assert found.problem == problem
    assert found.preset == preset
    assert found.error is None
    assert found.wrong == ()
    assert from_json(to_json(problem), "a.json") == problem


def test_a_preset_is_its_name() -> None:
    for name, problem in PRESETS.items():
        assert to_link(problem, name) == {"preset": name}
    assert from_link({}).problem == PRESETS[FIRST]


def test_numbers_are_not_escaped() -> None:
    link = to_link(Problem(PRESETS["one-hot"].tables, scale=0.5), "self")
    assert "%" not in urlencode(link, safe="*")


@pytest.mark.parametrize(
    ("link", "wrong", "error"),
    [
        ({"preset": "nothing"}, ("preset",), None),
        ({"H": "two", "causal": "yes"}, ("causal", "H"), None),
        ({"times": "x", "padding": "a.b"}, ("padding", "times"), None),
        ({"X": "1_2*3"}, (), errors.TableRagged),
        ({"X": "1_x"}, (), errors.CellNotNumber),
        ({"X": "1_nan"}, (), errors.CellOutside),
        ({"X": "1_2"}, (), errors.ShapesDoNotFit),
        ({"H": "7"}, (), errors.ValueOutside),
        ({"temperature": "nan"}, (), errors.ValueOutside),
        ({"scoring": "<b>"}, (), errors.ValueOutside),
        ({"padding": "9"}, (), errors.ValueOutside),
        ({"window": str(2**64)}, (), errors.ValueOutside),
        ({"window": "9" * 5000}, ("window",), None),
        ({"H": str(2**64)}, (), errors.ValueOutside),
        ({"padding": str(2**64)}, (), errors.ValueOutside),
        ({"temperature": "1e400"}, (), errors.ValueOutside),
        ({"times": "-1e400"}, (), errors.ValueOutside),
        ({"X": "1e400"}, (), errors.CellOutside),
    ],
)
def test_links_that_cannot_be_read_fall_back(
    link: dict[str, str], wrong: tuple[str, ...], error: type[errors.CalculatorError] | None
) -> None:
    found = from_link(link)
    assert set(found.wrong) == set(wrong)
    assert found.problem == PRESETS[FIRST]
    assert found.error is None if error is None else isinstance(found.error, error)


def test_large_tables_are_whole_in_a_file() -> None:
    wide = tuple(tuple(0.123 * (i + j) for j in range(30)) for i in range(30))
    problem = Problem({"q": wide, "k": wide, "v": wide}, given="qkv")
    assert from_json(to_json(problem), "a.json") == problem


def changed(**changes: Any) -> str:
    return json.dumps({**json.loads(to_json(PRESETS["multi-head"])), **changes})


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", errors.FileNotProblem),
        ("{", errors.FileNotProblem),
        ("[" * 100_000, errors.FileNotProblem),
        ("[1]", errors.FileNotProblem),
        ('{"attnviz": "run"}', errors.FileNotProblem),
        (changed(version=2), errors.FileNotProblem),
        (changed(tables=[]), errors.FileNotProblem),
        (changed(tables={"X": 3}), errors.FileNotProblem),
        (changed(tables={"X": [["a"]]}), errors.CellNotNumber),
        (changed(tables={"X": [[1], [1, 2]]}), errors.TableRagged),
        (changed(tables={}), errors.TableEmpty),
        (changed(heads="2"), errors.FileNotProblem),
        (changed(heads=1.5), errors.FileNotProblem),
        (changed(heads=None), errors.FileNotProblem),
        (changed(causal="x"), errors.FileNotProblem),
        (changed(padding="x"), errors.FileNotProblem),
        (changed(temperature="hot"), errors.FileNotProblem),
        (changed(scoring=3), errors.FileNotProblem),
        (changed(temperature=0), errors.ValueOutside),
        (changed(temperature=10**400), errors.FileNotProblem),
        (changed(temperature="1e400"), errors.ValueOutside),
        (changed(scale=-(10**400)), errors.FileNotProblem),
        (changed(scale=float("nan")), errors.FileNotProblem),
        (changed(scale=float("inf")), errors.FileNotProblem),
        (changed(scale=[1]), errors.FileNotProblem),
        (changed(window=2**64), errors.ValueOutside),
        (changed(window=65), errors.ValueOutside),
        (changed(window=10**400), errors.ValueOutside),
        (changed(window=-1), errors.ValueOutside),
        (changed(window=True), errors.FileNotProblem),
        (changed(window=[[1]]), errors.FileNotProblem),
        (changed(heads=10**400), errors.ValueOutside),
        (changed(heads=True), errors.FileNotProblem),
        (changed(padding=[10**400]), errors.ValueOutside),
        (changed(padding=[[0]]), errors.FileNotProblem),
        (changed(padding={"a": 1}), errors.FileNotProblem),
        (changed(tables={"X": [[10**400]]}), errors.CellOutside),
        (changed(tables={"X": [[None]]}), errors.CellNotNumber),
        (changed(tables={"X": [[[1]]]}), errors.CellNotNumber),
        (changed(tables={"X": [[]]}), errors.TableEmpty),
        (changed(heads=2).replace('"heads": 2', '"heads": 2, "heads": 1'), errors.FileNotProblem),
        (changed(tables={"X": [[0]]}).replace("0]]", "1e999]]"), errors.FileNotProblem),
        (changed(tables={"X": [[0]]}).replace("0]]", f"{'9' * 5000}]]"), errors.FileNotProblem),
        (changed(tables={"X": [[0]]}).replace("0]]", f"{'[' * 900}{']' * 900}]]"), errors.FileNotProblem),
    ],
)
def test_files_that_are_something_else(text: str, error: type[errors.AttnvizError]) -> None:
    with pytest.raises(error):
        from_json(text, "mine.json")
