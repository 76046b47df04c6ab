"""`attnviz atlas`: a table, a page, and what it says of wrong usage."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from attnviz.cli import main


def test_a_table_of_heads(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["atlas", "zoo/induction"]) == 0
    first, names, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith("48 texts, 2,304 tokens")
    assert names.split() == ["site", "head", "label", "lift", "top", "key", "effect"]
    assert [row.split()[:3] for row in rows] == [
        ["decoder.0.self", "0", "previous"],
        ["decoder.1.self", "0", "induction"],
    ]


def test_a_page_of_texts_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("a c d b e f g a c d b e f g a c d b e f g\nb c d b c d b c d b c d\n", "utf-8")
    given = [
        "--texts",
        str(texts),
        "--html",
        str(tmp_path / "heads"),
        "--server",
        "https://example.org/app",
        "--lang",
        "zh",
    ]
    assert main(["atlas", "zoo/induction", *given]) == 0
    page = (tmp_path / "heads" / "index.html").read_text("utf-8")
    assert "written to" in capsys.readouterr().out
    assert '<html lang="zh">' in page
    found = re.search(r'<script type="application/json" id="attnviz-file">(.*?)</script>', page)
    assert found
    told = json.loads(found[1])
    assert told["counts"] == {"heads": 2, "texts": 2, "tokens": 33}
    assert set(told["strings"]) == {"en", "zh"}
    assert [head["site"] for head in told["heads"]] == ["decoder.0.self", "decoder.1.self"]
    assert told["heads"][0]["readings"]["next"]["lift"] is None, "a decoder cannot read it"
    link = next(iter(told["texts"].values()))["link"]
    assert link.startswith("https://example.org/app/explorer?model=zoo%2Finduction&text=a+c+d")


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (["--server", "localhost"], 2, "--server: localhost does not begin with http"),
        (["--html", "FILE"], 2, "is no folder"),
        (["--processes", "0"], 2, "whole number"),
        (["--processes", "1000"], 2, "at most 256"),
        (["--texts", "nothing.txt"], 1, "nothing.txt cannot be used: No such file"),
        (["--texts", "FILE"], 1, "Text 1 cannot be read"),
    ],
)
def test_what_cannot_be_done(
    given: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.txt"
    file.write_text("ünknown\n", "utf-8")
    try:
        ended = main(["atlas", "zoo/reverse", *(str(file) if each == "FILE" else each for each in given)])
    except SystemExit as end:
        ended = int(end.code or 0)
    assert ended == code
    assert said in capsys.readouterr().err
