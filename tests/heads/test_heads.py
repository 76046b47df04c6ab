"""Heads that are found: all planted ones, none where nothing was learned, those of the shipped models; effects."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch

import attnviz
from attnviz.errors import NoTexts, TextRefused, TextsUnreadable
from attnviz.heads import EFFECT, LABELS, LIFT, Effect, Heads, Text, find_heads, heads_of, read_texts
from attnviz.heads.corpus import MOST_TEXTS
from attnviz.heads.found import candidates, conclude
from attnviz.heads.tally import Tally
from attnviz.models import SequenceModel
from tests.heads.planted import TEXTS, Planted, planted_heads, planted_trace


def planted(n: int, causal: bool, seed: int) -> tuple[list[Planted], Tally]:
    random, tally = Random(seed), Tally()
    heads = planted_heads(n, causal, random)
    for text in range(TEXTS):
        tally.read(planted_trace(heads, causal, random), text)
    return heads, tally


def test_planted_heads_are_found_and_near_misses_are_not() -> None:
    wanted: set[tuple[object, ...]] = set()
    found: set[tuple[object, ...]] = set()
    for seed, causal in enumerate((True, False)):
        heads, tally = planted(100, causal, seed)
        wanted |= {(causal, index, head.label) for index, head in enumerate(heads) if head.label}
        for head in conclude("planted", tally, {}, measurable=False):
            found |= {(causal, head.head, label.name) for label in head.labels}
    right = len(wanted & found)
    assert len(wanted) == 100
    assert right / len(found) >= 0.95, sorted(found - wanted)
    assert right / len(wanted) >= 0.95, sorted(wanted - found)


def test_an_effect_makes_a_label_and_a_model_without_outputs_has_none() -> None:
    heads, tally = planted(8, True, 3)
    asked = next(each for each in candidates(tally) if each.way == "previous")
    for kl, state, label in ((EFFECT * 2, "confirmed", "previous"), (EFFECT / 2, "weak", "")):
        one = conclude("planted", tally, {asked: Effect(kl, None, 10)}, measurable=True).of(asked.site, asked.head)
        assert (one.labels[0].name, one.labels[0].state, one.label) == ("previous", state, label)
    none = conclude("planted", tally, {}, measurable=False).of(asked.site, asked.head)
    assert (none.labels[0].state, none.labels[0].effect, none.label) == ("unmeasured", None, "")
    assert heads[asked.head].label == "previous"


def test_counts_add_up_however_texts_are_split() -> None:
    random = Random(5)
    heads = planted_heads(12, True, random)
    traces = [planted_trace(heads, True, random) for _ in range(5)]
    whole, parts = Tally(), Tally()
    for text, trace in enumerate(traces):
        whole.read(trace, text)
    for some in ((3, 4), (0,), (1, 2)):
        part = Tally()
        for text in some:
            part.read(traces[text], text)
        parts.add(Tally.from_arrays(part.to_arrays()))
    one, other = (conclude("planted", tally, {}, measurable=False) for tally in (whole, parts))
    for a, b in zip(one, other, strict=True):
        assert a.profile == pytest.approx(b.profile, abs=1e-5)
        assert a.examples == b.examples
    assert one.texts == other.texts


@pytest.mark.parametrize("seed", range(4))
def test_a_head_of_shuffled_parameters_has_no_label(seed: int) -> None:
    for name in ("induction", "english"):
        model = attnviz.load_model(f"zoo/{name}")
        assert isinstance(model, SequenceModel)
        network = copy.deepcopy(model.network)
        generator = torch.Generator().manual_seed(seed)
        for parameter in network.parameters():
            flat = parameter.data.flatten()
            parameter.data = flat[torch.randperm(len(flat), generator=generator)].view_as(parameter)
        texts = None if name == "induction" else ["the red fox sat by the river. the red fox ran to the hill. " * 3]
        found = find_heads(replace(model, network=network), texts)
        assert [label for head in found for label in head.labels] == []


def test_the_heads_of_induction() -> None:
    """The circuit of Olsson et al.: one head copies the token before, the next layer's looks for it."""
    found = attnviz.find_heads(attnviz.load_model("zoo/induction"))
    before, induction = found
    assert (before.site, before.label) == ("decoder.0.self", "previous")
    assert (induction.site, induction.label) == ("decoder.1.self", "induction")
    for head in (before, induction):
        [label] = head.labels
        others = [reading.lift for name, reading in head.readings.items() if name != label.name and reading.n]
        assert label.reading.lift > LIFT + 0.3
        assert max(others) < LIFT - 0.3
        assert label.reading.hits > 0.95
        assert label.effect is not None
        assert label.effect.kl > 100 * EFFECT
    effect = induction.labels[0].effect
    assert effect is not None
    assert effect.loss is not None
    assert effect.loss > 1, "without it, repeated tokens cannot be said"
    assert induction.distance > 10 > before.distance
    assert before.entropy < before.entropy_chance / 2


def test_one_layer_has_no_induction_and_reversing_reads_by_no_fixed_distance() -> None:
    for name in ("induction-one-layer", "reverse"):
        assert [head.labels for head in find_heads(attnviz.load_model(f"zoo/{name}")) if head.labels] == []


def test_a_head_that_other_heads_stand_in_for_is_weak() -> None:
    found = find_heads(attnviz.load_model("zoo/dates"))
    head = found.of("encoder.0.self", 2)
    assert [(label.name, label.state) for label in head.labels] == [("previous", "weak")]
    assert head.label == ""
    assert {each.site for each in found} == {"encoder.0.self", "decoder.0.self", "decoder.0.cross"}
    cross = found.of("decoder.0.cross", 0)
    assert math.isnan(cross.distance)
    assert cross.readings["induction"].n == 0


def test_a_trace_knows_its_heads() -> None:
    trace = attnviz.trace(attnviz.load_model("zoo/induction"), "a c d b e f g " * 6)
    found = trace.find_heads()
    assert [head.label for head in found] == ["previous", "induction"]
    example = found.of("decoder.1.self", 0).examples[0]
    tokens = found.texts[example.text]["decoder"]
    assert all(tokens[query] == tokens[key - 1] for query, key, _ in example.marks)
    values = attnviz.trace(attnviz.load_model("zoo/series"), "1 2 3 4 5 6 7 8 " * 3)
    assert {label.state for head in heads_of(values) for label in head.labels} <= {"unmeasured"}


def test_heads_like_one() -> None:
    heads, tally = planted(40, True, 9)
    found = conclude("planted", tally, {}, measurable=False)
    for index, head in enumerate(heads):
        if head.label == "induction":
            assert heads[found.like("decoder.0.self", index, 1)[0].head].label == "induction"
    table = found.to_dataframe()
    assert len(table) == 40
    assert set(LABELS) <= set(table.columns)
    with pytest.raises(KeyError, match="no head 40"):
        found.of("decoder.0.self", 40)


def test_the_texts_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("a b c\n\n3rd of May\t2021\n", "utf-8")
    assert read_texts(file) == [Text("a b c"), Text("3rd of May", "2021")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"caf\xe9", "byte 4 is not UTF-8; save the file as UTF-8"),
        (b"\n  \n", "write one text a line"),
        (b"a\n" * (MOST_TEXTS + 1), "split it"),
        (b"a\n" + b"b" * 30_000, "line 2 has 30,000 characters"),
        (b"a" * (16 * 2**20 + 1), "longer than 16 MB"),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_change(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "texts.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TextsUnreadable, match=said):
        read_texts(file)


def test_a_single_text_is_one_and_others_cannot_be_read() -> None:
    model = attnviz.load_model("zoo/reverse")
    assert find_heads(model, "a b c").n_texts == 1
    with pytest.raises(TextRefused, match=r"Text 2 cannot be read: .*é"):
        find_heads(model, ["a b c", "a é"])
    with pytest.raises(NoTexts):
        find_heads(model, [])


def test_progress_is_told_and_can_end_the_search() -> None:
    told: list[tuple[int, int]] = []
    found = find_heads(
        attnviz.load_model("zoo/induction"), ["a c d b e f g h " * 4] * 3, progress=lambda *at: told.append(at)
    )
    assert isinstance(found, Heads)
    assert told[0] == (0, 3)
    assert all(done == total for done, total in told[-1:])

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_heads(attnviz.load_model("zoo/induction"), ["a b a"], progress=stop)
