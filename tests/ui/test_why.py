"""The explanation of a score by the server: its numbers, where a walk goes on, what is refused, and what is bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from starlette.applications import Starlette

import attnviz
from attnviz import locale
from attnviz.errors import TakesTooLong
from attnviz.huggingface import wrap
from attnviz.huggingface.sample import sample
from attnviz.server import forward
from attnviz.server import why as server
from attnviz.server.routes import routes
from attnviz.server.traces import Held, TraceKey
from attnviz.trace import Trace
from attnviz.view.why import MOST, told
from tests.huggingface.architectures import ARCHITECTURES
from tests.ui.asgi import Answer, awaited, get

APP = Starlette(routes=routes())
INDUCTION = TraceKey("induction", "a c d b a")
CELL = {"site": "decoder.1.self", "head": "0", "query": "4", "key": "1"}


def ask(held: Held, **params: str) -> Answer:
    return get(APP, f"/attnviz/trace/{held.id}/why", params={"who": "me", **params})


def answer(held: Held, **params: str) -> dict[str, Any]:
    """Return the server's answer when it is over."""
    return awaited(APP, server.EXPLAINING, f"/attnviz/trace/{held.id}/why", **params)


def test_both_sides_add_up_and_a_heads_part_leads_to_what_it_had_read() -> None:
    held = forward.run(INDUCTION)
    result = answer(held, **CELL)["result"]
    found = held.trace.why("decoder.1.self", 0, 4, 1)
    above = found.score - found.row_mean
    assert (result["score"], result["row_mean"]) == (found.score, found.row_mean)
    for side in ("queries", "keys"):
        parts = result[side]["parts"]
        assert sum(part["share"] for part in parts) + result[side]["rest"]["share"] == pytest.approx(above, abs=1e-4)
        assert result[side]["sum"] == pytest.approx(above, abs=1e-4)
    first = result["keys"]["parts"][0]
    assert (first["kind"], first["layer"], first["head"]) == ("head", 0, 0)
    assert (first["site"], first["query"], first["key"]) == ("decoder.0.self", 1, 0)  # the token before
    assert 0.9 < first["source"] / first["share"] <= 1.1
    assert first["if_removed"] == next(part for part in found.keys if part.kind == "head").if_removed
    assert sum(map(sum, result["pairs"])) == pytest.approx(above, abs=1e-4)
    assert [len(row) for row in result["pairs"]] == [3, 3, 3]
    assert result["weight"] == pytest.approx(float(held.trace.site("decoder.1.self").weights(0)[4, 1]))
    below = answer(held, site=first["site"], head="0", query="1", key="0")["result"]
    assert {part["kind"] for side in ("queries", "keys") for part in below[side]["parts"]} <= {
        "token", "position", "same for all", "bias",
    }  # fmt: skip


def test_of_many_parts_the_largest_are_listed_and_the_rest_is_one() -> None:
    trace = forward.run(TraceKey("addition", "12+34=")).trace
    found = told(trace, trace.sites[-1].name, 0, 5, 0)
    for side in ("queries", "keys"):
        parts, rest = found[side]["parts"], found[side]["rest"]
        assert len(parts) == MOST
        assert rest["count"] > 0
        listed = sum(part["share"] for part in parts)
        assert listed + rest["share"] == pytest.approx(found[side]["sum"])
        sizes = [abs(part["share"]) for part in parts]
        assert sizes == sorted(sizes, reverse=True)
    assert [len(row) for row in found["pairs"]] == [MOST + 1] * (MOST + 1)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"site": "nowhere"}, "site"),
        ({"site": ""}, "site"),
        ({"head": "9"}, "head"),
        ({"head": "-1"}, "head"),
        ({"head": "x"}, "head"),
        ({"head": "٣"}, "head"),
        ({"query": "5"}, "cell"),
        ({"key": "-1"}, "cell"),
        ({"key": ""}, "cell"),
        ({"key": "1.5"}, "cell"),
        ({"query": "9" * 40}, "cell"),
        ({"who": "<b>"}, "who"),
    ],
)
def test_a_cell_that_is_none_is_refused(changed: dict[str, str], error: str) -> None:
    answered = ask(forward.run(INDUCTION), **(CELL | changed))
    assert (answered.status, answered.json()) == (400, {"error": error})


@pytest.mark.parametrize(
    ("key", "cell", "reason"),
    [
        (INDUCTION, CELL | {"query": "1", "key": "4"}, "split-hidden"),
        (TraceKey("translation-lstm", "a red house"), {}, "split-additive"),
        (INDUCTION._replace(edits="no-scale:decoder.1.self:0"), CELL, "split-scaled"),
    ],
)
@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_what_cannot_be_split_says_why(key: TraceKey, cell: dict[str, str], reason: str, lang: str) -> None:
    held = forward.run(key)
    place = {"site": held.trace.sites[-1].name, "head": "0", "query": "0", "key": "0"} | cell
    said = answer(held, **place, lang=lang)["failed"]
    beginning = locale.catalogue(lang)[f"error.why.{reason}"].partition("{")[0]
    assert beginning in said
    assert place["site"] in said


def test_cross_attention_leads_into_the_encoder(operator_models: None) -> None:
    held = forward.run(TraceKey("tiny-both", "3rd of March 2021", "2021-03-03"))
    site = next(site for site in reversed(held.trace.sites) if site.kind == "cross")
    result = answer(held, site=site.name, head="1", query="3", key="5")["result"]
    heads = {side: [part for part in result[side]["parts"] if part["kind"] == "head"] for side in ("queries", "keys")}
    assert {part["query"] for part in heads["queries"]} == {3}
    assert {part["query"] for part in heads["keys"]} == {5}
    assert {held.trace.site(part["site"]).stack for part in heads["keys"]} <= {"encoder"}
    assert {held.trace.site(part["site"]).stack for part in heads["queries"]} <= {"decoder"}
    assert sum(map(len, heads.values())) > 0


@pytest.mark.parametrize("name", ["tiny-bert", "tiny-gpt2", "tiny-bart"])
def test_models_of_hugging_face_are_explained(operator_real_models: None, name: str) -> None:
    held = forward.run(TraceKey(name, "the cat sat on the mat"))
    for site in (held.trace.sites[0], held.trace.sites[-1]):
        result = answer(held, site=site.name, head="1", query="2", key="1")["result"]
        above = result["score"] - result["row_mean"]
        for side in ("queries", "keys"):
            assert result[side]["sum"] == pytest.approx(above, abs=1e-4 * max(1.0, abs(result["score"])))


def test_an_edited_pass_is_explained_and_the_edited_head_has_no_source() -> None:
    held = forward.run(INDUCTION._replace(edits="scale:decoder.0.self:0:0.5"))
    result = answer(held, **CELL)["result"]
    head = next(part for part in result["keys"]["parts"] if part["kind"] == "head")
    plain = answer(forward.run(INDUCTION), **CELL)["result"]["keys"]["parts"][0]
    assert head["source"] is None
    assert (head["query"], head["key"]) == (1, 0)
    assert abs(head["share"]) < abs(plain["share"])


def test_numbers_of_few_bits_say_that_they_are_rounded() -> None:
    gpt2 = next(each for each in ARCHITECTURES if each.name == "GPT-2")
    model = wrap(gpt2.build().to(torch.bfloat16))
    trace = attnviz.trace_inputs(model, sample(model.network, model.parameters)[0])
    found = told(trace, trace.sites[-1].name, 0, 4, 1)
    assert found["rounded"] == "bfloat16"
    assert found["proof"]["limit"] > 1e-3


def test_only_the_last_traces_keep_what_their_parts_wrote() -> None:
    few = server.Explained(most=1)
    traces = [forward.run(INDUCTION._replace(text=text)).trace for text in ("a b a", "c d c", "e f e")]
    for trace in traces:
        told(trace, "decoder.1.self", 0, 2, 1)
        few.keep(trace)
    assert [holds(trace) for trace in traces] == [False, False, True]
    few.most = 2**30
    told(traces[0], "decoder.1.self", 0, 2, 1)
    few.keep(traces[0])
    assert [holds(trace) for trace in traces] == [True, False, True]


def holds(trace: Trace) -> bool:
    return "written" in vars(trace)


def test_a_text_that_is_too_long_is_refused_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LARGEST", 1000)
    held = forward.run(INDUCTION._replace(text="a c d b a c"))
    assert "the text has 6 tokens" in answer(held, **CELL)["failed"]
    assert not holds(held.trace)


def test_what_takes_too_long_ends_between_two_steps_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.EXPLAINING, "seconds", -1)
    held = forward.run(INDUCTION._replace(text="b c d b a c d"))
    said = answer(held, **CELL)["failed"]
    assert said == locale.told("en", TakesTooLong(-1).code, {"seconds": -1})
    assert not holds(held.trace)
    monkeypatch.undo()
    assert "failed" in answer(held, **CELL)  # it is not tried again and again
    assert json.dumps(answer(held, **(CELL | {"key": "0"})))
