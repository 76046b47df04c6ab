"""`attnviz why`: the parts of a score, as lines and as JSON, and what cannot be asked."""

from __future__ import annotations

import json

import pytest

import attnviz
from attnviz.cli import main
from tests.training.command_line import refused

INDUCTION = [
    "why",
    "zoo/induction",
    "a c d b a",
    "--site",
    "decoder.1.self",
    "--head",
    "0",
    "--query",
    "4",
    "--key",
    "1",
]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments]) == 0
    streams = capsys.readouterr()
    assert streams.err == ""
    return streams.out


def test_both_sides_are_listed_and_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, *INDUCTION, "--top", "1").splitlines()
    trace = attnviz.trace(attnviz.load_model("zoo/induction"), "a c d b a")
    found = trace.why("decoder.1.self", 0, 4, 1)
    above = found.score - found.row_mean
    assert lines[0] == "decoder.1.self, head 0: query 4 a, key 1 c"
    assert lines[1] == f"score {found.score:.4f}, {above:+.4f} above the mean of its row"
    first = found.keys[0]
    cells = [line.split() for line in lines]
    assert [first.name, f"{first.share:+.4f}", f"{first.if_removed:+.4f}"] in cells
    assert cells.count(["together", f"{above:+.4f}"]) == 2
    assert sum(cell[1:2] == ["others"] for cell in cells) == 2
    assert lines[-1].startswith("error of the sums ")


def test_json_has_all_parts(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, *INDUCTION, "--json"))
    assert (found["site"], found["head"], found["query"], found["key"]) == ("decoder.1.self", 0, 4, 1)
    for side in ("queries", "keys"):
        assert sum(part["share"] for part in found[side]) == pytest.approx(found["score"] - found["row_mean"], abs=1e-4)
        assert set(found[side][0]) == {"name", "kind", "layer", "head", "share", "if_removed"}
    assert set(found["proof"]) == {"sum_error", "linearity_error", "limit", "statistics"}


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [("--site", "decoder.9.self", "decoder.9.self"), ("--head", "7", "7"), ("--key", "99", "no cell (4, 99)")],
)
def test_what_is_not_there_is_named(capsys: pytest.CaptureFixture[str], option: str, value: str, message: str) -> None:
    at = INDUCTION.index(option)
    assert message in refused([*INDUCTION[: at + 1], value, *INDUCTION[at + 2 :]], capsys)


def test_what_is_no_sum_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    recurrent = ["zoo/dates-lstm", "3rd of March 2021", "--target", "2021", "--site", "decoder.0.cross"]
    said = refused(["why", *recurrent, "--head", "0", "--query", "0", "--key", "1"], capsys, code=1)
    assert "it cannot be split into what earlier parts wrote" in said
    assert "query 1 may not read key 4" in refused([*INDUCTION[:-1], "4", "--query", "1"], capsys, code=1)
