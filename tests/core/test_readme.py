"""The README says what is true: its example runs, its table is the zoo's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from torch import Generator

import attnviz
from attnviz.analysis.scores import rounded
from attnviz.models import AnyConfig, ModelCard, ModelConfig
from attnviz.models.bundle import read_config
from attnviz.models.recurrent_config import config_from_dict
from attnviz.tasks import Task
from attnviz.training import RECIPES
from attnviz.training.run.probe import sequences
from attnviz.zoo import zoo_path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_example_runs(tmp_path: Path) -> None:
    (source,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    command = [sys.executable, "-W", "error", "-c", source]
    printed = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    tokens, *_, error = printed.splitlines()
    assert tokens == "('g', 'f', 'e', 'd', 'c', '<eos>')"
    assert float(error) < 1e-5
    assert (tmp_path / "trace.npz").exists()


def zoo_table() -> str:
    """A row for each model that ships: what it reached on test data, and the best that was had there without one."""
    rows = [
        "| name | what it does | network | parameters | on test data | 95 % interval | judged on | without a network |",
        "|---|---|---|---:|---|---|---:|---|",
    ]
    for entry in attnviz.zoo():
        card = ModelCard.from_dict(read_config(zoo_path(entry.name))["card"])
        model = config_from_dict(read_config(zoo_path(entry.name))["model"])
        lower = entry.metric == "nats per symbol"
        best = (min if lower else max)((score for _, score in card.baselines), default=None)
        score = f"{entry.metric} {rounded(entry.score)}"
        interval = "" if card.interval is None else " to ".join(map(rounded, card.interval))
        on = f"{'all ' if RECIPES[entry.name].task.items() is not None else ''}{card.judged:,}"
        cells = (entry.name, entry.title, network(model), f"{entry.size:,}", score, interval, on)
        rows.append(f"| {' | '.join(cells)} | {'' if best is None else rounded(best)} |")
    return "\n".join(row.replace("|  |", "| |") for row in rows)


def network(model: AnyConfig) -> str:
    """In a few words."""
    if isinstance(model, ModelConfig):
        return f"Transformer, {model.architecture}"
    scores = next(
        (kind for kind in (model.attention, model.pooling) if kind not in ("none", "last", "mean", "max")), ""
    )
    attends = f" + {scores.replace('_', ' ')} attention" if scores else ""
    return f"{model.cell.upper()}{attends}, {model.architecture}"


def task_table() -> str:
    """A row for each recipe: its task, what it must reach, and where attention is expected to look."""
    rows = ["| recipe | what is learned | target | expected attention |", "|---|---|---|---|"]
    for recipe in RECIPES.values():
        target = "none: a contrast" if recipe.exempt else f"{recipe.task.metric} {recipe.target:g}"
        rows.append(f"| {recipe.name} | {recipe.title} | {target} | {patterns(recipe.task)} |")
    return "\n".join(row.replace("|  |", "| |") for row in rows)


def patterns(task: Task) -> str:
    """Names of the expected patterns of one test sequence."""
    row = sequences(task.sample(1, Generator().manual_seed(0), "test"), 1)[0]
    source = None if row.source is None else row.source[0].tolist()
    return ", ".join(pattern.name for pattern in task.expected(row.tokens[0].tolist(), source))


TABLES = {"zoo": zoo_table, "tasks": task_table}


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_those_of_the_code(name: str) -> None:
    _, inside, _ = parts(README, name)
    assert inside.strip() == TABLES[name](), "write it anew: python -m tests.core.test_readme"


def parts(text: str, name: str) -> tuple[str, str, str]:
    """What stands before a table, the table, and what stands after it."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, rest = text.split(begin)
    inside, after = rest.split(end)
    return before + begin, inside, end + after


def test_the_picture_exists() -> None:
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file()


if __name__ == "__main__":
    text = README
    for name, table in TABLES.items():
        before, _, after = parts(text, name)
        text = f"{before}\n{table()}\n{after}"
    (ROOT / "README.md").write_text(text, "utf-8")
