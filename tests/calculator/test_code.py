"""The program of a problem is run, alone, and gives every number of the page."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings

from attnviz.calculator import PRESETS, Problem, program, solve, stages
from tests.calculator.problems import problems


def run(problem: Problem) -> dict[str, torch.Tensor]:
    """What the program leaves under each name."""
    names: dict[str, object] = {"print": lambda *values, **how: None}
    exec(program(problem), names)  # noqa: S102 - what is run is what is tested
    return {name: value for name, value in names.items() if isinstance(value, torch.Tensor)}


def check(problem: Problem) -> None:
    found = run(problem)
    for name, expected in stages(solve(problem)).items():
        torch.testing.assert_close(found[name], expected, atol=1e-6, rtol=1e-6, msg=lambda text, n=name: f"{n}: {text}")


@pytest.mark.parametrize("name", PRESETS)
def test_the_program_of_every_preset(name: str) -> None:
    check(PRESETS[name])


@settings(max_examples=80)
@given(problems())
def test_the_program_of_any_problem(problem: Problem) -> None:
    check(problem)


def test_it_needs_nothing_but_torch() -> None:
    for problem in PRESETS.values():
        imports = [n for n in ast.walk(ast.parse(program(problem))) if isinstance(n, ast.Import | ast.ImportFrom)]
        assert [ast.unparse(node) for node in imports] == ["import torch"]


def test_it_runs_by_itself_and_prints_the_weights() -> None:
    text = subprocess.run(
        [sys.executable, "-W", "error", "-c", program(PRESETS["one-hot"])], capture_output=True, text=True, check=True
    ).stdout
    numbers = [float(number) for number in re.findall(r"\d+\.\d+", text)]
    assert numbers[:3] == pytest.approx([0.5761, 0.2119, 0.2119])
