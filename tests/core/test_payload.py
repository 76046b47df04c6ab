"""What the browser receives, read back here by the same rules."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import attnviz
from attnviz.calculator import PRESETS, solve
from attnviz.models import SequenceModel
from attnviz.models.facts import ModelFacts
from attnviz.trace import AttentionSite, Grid, Outputs, Tokens
from attnviz.trace.site import Additive
from attnviz.view.payload import bundle, overview, pack

Make = Callable[..., SequenceModel]


def unpack(payload: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    assert payload[:4] == b"AVZ1"
    length = int.from_bytes(payload[4:8], "little")
    header = json.loads(payload[8 : 8 + length])
    start = -(-(8 + length) // 8) * 8
    arrays = {}
    for path, entry in header["arrays"].items():
        assert entry["offset"] % 8 == 0
        count = int(np.prod(entry["shape"]))
        array = np.frombuffer(payload, entry["dtype"], count, start + entry["offset"])
        arrays[path] = array.reshape(entry["shape"])
    return header, arrays


def take(model: SequenceModel, text: str = "a b c") -> tuple[attnviz.Trace, dict[str, Any], dict[str, np.ndarray]]:
    trace = attnviz.trace(model, text)
    choice = {"site": len(trace.sites) - 1, "head": 1, "query": None, "key": 2, "locked": True}
    header, arrays = unpack(overview(trace, trace_id="id", data_url="u", choice=choice, lang="en", texts="t"))
    return trace, header, arrays


def test_pack_keeps_values_and_aligns() -> None:
    arrays = {"a": np.arange(5, dtype=np.uint8), "b/c": np.arange(6, dtype=np.float32).reshape(2, 3)}
    header, back = unpack(pack({"文": "<b>"}, arrays))
    assert header["文"] == "<b>"
    for path, array in arrays.items():
        np.testing.assert_array_equal(back[path], array)


def test_overview_holds_the_chosen_head_bit_for_bit(make_model: Make) -> None:
    trace, header, arrays = take(make_model("encoder-decoder"))
    site = trace.sites[-1]
    for stage in ("scores", "masked", "weights", "context"):
        np.testing.assert_array_equal(arrays[f"{site.name}/1/{stage}"], getattr(site, stage)(1))
    np.testing.assert_array_equal(arrays[f"{site.name}/1/q"], site.q[1])
    assert header["choice"] == {"site": 5, "head": 1, "query": None, "key": 2, "locked": True}
    assert header["tokens"] == {"encoder": ["a", " ", "b", " ", "c"], "decoder": list(trace.tokens)}
    assert header["specials"] == {"encoder": [], "decoder": [0]}
    assert [s["name"] for s in header["sites"]] == [s.name for s in trace.sites]
    cross = header["sites"][-1]
    assert (cross["queries"], cross["keys"], cross["causal"]) == ("decoder", "encoder", False)
    assert (header["lang"], header["texts"]) == ("en", "t")


def test_thumbnails_show_every_head_and_the_average(make_model: Make) -> None:
    trace, _, arrays = take(make_model())
    thumbs, peaks = arrays["thumbs/decoder.0.self"], arrays["peaks/decoder.0.self"]
    site = trace.sites[0]
    assert thumbs.shape == (5, 4, 4)
    assert (thumbs.max((1, 2)) == 255).all()
    shown = (thumbs / 255) ** 4 * peaks[:, None, None]
    average = torch.stack([site.weights(h) for h in range(4)]).mean(0)
    np.testing.assert_allclose(shown[2], site.weights(2), atol=0.01)
    np.testing.assert_allclose(shown[4], average, atol=0.01)


def test_large_thumbnails_are_pooled_to_the_brightest(make_model: Make) -> None:
    trace, _, arrays = take(make_model(max_len=80), " ".join("abcd" * 16))
    thumbs = arrays["thumbs/decoder.1.self"]
    assert thumbs.shape == (5, 32, 32)
    assert arrays["peaks/decoder.1.self"][0] == trace.sites[1].weights(0).max()


def test_outputs_are_the_most_probable_symbols(make_model: Make) -> None:
    trace, header, arrays = take(make_model())
    probabilities = torch.softmax(trace.logits, dim=-1)
    ids, listed = arrays["outputs/ids"], arrays["outputs/probs"]
    assert ids.shape == listed.shape == (4, 10)
    np.testing.assert_array_equal(listed[:, 0], probabilities.amax(-1))
    np.testing.assert_array_equal(probabilities.numpy()[np.arange(4)[:, None], ids], listed)
    assert header["outputs"]["kind"] == "next"
    assert header["outputs"]["labels"][str(ids[0, 0])] == trace.model.tokenizer.label(int(ids[0, 0]))


def test_bundle_gives_what_is_asked_for_and_no_more(make_model: Make) -> None:
    trace = attnviz.trace(make_model("encoder-decoder"), "a b")
    header, arrays = unpack(bundle(trace, "decoder.1.cross", [0, 3], ["q", "output", "x"]))
    paths = {f"decoder.1.cross/{part}" for part in ("0/q", "0/output", "3/q", "3/output", "x", "x_kv")}
    assert arrays.keys() == paths
    assert header.keys() == {"arrays"}
    np.testing.assert_array_equal(arrays["decoder.1.cross/3/output"], trace.sites[-1].output(3))
    np.testing.assert_array_equal(arrays["decoder.1.cross/x_kv"], trace.inputs("decoder.1.cross").memory)


def test_bundle_refuses_what_does_not_exist(make_model: Make) -> None:
    trace = attnviz.trace(make_model(), "a b")
    with pytest.raises(KeyError, match="no site"):
        bundle(trace, "decoder.9.self", [0], ["q"])
    with pytest.raises(IndexError, match="no head 4"):
        bundle(trace, "decoder.0.self", [4], ["q"])
    with pytest.raises(ValueError, match="no stage"):
        bundle(trace, "decoder.0.self", [0], ["nonsense"])  # type: ignore[list-item]


def made_up(site: AttentionSite, tokens: Tokens, **changes: Any) -> attnviz.Trace:
    facts = ModelFacts("made-up", "Made up", "", "encoder", 1, None, kind="MadeUpModel")
    given: dict[str, Any] = {"target": None, "target_generated": False, "outputs": None, "forward_pass": None}
    given |= {"model": SimpleNamespace(facts=facts), "text": "", "sequences": {"encoder": tokens}, "main": "encoder"}
    return attnviz.Trace(**{**given, "sites": (site,), **changes})


def made_up_site(n: int, **changes: Any) -> AttentionSite:
    random = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, n, width, generator=random) for width in (3, 3, 5))
    given: dict[str, Any] = {"queries": "encoder", "keys": "encoder", "scoring": "scaled_dot", "w_o": None}
    return AttentionSite("encoder.0.self", 0, "encoder", "self", **{**given, "q": q, "k": k, "v": v, **changes})


def show(trace: attnviz.Trace) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    choice = {"site": 0, "head": 1, "query": None, "key": None, "locked": False}
    return unpack(overview(trace, choice=choice, lang="en"))


def test_header_tells_what_the_tokens_are() -> None:
    tokens = Tokens((), ("[CLS]", "0,0", "0,1"), (0,), (None, 0, 0), (None, 0, 1), Grid(1, 2, 1))
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    header, arrays = show(made_up(made_up_site(3), tokens, image=image))
    assert header["words"] == {"encoder": [None, 0, 0]}
    assert header["segments"] == {"encoder": [None, 0, 1]}
    assert header["grids"] == {"encoder": {"rows": 1, "columns": 2, "offset": 1, "cells": []}}
    assert header["outputs"] is None
    np.testing.assert_array_equal(arrays["image"], image)


def test_header_tells_what_a_site_has() -> None:
    site = made_up_site(3, sinks=torch.tensor([0.5, -1.0]), softcap=2.0, part=4)
    (header,) = show(made_up(site, Tokens((), ("a", "b", "c"))))[0]["sites"]
    assert "output" not in header["stages"]
    assert "bias" not in header["stages"]
    assert (header["d_value"], header["d_model"], header["part"]) == (5, None, 4)
    assert (header["softcap"], header["sinks"]) == (2.0, [0.5, -1.0])


def test_a_bias_is_given_where_there_is_one() -> None:
    bias = torch.arange(9.0).reshape(1, 3, 3)  # the same for both heads
    trace = made_up(made_up_site(3, bias=bias), Tokens((), ("a", "b", "c")))
    assert "bias" in show(trace)[0]["sites"][0]["stages"]
    _, arrays = unpack(bundle(trace, "encoder.0.self", [1], ["bias", "output"]))
    assert arrays.keys() == {"encoder.0.self/1/bias"}
    np.testing.assert_array_equal(arrays["encoder.0.self/1/bias"], bias[0])


def test_a_long_text_brings_the_weights_first() -> None:
    n = 520
    _, arrays = show(made_up(made_up_site(n), Tokens((), ("x",) * n)))
    assert {path for path in arrays if not path.startswith(("thumbs", "peaks"))} == {"encoder.0.self/1/weights"}


def additive_site(n: int) -> AttentionSite:
    """One query reads n states of width 5 by additive scoring, d_att 4; nothing is projected."""
    random = torch.Generator().manual_seed(1)
    q, k, w_q, w_k, w_v = (torch.randn(*s, generator=random) for s in ((1, 1, 3), (1, n, 5), (4, 3), (4, 5), (4,)))
    given: dict[str, Any] = {"scoring": "additive", "w_o": None, "additive": Additive(w_q, w_k, w_v)}
    return AttentionSite("readout.0.cross", 0, "readout", "cross", "readout", "encoder", q=q, k=k, v=k, **given)


def pooled(kind: str) -> attnviz.Trace:
    facts = ModelFacts("made-up", "Made up", "", "encoder", 1, None, kind=kind)
    sequences = {"readout": Tokens((), ("<state>",)), "encoder": Tokens((), tuple("abcdefg"))}
    given = {"sequences": sequences, "model": SimpleNamespace(facts=facts)}
    return made_up(additive_site(7), Tokens((), ()), **given)


def test_the_parameters_of_additive_scoring_come_with_the_first_picture() -> None:
    trace = pooled("")
    choice = {"site": 0, "head": 0, "query": None, "key": None, "locked": False}
    header, arrays = unpack(overview(trace, choice=choice, lang="en"))
    site = trace.sites[0]
    assert site.additive is not None
    for name, tensor in site.additive._asdict().items():
        np.testing.assert_array_equal(arrays[f"additive/{site.name}/{name}"], tensor)
    assert arrays["thumbs/readout.0.cross"].shape == (2, 1, 7)
    (told,) = header["sites"]
    assert (told["scoring"], told["d_head"], told["d_key"]) == ("additive", 3, 5)


def test_states_that_nothing_projects_are_told_of_our_own_models_alone() -> None:
    choice = {"site": 0, "head": 0, "query": None, "key": None, "locked": False}
    for kind, direct in (("", "states"), ("MadeUpModel", "")):
        (told,) = unpack(overview(pooled(kind), choice=choice, lang="en"))[0]["sites"]
        assert told["direct"] == direct
        assert ("x" in told["stages"]) is not bool(direct)
        assert "output" not in told["stages"]


def test_numbers_by_hand_tell_whether_anything_projects_them() -> None:
    choice = {"site": 0, "head": 0, "query": None, "key": None, "locked": False}
    for preset, direct in (("five", "typed"), ("one-hot", "")):
        (told,) = unpack(overview(solve(PRESETS[preset]), choice=choice, lang="en"))[0]["sites"]
        assert told["direct"] == direct
        assert ("x" in told["stages"]) is not bool(direct)


def test_other_sites_have_no_parameters_of_additive_scoring(make_model: Make) -> None:
    _, header, arrays = take(make_model())
    assert not [path for path in arrays if path.startswith("additive/")]
    assert not any(site["direct"] for site in header["sites"])


def test_outputs_that_are_values_come_as_they_are() -> None:
    values = torch.randn(7, 3, generator=torch.Generator().manual_seed(2))
    forward_pass = SimpleNamespace(logits=lambda rows=None: iter([values]))
    tokens = Tokens((), tuple("abcdefg"))
    trace = made_up(made_up_site(7), tokens, outputs=Outputs("values", "encoder", str), forward_pass=forward_pass)
    header, arrays = show(trace)
    assert (header["outputs"]["kind"], header["outputs"]["k"]) == ("values", 3)
    np.testing.assert_array_equal(arrays["outputs/values"], values)
    assert "outputs/probs" not in arrays


def test_labels_are_said_in_the_reader_s_language_and_the_right_ones_are_told() -> None:
    choice = {"site": 0, "head": 0, "query": None, "key": None, "locked": False}
    trace = attnviz.trace(attnviz.load_model("zoo/sentiment-en"), "the film was very good")
    for lang, names in (("en", {"positive", "negative"}), ("zh", {"正面", "负面"})):
        outputs = unpack(overview(trace, choice=choice, lang=lang, truth=("positive",)))[0]["outputs"]
        assert set(outputs["labels"].values()) == names
        assert outputs["truth"] == [attnviz.locale.t(lang, "applications.label.positive")]
    letters = attnviz.trace(attnviz.load_model("zoo/reverse"), "a b c")
    told = unpack(overview(letters, choice=choice, lang="zh", truth=("c", None, "a", None)))[0]["outputs"]
    assert told["truth"] == ["c", None, "a", None]
