"""The widget of a notebook: Python and the browser share its traits, and Python answers for the numbers."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import attnviz
from attnviz import edits, locale
from attnviz.errors import EditMeansNothing, NoSuchHead, NoSuchPosition, NoSuchSite, NotSplit
from attnviz.errors.base import Why
from attnviz.trace import Trace
from attnviz.view import standalone, why
from attnviz.view.standalone import Shown
from attnviz.view.widget import TraceWidget
from tests.core.test_payload import unpack
from tests.library.kernel import Kernel
from tests.refused import refused


@pytest.fixture(scope="module")
def trace() -> Trace:
    return attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c")


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


def widget_of(trace: Trace, **options: Any) -> TraceWidget:
    widget = attnviz.show(trace, **options)
    assert isinstance(widget, TraceWidget)
    return widget


def header(widget: TraceWidget) -> dict[str, Any]:
    return unpack(widget._picture)[0]


def test_it_begins_where_it_is_told_and_is_a_widget_for_jupyter(kernel: Kernel, trace: Trace) -> None:
    widget = widget_of(trace, heads=[(1, 1)], height=400)
    assert (widget.site, widget.head, widget.query, widget.key, widget.locked, widget.edits) == (
        "encoder.1.self", 1, None, None, False, ()
    )  # fmt: skip
    assert header(widget)["choice"] | {"site": 1, "head": 1} == header(widget)["choice"]
    assert header(widget)["beside"] is None
    bundle, _ = widget._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    state = widget.get_state()
    assert (state["_height"], state["_title"]) == (400, "Reverse a sequence · g f e d c")
    assert "default-src 'none'" in state["_page"]


def test_what_is_chosen_in_the_browser_arrives_in_python(kernel: Kernel, trace: Trace) -> None:
    widget, seen = widget_of(trace), list[Any]()
    widget.observe(lambda change: seen.append((change["name"], change["new"])), ["head", "query"])
    kernel.say(widget, {"method": "update", "state": {"site": "encoder.1.self", "head": 1, "query": 2, "locked": True}})
    assert (widget.site, widget.head, widget.query, widget.locked) == ("encoder.1.self", 1, 2, True)
    assert sorted(seen) == [("head", 1), ("query", 2)]
    kernel.say(widget, {"method": "update", "state": {"query": None, "locked": False}})
    assert (widget.query, widget.locked) == (None, False)


def test_what_is_set_in_python_arrives_in_the_browser(kernel: Kernel, trace: Trace) -> None:
    widget = widget_of(trace)
    kernel.heard(widget)
    widget.head, widget.key = 1, 3
    told: dict[str, Any] = {}
    for message in kernel.heard(widget):
        told |= message["state"]
    assert told == {"head": 1, "key": 3, "locked": True}
    widget.locked = False
    assert (widget.query, widget.key) == (None, None)
    for name, value, error in (
        ("site", "nowhere", NoSuchSite("nowhere", [site.name for site in trace.sites])),
        ("head", 2, NoSuchHead("encoder.0.self", 2, 1)),
        ("query", 6, NoSuchPosition("encoder.0.self", 6, 5)),
    ):
        with refused(error):
            setattr(widget, name, value)
    assert (widget.site, widget.head, widget.query) == ("encoder.0.self", 1, None)


def test_edits_run_the_model_again_with_the_trace_before_them_beside(kernel: Kernel, trace: Trace) -> None:
    widget = widget_of(trace)
    edit = edits.head_off("encoder.1.self", 0)
    first = header(widget)["trace"]
    widget.edits = [edit]
    assert widget.trace.edits == widget.edits == (edit,)
    assert widget.beside is trace
    told = header(widget)
    assert told["beside"]["names"] == "edit"
    assert told["trace"] != first
    widget.edits = "cut:encoder.0.self:*:*:2;patch:encoder.1.self:1:0:c d e"
    assert [type(edit).__name__ for edit in widget.edits] == ["Cut", "Patch"]
    with refused(NoSuchHead("encoder.1.self", 7, 1)):
        widget.edits = [edits.head_off("encoder.1.self", 7)]
    assert len(widget.edits) == 2
    widget.edits = ()
    assert widget.trace is trace
    assert header(widget)["beside"] is None


def test_the_menu_edits_and_undoes_in_the_browser(kernel: Kernel, trace: Trace) -> None:
    def ask(edit: str) -> dict[str, Any]:
        *_, answer = kernel.say(widget, {"method": "custom", "content": {"ask": "edit", "id": "1", "edit": edit}})
        return dict(answer["content"])

    widget = widget_of(trace, lang="zh")
    offered = header(widget)["what_if"]
    assert sorted(offered) == ["chips", "effect", "no-mask", "no-positions", "no-scale", "patch"]
    assert ask("off:encoder.1.self:0") == {"id": "1"}
    assert edits.write_edits(widget.edits) == "off:encoder.1.self:0"
    assert header(widget)["edits"] == "编码器自注意力 · 第 1 层 · head 0：关闭（置零）"
    assert widget.beside is trace
    ask("patch:encoder.0.self:1:*:g f d c")  # its pairs are found
    ask(offered["no-scale"]["edits"])
    assert [type(edit).__name__ for edit in widget.edits] == ["HeadOff", "Patch", "NoScale", "NoScale"]
    assert "0-1,3-5=2" in edits.write_edits(widget.edits)
    for wrong, said in (("off:encoder.9.self:0", "encoder.9.self"), ("patch:encoder.0.self:1:*:日本", "日")):
        assert said in ask(wrong)["error"]
        assert len(widget.edits) == 4
    for left in (2, 1, 0):
        ask(header(widget)["what_if"]["back"]["edits"])
        assert len(widget.edits) == left
    assert "undo" not in header(widget)["what_if"]
    assert header(widget)["beside"] is None


def test_edits_are_chips_that_are_switched_off_and_taken_away(kernel: Kernel, trace: Trace) -> None:
    def press(at: int, remove: bool) -> dict[str, Any]:
        asked = {"ask": "chip", "id": "1", "at": at, "remove": remove}
        *_, answer = kernel.say(widget, {"method": "custom", "content": asked})
        return dict(answer["content"])

    def chips() -> list[tuple[str, bool]]:
        return [(chip["name"], chip["on"]) for chip in header(widget)["what_if"]["chips"]]

    off, scales = edits.head_off("encoder.1.self", 0), [edits.no_scale(site.name) for site in trace.sites]
    widget = widget_of(trace.with_edits([off]))
    assert chips() == [("Encoder self-attention · layer 1 · head 0: off (zero)", True)]
    widget.edits = [off, *scales]
    assert chips()[1:] == [("No scale in 2 layers", True)]
    press(0, remove=False)
    assert (widget.edits, [on for _, on in chips()]) == ((*scales,), [False, True])
    widget.edits = [*scales, edits.set_weights("encoder.0.self", 1, weights=torch.eye(6))]
    assert [on for _, on in chips()] == [False, True, True]  # what is off stays where Python sets others
    assert chips()[2][0] == "Encoder self-attention · layer 0 · head 1: changed as given in Python"
    press(1, remove=True)
    press(0, remove=False)
    assert [type(edit).__name__ for edit in widget.edits] == ["HeadOff", "SetWeights"]
    assert "index" in press(7, remove=True)["error"]
    for _ in range(5):
        kernel.say(widget, {"method": "custom", "content": {"ask": "edit", "id": "1", "edit": "undo"}})
    assert (widget.edits, header(widget)["what_if"].get("undo")) == ((off,), None)


def computed(kernel: Kernel, widget: TraceWidget, question: str) -> dict[str, Any]:
    """Ask as the browser does, once."""
    asked = {"ask": f"{question}&who=me&lang=en", "id": "1", "trace": header(widget)["trace"]}
    (answer,) = kernel.say(widget, {"method": "custom", "content": asked})
    return dict(answer["content"].get("answer") or answer["content"])


def awaited(kernel: Kernel, widget: TraceWidget, question: str) -> dict[str, Any]:
    """Ask until the answer is there, or why there is none."""
    while not (answer := computed(kernel, widget, question)).keys() & {"result", "failed", "error"}:
        assert answer["done"] <= answer["total"]
    return answer


def test_every_head_is_switched_off_beside_the_kernel(kernel: Kernel, trace: Trace) -> None:
    widget = widget_of(trace)
    output = int(trace.logits[1].argmax())
    found = attnviz.sweep(attnviz.load_model("zoo/reverse"), "g f e d c", token=output, position=1)
    told = awaited(kernel, widget, f"sweep?row=1&output={output}")["result"]
    assert told["probability"] == found.probability.tolist()
    assert "99" in awaited(kernel, widget, "sweep?row=99&output=0")["failed"]
    assert computed(kernel, widget, "sweep?row=1&output=0&stop=1")["answer"] == {}
    assert computed(kernel, widget, "sweep?row=1")["error"]


def test_python_tells_why_a_query_reads_a_key_and_what_the_outputs_owe(kernel: Kernel) -> None:
    trace = attnviz.trace(attnviz.load_model("zoo/induction"), "a c d b a")
    widget = widget_of(trace, lang="zh")
    assert set(header(widget)["later"]) == {"logits", "plane", "why"}
    told = awaited(kernel, widget, "why?site=decoder.1.self&head=0&query=4&key=1")["result"]
    assert told == why.told(trace, "decoder.1.self", 0, 4, 1)
    first = told["keys"]["parts"][0]  # the next cell of the walk
    assert (first["site"], first["head"], first["query"], first["key"]) == ("decoder.0.self", 0, 1, 0)
    parts = awaited(kernel, widget, "parts?row=4")["result"]["parts"]
    assert [part["share"] for part in parts] == [part.share for part in trace.logit_parts(4).parts]
    assert len(awaited(kernel, widget, "lens?start=0")["result"]["outputs"]) == 3
    widget.edits = "off:decoder.0.self:0"  # another trace: head 0.0 writes nothing that could be read
    told = awaited(kernel, widget, "why?site=decoder.1.self&head=0&query=4&key=1")["result"]
    assert told["keys"]["parts"][0]["kind"] != "head"

    widget = widget_of(replace(trace, forward_pass=SimpleNamespace(logits=trace.forward_pass.logits)), lang="zh")
    refusal = NotSplit("induction", Why("split-no-model"))
    said = locale.told("zh", refusal.code, refusal.details)
    assert awaited(kernel, widget, "why?site=decoder.1.self&head=0&query=4&key=1") == {"failed": said}
    assert awaited(kernel, widget, "why?site=decoder.1.self&head=0")["error"]
    assert awaited(kernel, widget, "else?")["error"]


def test_python_answers_for_the_numbers_of_both_traces(kernel: Kernel, trace: Trace) -> None:
    widget = widget_of(trace.with_edits([edits.cut("encoder.1.self", key=0)]), beside=trace)
    picture, arrays = unpack(widget._picture)
    names = [picture["trace"], unpack(arrays["beside"].tobytes())[0]["trace"]]
    for name, held in zip(names, (widget.trace, trace), strict=True):
        asked = {
            "ask": "bundle",
            "id": "1",
            "trace": name,
            "site": "encoder.1.self",
            "heads": [1],
            "stages": ["weights"],
        }
        (answer,) = kernel.say(widget, {"method": "custom", "content": asked})
        assert answer["content"] == {"id": "1"}
        found = unpack(answer["buffers"][0])[1]["encoder.1.self/1/weights"]
        np.testing.assert_array_equal(found, held.site("encoder.1.self").weights(1).numpy())
        (answer,) = kernel.say(widget, {"method": "custom", "content": {"ask": "proof", "id": "2", "trace": name}})
        assert answer["content"]["answer"]["exact"]
    (answer,) = kernel.say(widget, {"method": "custom", "content": {"ask": "proof", "id": "3", "trace": "gone"}})
    assert "gone" in answer["content"]["error"]


def test_numbers_that_were_typed_cannot_be_run_again(kernel: Kernel, trace: Trace) -> None:
    typed = replace(trace, forward_pass=SimpleNamespace(logits=trace.forward_pass.logits))
    with refused(EditMeansNothing("reverse", Why("no-pass"))):
        widget_of(typed).edits = "no-positions"
    assert header(widget_of(typed))["what_if"] is None


def test_without_anywidget_it_is_the_page_and_says_so(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standalone, "find_spec", lambda name: None if name == "anywidget" else find_spec(name))
    for lang, word in (("en", "makes it a widget"), ("zh", "attnviz[notebook]")):
        shown = attnviz.show(trace, lang=lang)
        assert isinstance(shown, Shown)
        assert word in shown._repr_html_()
        assert "attnviz[notebook]" not in attnviz.show(trace, lang=lang, live=False)._repr_html_()  # type: ignore[union-attr]
