"""The README says what is true: its example runs, its table is the zoo's."""

import re
import subprocess
import sys
from pathlib import Path

import attnviz

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


def test_the_table_lists_the_zoo() -> None:
    rows = re.findall(r"^\| (\w+) \| [^|]+ \| ([\w-]+) \| ([\d,]+) \| ([^|]+?) \|$", README, re.MULTILINE)
    expected = [(e.name, e.architecture, f"{e.size:,}", f"{e.metric} {e.score:.3f}") for e in attnviz.zoo()]
    assert rows == expected


def test_the_picture_exists() -> None:
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file()
