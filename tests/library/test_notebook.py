"""The example notebook: a valid file without outputs, whose cells run one after the other."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

import attnviz
from attnviz.view.widget import TraceWidget

PATH = Path(__file__).parents[2] / "docs" / "example.ipynb"
NOTEBOOK: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
CODE = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def run(source: str, names: dict[str, Any]) -> Any:
    """Run one cell and give the value of its last line, as a notebook does."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), str(PATH), "exec"), names)  # noqa: S102
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), str(PATH), "eval"), names)  # noqa: S307


def test_it_is_a_notebook_of_format_4() -> None:
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    assert NOTEBOOK.keys() == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert NOTEBOOK["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in NOTEBOOK["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in NOTEBOOK["cells"]:
        assert all(isinstance(line, str) for line in cell["source"])
        assert all(line.endswith("\n") for line in cell["source"][:-1])
        kind = {"code": {"execution_count", "outputs"}, "markdown": set[str]()}[cell["cell_type"]]
        assert cell.keys() == {"cell_type", "id", "metadata", "source"} | kind


def test_nothing_that_was_computed_is_stored() -> None:
    for cell in NOTEBOOK["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


def test_the_cells_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    values = [run(source, names) for source in CODE]
    assert "plotly" in str(type(values[-1]))
    assert [type(value).__name__ for value in values].count("Figure") == CODE_WITH_FIGURES
    (shown,) = [value for value in values if isinstance(value, TraceWidget)]
    assert (shown.site, shown.head) == (names["trace"].find(1).name, 0)
    assert (tmp_path / "addition.html").read_text("utf-8").startswith("<!doctype html>")
    assert len(names["table"]) == len(names["trace"].tokens) ** 2
    errors = [float(line.rsplit(" ", 1)[1]) for line in capsys.readouterr().out.splitlines() if "error" in line]
    assert len(errors) == 2
    assert max(errors) < 1e-5


CODE_WITH_FIGURES = sum(source.splitlines()[-1].startswith("attnviz.figures.") for source in CODE)


def test_the_notebook_shows_every_figure_of_a_trace() -> None:
    everything = "\n".join(CODE)
    for name in set(attnviz.figures.__all__) - {"patterns"}:
        assert f"attnviz.figures.{name}(" in everything
