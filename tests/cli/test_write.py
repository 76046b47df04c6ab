"""`attnviz write`: plain text, a table of steps, JSON."""

from __future__ import annotations

import json

import pytest

import attnviz
from attnviz.cli import main


def test_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["write", "zoo/sort", "d a c b >"]) == 0
    assert capsys.readouterr().out == "d a c b > a b c d\n"
    assert main(["write", "zoo/dates", "3rd of March 2021", "--target", "2021"]) == 0
    assert capsys.readouterr().out == "2021-03-03\n"


def test_a_seed_and_its_steps(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["write", "zoo/english", "One day", "--temperature", "1.2", "--top-k", "9", "--seed", "1", "--max-new", "6"]
    assert main([*given, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    model = attnviz.load_model("zoo/english")
    written = attnviz.write(model, "One day", temperature=1.2, top_k=9, seed=1, max_new=6)
    assert told["continuation"] == written.continuation
    assert told["plan"] == "sample,temperature=1.2,top_k=9,seed=1,max_new=6"
    assert [step["id"] for step in told["steps"]] == [step.token for step in written.steps]
    assert told["steps"][0]["kept"] == {"model": 72, "temperature": 72, "top_k": 9}
    assert main([*given, "--steps"]) == 0
    names, *lines = capsys.readouterr().out.splitlines()
    assert names.split()[:3] == ["step", "token", "model"]
    assert len(lines) == 6


def test_beams_under_an_edit(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["write", "zoo/english", "One day", "--beams", "2", "--max-new", "4", "--off", "decoder.0.self:0"]
    assert main([*given, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["edits"] == ["HeadOff(site='decoder.0.self', head=0, baseline='zero')"]
    assert len(told["beams"]) == 4
    assert told["score"] == told["beams"][3][told["path"][3]]["score"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--temperature", "0"], "choose greedy"),
        (["--temperature", "nan"], "from 0.01 to 100"),
        (["--top-k", "0"], "leave it out"),
        (["--beams", "1000"], "from 2 to 16"),
        (["--beams", "2", "--top-p", "0.5"], "leave out beams"),
    ],
)
def test_wrong_settings_say_what_to_give(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["write", "zoo/sort", "d a c b >", *given]) == 1
    assert said in capsys.readouterr().err
