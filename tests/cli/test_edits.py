"""`attnviz trace --off --cut`, and `attnviz sweep-heads`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import attnviz
from attnviz import edits
from attnviz.cli import main

SWEEP = ["sweep-heads", "zoo/reverse", "g f e d c", "--token", "c", "--position", "0"]


def test_a_trace_under_edits(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--off", "encoder.0.self:1", "--cut", "encoder.1.self:*:2", "--layer", "1", "--json"]
    assert main(["trace", "zoo/reverse", "g f e d c", *given]) == 0
    told = json.loads(capsys.readouterr().out)
    changes = [edits.head_off("encoder.0.self", 1), edits.cut("encoder.1.self", key=2)]
    trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c", edits=changes)
    assert told["weights"] == trace.site("encoder.1.self").weights(0).tolist()


def test_any_edit_as_an_address_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--edit", "temperature:encoder.0.self:1:0.5", "--edit", "patch:encoder.1.self:0:0-1=1:c d e;no-positions"]
    assert main(["trace", "zoo/reverse", "g f e d c", *given, "--layer", "1", "--json"]) == 0
    model = attnviz.load_model("zoo/reverse")
    source = attnviz.trace(model, "c d e")
    changes = [
        edits.temperature("encoder.0.self", 1, 0.5),
        edits.patch("encoder.1.self", 0, [0, 1], source, [1, 2]),
        edits.no_positions(),
    ]
    trace = attnviz.trace(model, "g f e d c", edits=changes)
    assert json.loads(capsys.readouterr().out)["weights"] == trace.site("encoder.1.self").weights(0).tolist()
    assert main(["trace", "zoo/reverse", "g f e d c", "--edit", "off:encoder.0.self"]) == 1
    assert "write off:SITE:HEAD[:mean]" in capsys.readouterr().err


@pytest.mark.parametrize("given", [["--off", "encoder.0.self"], ["--off", "a:*"], ["--cut", "a:1"], ["--cut", "a:x:1"]])
def test_an_edit_that_is_none(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "zoo/reverse", "g f e d c", *given]) == 2
    assert given[0] in capsys.readouterr().err


def test_every_head_off(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(SWEEP) == 0
    first, names, worst, *_ = capsys.readouterr().out.splitlines()
    assert first == "'c' at 0: probability 1.0000"
    assert names.split() == ["site", "head", "probability", "rank", "loss", "KL"]
    assert worst.split()[:2] == ["encoder.0.self", "1"]
    assert main([*SWEEP, "--csv", str(tmp_path / "heads.csv")]) == 0
    assert len((tmp_path / "heads.csv").read_text().splitlines()) == 5


def test_every_head_off_as_a_map_that_leads_to_the_heads(tmp_path: Path) -> None:
    assert main([*SWEEP, "--html", str(tmp_path / "heads.html")]) == 0
    page = (tmp_path / "heads.html").read_text("utf-8")
    table = page[page.index('<table class="page-sweep">') : page.index("</table>")]
    assert '<th scope="row">Encoder self-attention · Layer 0</th>' in table
    found = attnviz.sweep(attnviz.load_model("zoo/reverse"), "g f e d c", token="c", position=0)
    link = r"#layer=(\d)&amp;stack=encoder&amp;kind=self&amp;head=(\d)"
    cells = re.findall(rf'--share: (\d+)%"><a href="{link}">([\d.]+)</a>', table)
    told = {(int(layer), int(head)): float(value) for _, layer, head, value in cells}
    assert told == {(at, head): round(float(found.probability[at, head]), 3) for at in (0, 1) for head in (0, 1)}
    assert max(int(share) for share, *_ in cells) == 100
    assert 'data-part="encoder.0.self/1"' in page  # the head that is missed most has all its numbers
