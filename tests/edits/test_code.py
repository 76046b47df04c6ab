"""Code of what is on screen: the lines that a page shows give the very numbers."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import pytest
import torch

import attnviz
from attnviz import edits
from attnviz.edits.code import HEAD, LOCKS, code_of
from attnviz.models import SequenceModel
from attnviz.trace import Edit, Trace

SITE = "decoder.0.self"
TEXT = "d a c b >"


def ran(lines: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(lines, "code", "exec"), names)  # noqa: S102
    return names


@pytest.fixture(scope="module")
def model() -> SequenceModel:
    model = attnviz.load_model("zoo/sort")
    assert isinstance(model, SequenceModel)
    return model


@pytest.fixture(scope="module")
def source(model: SequenceModel) -> Trace:
    return attnviz.trace(model, "a c d b >")


def every_edit(source: Trace) -> list[Edit]:
    return [
        edits.cut(SITE, key=1),
        edits.cut(SITE, query=4, key=2, head=0),
        edits.temperature(SITE, 0, 0.5),
        edits.temperature(SITE, None, 2),
        edits.no_scale(SITE),
        edits.no_mask(SITE, 0),
        edits.no_positions(),
        edits.set_weights(SITE, 0, "uniform"),
        edits.set_weights(SITE, 0, torch.eye(5).tolist()),
        edits.scale_head(SITE, 0, 2.5),
        edits.head_off(SITE, 0),
        edits.head_off(SITE, 0, "running_mean"),
        edits.patch(SITE, 0, [1, 2], source),
        edits.patch(SITE, 0, [1, 2], source, [2, 3]),
        edits.patch_stream(0, [4], source),
    ]


def test_the_lines_of_every_edit_give_the_numbers_on_screen(model: SequenceModel, source: Trace) -> None:
    for edit in every_edit(source):
        trace = attnviz.trace(model, TEXT, edits=[edit])
        found = ran(f"{code_of(trace, 'zoo/sort')}\n{HEAD.format(site=SITE, head=0)}")
        assert torch.equal(found["trace"].logits, trace.logits), edit
        assert torch.equal(found["weights"], trace.site(SITE).weights(0)), edit
    several = attnviz.trace(model, TEXT, edits=every_edit(source)[-3:])
    assert torch.equal(ran(code_of(several))["trace"].logits, several.logits)


def test_what_is_locked_is_printed(model: SequenceModel, capsys: pytest.CaptureFixture[str]) -> None:
    trace = attnviz.trace(model, TEXT)
    weights = trace.site(SITE).weights(0)
    for lock, wanted in (("pair", weights[3, 1]), ("query", weights[3]), ("key", weights[:, 1]), ("none", weights)):
        given = {"site": SITE, "head": 0, "query": 3, "key": 1}
        ran("\n".join((code_of(trace), HEAD.format(**given), LOCKS[lock].format(**given))))
        assert capsys.readouterr().out == str(wanted) + "\n"


def test_texts_come_back_as_they_were(model: SequenceModel) -> None:
    dates = attnviz.load_model("zoo/dates")
    for target in (None, "2021-03"):
        trace = attnviz.trace(dates, "3rd of March 2021", target)
        assert torch.equal(ran(code_of(trace))["trace"].logits, trace.logits)
    strange = replace(trace, text='"Don\'t" said\tthe {x} \\n\n \U0001f98a', target=None)
    texts = [node.value for node in ast.walk(ast.parse(code_of(strange))) if isinstance(node, ast.Constant)]
    assert strange.text in texts


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"temperature": 1.0, "seed": 3},
        {"top_k": 3, "top_p": 0.9, "seed": 4, "max_new": 3},
        {"beams": 3, "max_new": 4},
        {"max_new": 3, "taken": (6, 5), "edits": [edits.scale_head(SITE, 0, 2.0)]},
    ],
)
def test_what_a_model_wrote_is_written_again(model: SequenceModel, given: dict[str, Any]) -> None:
    written = attnviz.write(model, TEXT, **given)
    again = ran(code_of(written, "zoo/sort"))["trace"]
    assert again.plan == written.plan
    assert [step.token for step in again.steps] == [step.token for step in written.steps]
    assert torch.equal(again.logits, written.logits)


def test_a_begun_target_stays_what_was_begun() -> None:
    written = attnviz.write(attnviz.load_model("zoo/dates"), "3rd of March 2021", "20", max_new=2)
    lines = code_of(written, "zoo/dates")
    assert 'attnviz.write(model, "3rd of March 2021", "20", max_new=2)' in lines
    assert ran(lines)["trace"].target == written.target
