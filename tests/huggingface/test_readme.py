"""The README's table of architectures is made here: `python -m tests.huggingface.test_readme` writes it anew."""

from __future__ import annotations

from pathlib import Path

from tests.huggingface.architectures import ARCHITECTURES

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- architectures -->", "<!-- end of architectures -->"
KINDS = {
    "vision": "image encoder",
    "two encoders": "text and image encoders",
    "labels": "encoder-decoder",
    "captions": "image to text",
    "sound": "sound encoder",
    "text and image": "decoder of text and image",
}


def table() -> str:
    """A row for each architecture that the tests hold to its own eager attention."""
    rows = [(a.name, KINDS.get(a.kind, a.kind), a.notes) for a in ARCHITECTURES]
    lines = ["| architecture | kind | its attention |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(line.replace("|  |", "| |") for line in lines)


def parts() -> tuple[str, str, str]:
    """What stands before the table, the table, and what stands after it."""
    before, rest = README.read_text(encoding="utf-8").split(BEGIN)
    inside, after = rest.split(END)
    return before, inside.strip(), after


def test_the_readme_lists_the_tested_architectures() -> None:
    assert parts()[1] == table(), "write it anew: python -m tests.huggingface.test_readme"


if __name__ == "__main__":
    before, _, after = parts()
    README.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")
