"""Hold README and documentation to the truth: code runs, tables are the code's, pictures are there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from pkgutil import resolve_name

import pytest

from attnviz import locale
from attnviz.cli import main
from tests.docs.tables import DOCS, TABLES, parts
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.tokenizers import byte_level

ROOT = DOCS.parent
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
PLAIN = re.compile(r"attnviz [^|<>$]*")
"""A command that needs no shell."""
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```(?:\n+```text\n(.*?)^```)?", re.DOTALL | re.MULTILINE)
"""A block that is run, and the text block after it: what it prints, where that is stated."""


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """Return the blocks of a page that are run: (language, source, stated output or "")."""
    return BLOCK.findall(page.read_text("utf-8"))


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the files that the pages tell their readers to have."""
    (tmp_path / "story.txt").write_text("the fox ran to the river .\n" * 60, "utf-8")
    reviews = [f"dish {n} was good;positive\ndish {n} was bad;negative\n" for n in range(30)]
    (tmp_path / "reviews.csv").write_text("text;label\n" + "".join(reviews), "utf-8")
    (tmp_path / "pairs.tsv").write_text("".join(f"{n} and {n + 1}\t{n + 1} {n}\n" for n in range(40)), "utf-8")
    gpt2 = next(architecture for architecture in ARCHITECTURES if architecture.name == "GPT-2")
    tokenizer = byte_level()
    for part in (gpt2.build(vocab_size=len(tokenizer)), tokenizer):
        part.save_pretrained(tmp_path / "models" / "gpt2")
    return tmp_path


def run_commands(source: str) -> None:
    """Run the lines of a shell: plain commands of attnviz in this process, which saves the start of one for each."""
    for is_plain, lines in groupby(source.splitlines(), lambda line: PLAIN.fullmatch(line) is not None):
        if is_plain:
            for line in lines:
                assert main(shlex.split(line, comments=True)[1:]) == 0, line
        else:
            script = ["sh", "-euc", "\n".join(lines)]
            done = subprocess.run(script, capture_output=True, text=True, encoding="utf-8")
            assert done.returncode == 0, done.stderr
            print(done.stdout, end="")


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page)], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_the_code_of_a_page_runs(
    page: Path, desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All blocks of a page run, one after the other, and print what the page says that they print."""
    monkeypatch.chdir(desk)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    names: dict[str, object] = {"__name__": "__main__"}
    for language, source, stated in blocks(page):
        capsys.readouterr()
        if language == "python":
            exec(compile(source, str(page), "exec"), names)  # noqa: S102
        else:
            run_commands(source)
        printed = capsys.readouterr().out
        assert not stated or printed.strip() == stated.strip(), source


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_those_of_the_code(name: str) -> None:
    page, table = TABLES[name]
    _, inside, _ = parts((DOCS / page).read_text("utf-8"), name)
    assert inside.strip() == table(), "write it anew: python -m tests.docs.tables"


PATH = re.compile(r"`((?:attnviz|bench|docs|pages|tests)(?:/[\w.-]+)+)`")
NAME = re.compile(r"`(attnviz(?:\.\w+)+)`")
IN_ITALICS = r"(?<![*\w])\*([^*\s][^*\n]*)\*(?!\*)"
CAPITALS = re.compile(r"[A-Z]{2}")  # stand for what a reader names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_places_in_the_code_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for path in PATH.findall(text):
        assert CAPITALS.search(path) or (ROOT / path).exists(), path
    for name in NAME.findall(text):
        resolve_name(name)


@pytest.mark.parametrize(
    ("lang", "page", "marks"),
    [
        ("en", README, IN_ITALICS),
        ("en", DOCS / "getting-started.md", IN_ITALICS),
        ("en", DOCS / "teachers.md", IN_ITALICS),
        ("zh", DOCS / "zh" / "getting-started.md", "“([^”]*)”"),
    ],
    ids=lambda value: value.stem if isinstance(value, Path) else None,
)
def test_what_is_said_to_stand_on_the_screen_stands_there(lang: str, page: Path, marks: str) -> None:
    messages = {*locale.catalogue(lang).values(), *locale.LANGUAGES.values()}
    named = set(re.findall(marks, page.read_text("utf-8")))
    assert named
    assert named <= messages


def test_the_readme_is_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 120


def test_what_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README.read_text("utf-8"))
    assert links
    for link in links:
        name, _, section = link.partition("#")
        assert (ROOT / name).is_file(), link
        if section:
            titles = re.findall(r"^#+ (.+)$", (ROOT / name).read_text("utf-8"), re.MULTILINE)
            assert section in [re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles], (
                link
            )


def test_the_pictures_are_small() -> None:
    for picture in (DOCS / "assets").iterdir():
        assert picture.stat().st_size < 2**20, picture.name
