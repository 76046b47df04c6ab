"""Routes of the tab Outputs: the lens, and the parts of a logit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from starlette.applications import Starlette

from attnviz.server import forward
from attnviz.server.routes import routes
from attnviz.server.traces import Held, TraceKey
from attnviz.server.why import EXPLAINING
from attnviz.view.logits import MOST_COLUMNS, MOST_REMOVED, lens_columns, told_parts
from tests.ui.asgi import awaited, get

APP = Starlette(routes=routes())
INDUCTION = TraceKey("induction", "k d w q a k d")


def asked(held: Held, path: str, **params: str) -> dict[str, Any]:
    """Return the server's answer when it is over."""
    return awaited(APP, EXPLAINING, f"/attnviz/trace/{held.id}/{path}", **params)


def test_the_lens_has_a_row_for_the_embeddings_and_for_each_layer_and_ends_with_the_answer() -> None:
    held = forward.run(INDUCTION)
    found = asked(held, "lens", start="0")["result"]
    ids, probabilities = held.trace.top_outputs(3)
    assert (found["start"], found["length"], len(found["outputs"])) == (0, 7, 3)
    last = [[found["labels"][output] for output in cell] for cell in found["outputs"][-1]]
    assert held.trace.outputs is not None
    assert last == [[held.trace.outputs.label(output) for output in row] for row in ids.tolist()]
    torch.testing.assert_close(torch.tensor(found["probabilities"][-1]), probabilities)
    assert found["labels"][found["outputs"][-1][6][0]] == "w"


def test_a_long_text_is_sent_a_window_at_a_time() -> None:
    trace = forward.run(INDUCTION._replace(text=" ".join("abcdefghijklmnopqrst" * 3))).trace
    lens, last = trace.lens(2), len(trace.tokens) - MOST_COLUMNS
    for start, wanted in ((0, 0), (10, 10), (59, last), (10**9, last)):
        found = lens_columns(trace, lens, start, "en")
        assert (found["start"], found["length"], len(found["outputs"][0])) == (wanted, len(trace.tokens), MOST_COLUMNS)


def test_the_parts_of_a_logit_add_up_to_it_and_name_the_head_that_wrote_it() -> None:
    held = forward.run(INDUCTION)
    label, logits = held.trace.outputs, held.trace.logits[6]
    assert label is not None
    best, second = logits.topk(2).indices.tolist()
    found = asked(held, "parts", row="6")["result"]
    assert (found["position"], found["token"], found["against"]) == (6, "w", None)
    assert found["logit"] == pytest.approx(float(logits[best]), abs=1e-4)
    assert sum(part["share"] for part in found["parts"]) == pytest.approx(found["logit"], abs=1e-3)
    first = found["parts"][0]
    assert (first["kind"], first["site"], first["head"]) == ("head", "decoder.1.self", 0)
    parts = held.trace.logit_parts(6).parts
    assert [part["if_removed"] for part in found["parts"]] == [
        pytest.approx(part.if_removed, abs=1e-4) if at < MOST_REMOVED else None for at, part in enumerate(parts)
    ]
    pair = asked(held, "parts", row="6", token=str(second), against=str(best))["result"]
    assert (pair["token"], pair["against"]) == (label.label(second), "w")
    assert pair["logit"] == pytest.approx(float(logits[second] - logits[best]), abs=1e-4)


def test_how_a_logit_changes_without_each_part_is_told_of_all_where_all_are_asked_for() -> None:
    trace = forward.run(TraceKey("dates", "3rd of March 2021", "2021")).trace
    found = trace.logit_parts(0)
    assert len(found.parts) > MOST_REMOVED
    for all_removed, told in ((False, MOST_REMOVED), (True, len(found.parts))):
        parts = told_parts(trace, found, "en", all_removed)["parts"]
        assert sum(part["if_removed"] is not None for part in parts) == told
        assert all(part["if_removed"] is not None for part in parts[:told])


@pytest.mark.parametrize(
    ("key", "columns", "split"),
    [
        (TraceKey("dates", "3rd of March 2021", "2021"), 5, True),
        (TraceKey("entities", "Anna went to Paris"), None, True),
        (TraceKey("tiny-gpt2", "hello world"), None, True),
        (TraceKey("tiny-bert", "hello [MASK]"), None, False),
        (TraceKey("tiny-vit", "", image="cat"), 1, False),
    ],
    ids=["encoder-decoder", "labels", "tied", "a head of several layers", "a class for the whole"],
)
def test_every_kind_of_model_is_read_or_refused_in_words(
    key: TraceKey, columns: int | None, split: bool, operator_real_models: None
) -> None:
    held = forward.run(key)
    logits = held.trace.logits
    lens = asked(held, "lens", start="0")["result"]
    assert lens["length"] == len(logits) == (columns or len(logits))
    parts = asked(held, "parts", row="0")
    if split:
        assert parts["result"]["logit"] == pytest.approx(float(logits[0].max()), abs=1e-4)
    else:
        assert "cannot be split" in parts["failed"]


@pytest.mark.parametrize("path", ["lens", "parts"])
def test_what_cannot_be_told_is_said_in_the_language_of_the_page(path: str) -> None:
    recurrent = forward.run(TraceKey("dates-lstm", "3rd of March 2021", "2021"))
    values = forward.run(TraceKey("series", "1 2 3 4 5 6 7 8"))
    for held in (recurrent, values):
        said = [asked(held, path, row="0", lang=lang)["failed"] for lang in ("en", "zh")]
        assert said[0].isascii() or "“" in said[0]
        assert not said[1].isascii()
    assert EXPLAINING.thread is None


@pytest.mark.parametrize(
    ("path", "params", "error"),
    [
        ("lens", {"start": "-1"}, "start"),
        ("lens", {"start": "x"}, "start"),
        ("parts", {}, "row"),
        ("parts", {"row": "٣"}, "row"),
        ("parts", {"row": "0", "token": "the"}, "token"),
        ("parts", {"row": "0", "against": "1e3"}, "token"),
    ],
)
def test_wrong_input_is_refused(path: str, params: dict[str, str], error: str) -> None:
    assert asked(forward.run(INDUCTION), path, **params) == {"error": error}


def test_a_place_that_there_is_not_is_said() -> None:
    held = forward.run(INDUCTION)
    assert "position 99" in asked(held, "parts", row="99")["failed"]
    assert "100000" in asked(held, "parts", row="0", token="100000")["failed"]
    assert get(APP, f"/attnviz/trace/{held.id}/lens", params={"who": "<b>"}).status == 400
