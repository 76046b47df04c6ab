"""The one-file page, read back by the rules of its own modules."""

from __future__ import annotations

import html
import json
import re
import zlib
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import attnviz
from attnviz.models import SequenceModel
from attnviz.trace import ProofEntry, Tokens, Trace
from attnviz.view import STATIC, page, standalone
from attnviz.view.parts import Rounding, deflated, rounded_weights
from attnviz.view.standalone import show, to_html
from tests.core.test_payload import unpack
from tests.gpt2_shape import random_trace

Make = Callable[..., SequenceModel]
ATTACK = '</script></style><img src=x onerror="alert(1)"><!--<script>alert(2)</script>'
STAGES = ("q", "k", "v", "scores", "masked", "weights", "context", "w_o", "output")


class Page(HTMLParser):
    """What a browser makes of the file: elements, and the text of scripts and of the heading."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, tuple[dict[str, str | None], str]] = {}  # by module, part or id
        self.text = ""
        self.inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            attributes = self.elements[-1][1]
            name = attributes.get("data-part") or attributes.get("id") or "boot"
            self.scripts[name] = (attributes, self.scripts.get(name, ({}, ""))[1] + data)
        elif self.inside != "style":
            self.text += data

    def index(self) -> dict[str, Any]:
        index: dict[str, Any] = json.loads(self.scripts["attnviz-file"][1])
        return index

    def part(self, name: str) -> bytes:
        attributes, text = self.scripts[name]
        return inflated(text, int(attributes["data-planes"] or 0))

    def weights(self, site: str, head: int) -> np.ndarray:
        """Rounded weights, as embedded.js reads them."""
        index = self.index()
        heads, (rows, cols) = index["rounded"][site]["heads"], index["rounded"][site]["shape"]
        steps = np.frombuffer(self.part(site), "<u2")
        weights, at = np.zeros((rows, cols), np.float32), rows
        for row, length in enumerate(steps[:rows].astype(int)):
            start = at + heads.index(head) * length
            weights[row, :length] = steps[start : start + length] / index["levels"]
            at += len(heads) * length
        assert at == steps.size
        return weights


def inflated(text: str, planes: int) -> bytes:
    return np.frombuffer(zlib.decompress(b64decode(text, validate=True), -15), np.uint8).reshape(planes, -1).T.tobytes()


def saved(trace: Trace, folder: Path, **options: Any) -> Page:
    return Page(to_html(trace, folder / "page.html", **options).read_text("utf-8"))


@pytest.fixture
def trace(make_model: Make) -> Trace:
    return attnviz.trace(make_model("encoder-decoder"), "a b c d", "a c")


@pytest.mark.parametrize("planes", [1, 2, 4])
def test_parts_are_read_back_as_they_were(planes: int) -> None:
    raw = np.random.default_rng(0).bytes(1003)
    part = deflated(raw, planes)
    assert inflated(part.text, planes)[: len(raw)] == raw
    assert not set(part.text) & set("<>&\"'\\`")


def test_the_chosen_heads_come_bit_for_bit(trace: Trace, tmp_path: Path) -> None:
    page = saved(trace, tmp_path, heads=[("decoder.1.cross", 3), (0, 1)])
    assert page.index()["whole"].keys() == {"decoder.1.cross", "decoder.0.self"}
    for name, head in (("decoder.1.cross", 3), ("decoder.0.self", 1)):
        site = trace.site(name)
        _, arrays = unpack(page.part(f"{name}/{head}"))
        own = {"q": site.q[head], "k": site.k[head], "v": site.v[head], **site.chain(head)._asdict()}
        own["w_o"] = site.output_weights(head)
        for stage in STAGES:
            np.testing.assert_array_equal(arrays[f"{name}/{head}/{stage}"], own[stage])
        inputs = trace.inputs(name)
        assert inputs is not None
        np.testing.assert_array_equal(arrays[f"{name}/x"], inputs.x)
        stages = page.index()["whole"][name][str(head)]
        assert set(stages) == {*STAGES, "w_q", "w_k", "w_v", "x", *(["x_kv"] if site.kind == "cross" else [])}
    header, arrays = unpack(page.part("overview"))
    assert header["choice"] == {"site": 5, "head": 3, "query": None, "key": None, "locked": False}
    assert header["tokens"]["encoder"] == ["a", " ", "b", " ", "c", " ", "d"]
    assert header["data_url"] == ""
    assert "thumbs/encoder.1.self" in arrays
    assert "outputs/probs" in arrays


def test_all_other_heads_come_rounded_to_the_nearest_step(trace: Trace, tmp_path: Path) -> None:
    page = saved(trace, tmp_path, heads=[("decoder.1.cross", 3)])
    index = page.index()
    assert (index["levels"], index["decimals"]) == (10_000, 4)
    seen = 0
    for site in trace.sites:
        for head in index["rounded"][site.name]["heads"]:
            weights = page.weights(site.name, head)
            assert np.abs(weights - site.weights(head).numpy()).max() <= 0.5e-4 + 1e-6
            decimals = np.array([f"{weight:.4f}" for weight in weights.flat], np.float32)
            np.testing.assert_array_equal(weights.ravel(), decimals)  # so four decimals name the number
            seen += 1
    assert seen == sum(site.n_heads for site in trace.sites) - 1


def test_empty_rows_and_windows_round_trip() -> None:
    trace = random_trace(7)
    site = trace.sites[0]
    hidden = replace(site, mask=replace(site.mask, window=3, keys=torch.tensor([False] * 3 + [True] * 4)))
    steps = np.frombuffer(rounded_weights(hidden, [2, 5], Rounding(5000, 4)), "<u2")
    assert list(steps[:7]) == [0, 0, 0, 4, 5, 6, 7]
    row = steps[7 + 2 * (4 + 5 + 6) :]
    np.testing.assert_array_equal(row, np.concatenate([(hidden.weights(h)[6] * 5000).round() for h in (2, 5)]))


def test_every_head_can_come_whole(trace: Trace, tmp_path: Path) -> None:
    page = saved(trace, tmp_path, heads="all")
    index = page.index()
    assert index["rounded"] == {}
    assert {name: len(heads) for name, heads in index["whole"].items()} == {s.name: s.n_heads for s in trace.sites}
    assert "every head" in page.text


def test_a_head_named_twice_comes_once(trace: Trace, tmp_path: Path) -> None:
    page = saved(trace, tmp_path, heads=[(0, 1), ("decoder.0.self", 1)])
    assert page.index()["whole"].keys() == {"decoder.0.self"}


def test_without_a_choice_the_first_head_comes_whole(trace: Trace, tmp_path: Path) -> None:
    assert list(saved(trace, tmp_path).index()["whole"]) == [trace.sites[0].name]


def test_a_file_that_would_grow_too_large_is_rounded_more(
    trace: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standalone, "ROUNDED_LIMIT", 1)
    page = saved(trace, tmp_path)
    assert (page.index()["levels"], page.index()["decimals"]) == (1_000, 3)
    assert "multiples of 0.001;" in page.text or "multiples of 0.001." in page.text
    np.testing.assert_allclose(
        page.weights("decoder.0.cross", 0), trace.site("decoder.0.cross").weights(0), atol=0.5001e-3
    )


def test_the_proof_comes_along(trace: Trace, tmp_path: Path) -> None:
    proof = saved(trace, tmp_path).index()["proof"]
    assert proof["max_abs_error"] == max(entry.max_abs_error for entry in trace.proof())
    assert [site["name"] for site in proof["sites"]] == [site.name for site in trace.sites]


def test_a_proof_that_is_no_number_or_that_nobody_gave_is_not_hidden(tmp_path: Path) -> None:
    trace = random_trace(3)
    broken = SimpleNamespace(**vars(trace.forward_pass), logits=trace.forward_pass.logits, inputs=dict)
    broken.proof = lambda sites: [ProofEntry("a", 0.5, 0.25), ProofEntry("b", 0.0, float("nan"))]
    assert saved(replace(trace, forward_pass=broken), tmp_path).index()["proof"] == {
        "sites": [{"name": "a", "max_abs_error": 0.5}, {"name": "b", "max_abs_error": None}],
        "max_abs_error": None,
        "exact": False,
    }
    broken.proof = lambda sites: []
    assert saved(replace(trace, forward_pass=broken), tmp_path).index()["proof"] is None


def test_an_input_that_cannot_be_told_is_not_promised(tmp_path: Path) -> None:
    trace = random_trace(3)
    silent = SimpleNamespace(**vars(trace.forward_pass), logits=trace.forward_pass.logits, inputs=dict)
    silent.proof = trace.forward_pass.proof
    page = saved(replace(trace, forward_pass=silent), tmp_path)
    assert sorted(page.index()["whole"]["decoder.0.self"]["0"]) == sorted({*STAGES} - {"w_o"})


def test_the_page_needs_nothing_but_itself(trace: Trace, tmp_path: Path) -> None:
    page = saved(trace, tmp_path)
    assert not [(tag, a) for tag, a in page.elements if tag in ("link", "img", "iframe", "object", "base")]
    assert not [a for _, a in page.elements if {"src", "href", "srcset"} & a.keys()]
    text = zlib.decompress(b64decode(page.scripts["attnviz-modules"][1]), -zlib.MAX_WBITS).decode()
    modules = re.findall(r"^// ([\w/-]+\.js)$", text, re.MULTILINE)
    assert {"main.js", "core/data.js", "export/standalone.js", "export/embedded.js"} <= set(modules)
    assert not [name for name in modules if name.startswith("watch/")]
    assert not re.search(r"^import ", text, re.MULTILINE)
    lines = sum(len((STATIC / name).read_text("utf-8").splitlines()) for name in modules)
    assert len(text.splitlines()) > lines  # nothing is minified


def test_only_the_page_s_own_script_runs(trace: Trace, tmp_path: Path) -> None:
    page = saved(trace, tmp_path)
    policy = next(a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    nonce = re.search(r"script-src 'nonce-(\w+)' blob:;", policy)
    assert nonce is not None
    running = [a for tag, a in page.elements if tag == "script" and a.get("type") in (None, "module", "importmap")]
    assert running == [{"nonce": nonce[1]}]


def test_texts_are_harmless(make_model: Make, tmp_path: Path) -> None:
    trace = attnviz.trace(make_model("encoder-decoder"), "a b", "a c")
    tokens = replace(trace.sequences["decoder"], labels=(ATTACK, "\x00\u202e", "<b>"))
    facts = replace(trace.model.facts, title=ATTACK, name=ATTACK, kind=ATTACK)
    hostile = replace(
        trace,
        model=SimpleNamespace(facts=facts),
        text=ATTACK,
        target=ATTACK,
        sequences={**trace.sequences, "decoder": tokens},
        sites=tuple(replace(site, name=f"{ATTACK}{index}") for index, site in enumerate(trace.sites)),
        forward_pass=SimpleNamespace(logits=trace.forward_pass.logits, inputs=dict, proof=lambda sites: []),
    )
    plain = saved(trace, tmp_path)
    for title in (None, ATTACK):
        page = saved(hostile, tmp_path, title=title)
        kinds = lambda page: [(tag, "onerror" in a) for tag, a in page.elements]  # noqa: E731
        assert kinds(page) == kinds(plain)
        assert ATTACK in page.text
        header, _ = unpack(page.part("overview"))
        assert header["tokens"]["decoder"][0] == ATTACK
    frame = Page(show(hostile, live=False)._repr_html_())
    assert [tag for tag, _ in frame.elements] == ["iframe"]


def test_a_script_cannot_end_its_element() -> None:
    source = 'a = "</script>"; b = /<!--/; // </SCRIPT >'
    assert page._inside(source, "script") == r'a = "<\/script>"; b = /<\!--/; // <\/SCRIPT >'
    assert page._inside("i::after { content: '</style>' }", "style") == r"i::after { content: '<\/style>' }"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_speaks_the_language(trace: Trace, tmp_path: Path, lang: str) -> None:
    page = saved(trace, tmp_path, lang=lang)
    assert page.elements[0] == ("html", {"lang": lang})
    assert ("重新归一化" in str(page.index()["texts"]["strings"])) == (lang == "zh")
    assert ("Source" in page.text) == (lang == "en")


def test_the_title_names_model_and_text(make_model: Make, tmp_path: Path) -> None:
    trace = attnviz.trace(make_model(), "a b c")
    assert "<title>Tiny · a b c</title>" in to_html(trace, tmp_path / "a.html").read_text("utf-8")
    assert "<title>Class &lt;4b&gt;</title>" in to_html(trace, tmp_path / "a.html", title="Class <4b>").read_text(
        "utf-8"
    )


def test_the_same_trace_makes_the_same_file(trace: Trace, tmp_path: Path) -> None:
    first = to_html(trace, tmp_path / "a.html").read_bytes()
    assert to_html(trace, str(tmp_path / "b.html")).read_bytes() == first


def test_what_is_wrong_is_named(trace: Trace, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    for options, message in (
        ({"lang": "fr"}, "no language 'fr'; there are en, zh"),
        ({"heads": [("decoder.7.self", 0)]}, "no site 'decoder.7.self'; there are encoder.0.self"),
        ({"heads": [(7, 0)]}, "no attention at layer 7"),
        ({"heads": [(0, 4)]}, "no head 4: decoder.0.self has 4, counted from 0"),
        ({"heads": []}, "heads is []: give at least one, such as heads=[(0, 0)]"),
        ({"heads": "first"}, "heads is 'first': give at least one"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            to_html(trace, path, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="height is 0"):
        show(trace, height=0)
    assert not path.exists()
    with pytest.raises(OSError, match="nowhere"):
        to_html(trace, tmp_path / "nowhere" / "page.html")
    with pytest.raises(IsADirectoryError):
        to_html(trace, tmp_path)


def test_a_notebook_gets_a_frame_with_the_page_in_it(trace: Trace, tmp_path: Path) -> None:
    shown = show(trace, height=500, lang="zh", live=False)
    frame = Page(shown._repr_html_())
    [(tag, attributes)] = frame.elements
    assert tag == "iframe"
    assert attributes["srcdoc"] == to_html(trace, tmp_path / "a.html", lang="zh").read_text("utf-8") == shown.page
    assert "height: 500px" in (attributes["style"] or "")
    assert html.unescape(attributes["title"] or "") == "Tiny · a b c d"
    assert len(repr(shown)) < 100


def test_gpt2_small_with_128_tokens_takes_a_twentieth_of_bertviz(tmp_path: Path) -> None:
    path = to_html(random_trace(128), tmp_path / "page.html", heads=[(5, 3)])
    assert path.stat().st_size <= 63.5e6 / 20
    index = Page(path.read_text("utf-8")).index()
    assert index["levels"] == 10_000
    assert set(index["whole"]["decoder.5.self"]["3"]) == {*STAGES, "x"} - {"w_o"}, "W_O of a wide model is left out"


def test_tokens_without_a_text_make_a_page_too(tmp_path: Path) -> None:
    trace = replace(random_trace(2), text="", sequences={"decoder": Tokens((), ("a", "b"))}, outputs=None)
    page = to_html(trace, tmp_path / "page.html").read_text("utf-8")
    assert "<title>Random numbers</title>" in page
    assert "<dd>" not in page
