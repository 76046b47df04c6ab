"""Scores of heads against expected patterns: exact on planted weights, and well above chance on the shipped models."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import pairwise
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import attnviz
from attnviz.analysis import mean_scores, pattern_scores, patterns, score_heads
from attnviz.analysis.patterns import expected_reads
from attnviz.attention import Mask
from attnviz.models import AnyConfig, ModelCard, SequenceModel, build_network
from attnviz.tasks import (
    Addition,
    Brackets,
    Copy,
    Dates,
    Histogram,
    Induction,
    Majority,
    ModularAddition,
    Needle,
    OpenBracket,
    OwnText,
    Parity,
    Pattern,
    Recall,
    Reverse,
    ScratchpadParity,
    Sort,
    Stories,
    Task,
)
from attnviz.tasks.language.dates import FORMS, parts, write
from attnviz.tasks.language.sentiment import Sentiment
from attnviz.tasks.signals.series import Seasonal
from attnviz.training import RECIPES
from attnviz.zoo import ORDER


def test_worked_examples() -> None:
    failed, attempted = doctest.testmod(patterns)
    assert (failed, attempted) == (0, 6)


@pytest.mark.parametrize("make", [Sentiment.model_config, Sentiment.recurrent_config])
def test_where_attention_pools_its_query_is_scored_as_the_first_token(make: Callable[[Sentiment], AnyConfig]) -> None:
    task = Sentiment()
    network = build_network(replace(make(task), pooling="additive"), 0).eval().requires_grad_(False)
    model = SequenceModel(network, task.tokenizer, ModelCard("pooled", "Pooled"), None, task.labels)
    found = attnviz.trace(model, "we all felt that the lesson was not boring . the street is long")
    (pattern,) = task.expected(found.sequences["encoder"].ids)
    pooled = found.sites[-1]
    assert (pooled.queries, pooled.kind) == ("readout", "cross")
    (score,) = [score for score in pattern_scores(found, [pattern]) if score.site == pooled.name]
    assert score.mass == pytest.approx(float(pooled.weights(0)[0, pattern.reads[0]].sum()))
    assert score.chance == pytest.approx(float(pattern.reads[0].float().mean()))
    assert score.n_queries == 1
    others = len(found.sites) - 1  # sites in which `<bos>` itself asks
    assert len(pattern_scores(found, [pattern])) == 1 + sum(site.n_heads for site in found.sites[:others])
    assert expected_reads(Pattern("x", pattern.reads, "cross"), "readout", "cross", "encoder") is None


def test_means_over_sequences_of_numbers() -> None:
    task = Seasonal()
    model = SequenceModel(build_network(task.model_config(), 0).eval(), task.tokenizer, ModelCard("series", "Series"))
    (score,) = mean_scores(model, task, 2)
    assert 0 < score.mass < 1


def uniform(allowed: Tensor) -> Tensor:
    return allowed / allowed.sum(1, keepdim=True).clamp(min=1)


@settings(max_examples=60)
@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 2**30), st.booleans())
def test_perfect_heads_score_1_and_uniform_ones_chance(n_queries: int, n_keys: int, seed: int, causal: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    allowed = Mask(causal=causal).allowed(n_queries, n_keys)
    reads = torch.rand(n_queries, n_keys, generator=generator) < 0.4
    expected = reads & allowed
    if not expected.any():
        return
    nowhere = torch.zeros(n_queries, n_keys)
    wrong = uniform(allowed & ~reads)
    weights = torch.stack((uniform(expected), uniform(allowed), wrong, nowhere))
    mass, hits, chance, scored = score_heads(weights, reads, allowed)
    assert scored == int(expected.any(1).sum())
    assert mass.tolist() == pytest.approx([1, chance, 0, 0], abs=1e-6)
    assert hits[0] == 1
    assert 0 < chance <= 1
    aside = ~expected.any(1)
    weights[:, aside] = torch.rand(4, int(aside.sum()), n_keys, generator=generator)
    assert torch.equal(score_heads(weights, reads, allowed).mass, mass), "a row without expected keys was scored"


def test_hits_count_the_most_attended_key() -> None:
    weights = torch.tensor([[[0.3, 0.4, 0.3], [0.1, 0.1, 0.8], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]]])
    reads = torch.tensor([[1, 0, 1], [0, 0, 1], [0, 1, 0], [0, 0, 0]], dtype=torch.bool)
    scores = score_heads(weights, reads, torch.ones(4, 3, dtype=torch.bool))
    assert scores.mass.item() == pytest.approx((0.6 + 0.8 + 0.3) / 3)
    assert scores.hits.item() == pytest.approx(1 / 3)
    assert scores.chance == pytest.approx((2 / 3 + 1 / 3 + 1 / 3) / 3)


def keys(task: Task, text: str, pattern: int = 0, source: str | None = None) -> dict[int, list[int]]:
    """Query -> expected keys, of the scored rows."""
    tokens = task.tokenizer.encode(text)
    ids = None if source is None or task.source_tokenizer is None else task.source_tokenizer.encode(source)
    reads = task.expected(tokens, ids)[pattern].reads
    assert reads.shape == (len(tokens), len(tokens if ids is None else ids))
    return {i: row.nonzero()[:, 0].tolist() for i, row in enumerate(reads) if row.any()}


@pytest.mark.parametrize(
    ("task", "text", "pattern", "expected"),
    [
        (Reverse(), "g f e d", 0, {0: [3], 1: [2], 2: [1], 3: [0]}),
        (Sort(), "d a c > a c", 0, {3: [1], 4: [2], 5: [0]}),
        (Sort(repeats=True), "b a b >", 0, {3: [1]}),
        (Sort(repeats=True), "b a b > a b b", 0, {3: [1], 4: [0, 2], 5: [0, 2]}),
        (Induction(), "k d w k d w k", 0, {3: [1], 4: [2], 5: [3], 6: [1, 4]}),
        (Induction(), "k d w k", 1, {1: [0], 2: [1], 3: [2]}),
        (Recall(), "a 3 f 7 ? f 7 ? a", 0, {5: [3], 8: [1]}),
        (Recall(), "a 3 f 7 ? f", 1, {1: [0], 3: [2]}),
        (Recall(), "a 3 f", 1, {1: [0]}),
        (Addition(), "27+58=580", 0, {5: [1, 4], 6: [0, 3]}),
        (Addition(digits=2, reverse=False), "27+58=085", 0, {6: [0, 3], 7: [1, 4]}),
        (Addition(), "05+07=", 0, {5: [1, 4]}),
        (Stories("en"), "Emma", 0, {1: [0], 2: [1], 3: [2], 4: [3]}),
        (Copy(), "d a c > d a c", 0, {3: [0], 4: [1], 5: [2]}),
        (Needle(), "k d 7 q", 0, {0: [3]}),
        (Histogram(), "a b a", 0, {1: [0, 1, 3], 2: [0, 2], 3: [0, 1, 3]}),
        (Histogram(bos=False), "a b a", 0, {0: [0, 2], 1: [1], 2: [0, 2]}),
        (Majority(), "a b b", 0, {0: [2, 3]}),
        (OpenBracket(), "([]())", 0, {2: [0], 4: [0]}),
        (ScratchpadParity(), "0110=010", 0, {4: [0], 5: [1], 6: [2], 7: [3]}),
        (ModularAddition(), "40 + 20 =", 0, {3: [0, 2]}),
        (OwnText("abc" * 99), "abc", 0, {1: [0], 2: [1], 3: [2]}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_expected_keys(task: Task, text: str, pattern: int, expected: dict[int, list[int]]) -> None:
    assert keys(task, text, pattern) == expected


@pytest.mark.parametrize(
    ("source", "year", "month", "day"),
    [
        ("3rd of March 2021", [13, 14, 15, 16], [[*range(7, 12)]] * 2, [[0], [0]]),
        ("13/2/2075", [5, 6, 7, 8], [[3], [3]], [[0], [1]]),
        ("20210304", [0, 1, 2, 3], [[4], [5]], [[6], [7]]),
        ("2019年10月1日", [0, 1, 2, 3], [[5], [6]], [[8], [8]]),
        ("wed, may 3, 2021", [12, 13, 14, 15], [[5, 6, 7]] * 2, [[9], [9]]),
    ],
)
def test_expected_keys_of_dates(source: str, year: list[int], month: list[list[int]], day: list[list[int]]) -> None:
    found = keys(Dates(), "2021-03-04", source=source)
    assert found == dict(enumerate([[key] for key in year])) | {5: month[0], 6: month[1], 8: day[0], 9: day[1]}


def test_every_written_date_is_found() -> None:
    random = Random(5)
    for _ in range(40 * len(FORMS)):
        day = date.fromordinal(random.randint(date(1900, 1, 1).toordinal(), date(2099, 12, 31).toordinal()))
        text = write(day, random)
        spans = parts(text)
        assert spans is not None, text
        year, month, number = (text[span.start : span.stop] for span in spans.values())
        assert (int(year), int(number)) == (day.year, day.day), text
        assert month.lower().startswith(day.strftime("%b").lower()) or int(month) == day.month, text
        assert not any(set(a) & set(b) for a, b in pairwise([*spans.values(), spans["year"]])), text


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (Sort(), "d a c"),
        (Copy(), "d a c"),
        (Addition(), "271+8=5"),
        (Addition(), "27+5"),
        (Needle(), "a b"),
        (Recall(), "a 3 f 7"),
        (ModularAddition(), "1 ="),
        (ScratchpadParity(), "0110"),
        (OpenBracket(), "]]"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_no_question_has_no_scored_row(task: Task, text: str) -> None:
    assert keys(task, text) == {}


@pytest.mark.parametrize("task", [Brackets(), Parity()], ids=lambda task: task.name)
def test_some_tasks_expect_nothing(task: Task) -> None:
    assert task.expected(task.tokenizer.encode(str(task.examples()[0]))) == ()


def test_unknown_dates_have_no_scored_row() -> None:
    assert keys(Dates(), "2021-03-04", source="2021") == keys(Dates(), "2021", source="May") == {}


def test_scores_of_a_trace_belong_to_its_heads() -> None:
    model, task = attnviz.load_model("zoo/dates"), RECIPES["dates"].task
    trace = attnviz.trace(model, "3rd of March 2021", "2021-03-03")
    scores = pattern_scores(trace, task.expected(trace.token_ids, trace.source_ids))
    assert [(score.site, score.head) for score in scores] == [("decoder.0.cross", head) for head in range(4)]
    assert {score.n_queries for score in scores} == {8}
    weights = trace.site("decoder.0.cross").weights(2)
    by_hand = [weights[i, 13 + i] for i in range(4)] + [weights[i, 7:12].sum() for i in (5, 6)]
    by_hand += [weights[i, 0] for i in (8, 9)]
    assert scores[2].mass == pytest.approx(float(sum(by_hand)) / 8, abs=1e-5)
    assert scores[2].chance == pytest.approx((4 + 2 * 5 + 2) / 8 / 17)
    nothing = Pattern.of("nothing", (), trace.token_ids)
    assert pattern_scores(trace, [nothing]) == ()


PATTERNS = {
    "reverse": {"anti-diagonal"},
    "sort": {"next value"},
    "induction": {"after the same symbol", "previous token"},
    "induction-one-layer": {"after the same symbol", "previous token"},
    "recall": {"value of the key", "key of the value"},
    "addition": {"digits of the column"},
    "dates": {"source of the digit"},
    "english": {"previous token"},
    "chinese": {"previous token"},
    "sentiment-en": {"negation and opinion"},
    "sentiment-zh": {"negation and opinion"},
    "sentiment-far": {"negation and opinion"},
    "entities": {"verb of the subject"},
    "translation": {"source of the word"},
    "translation-lstm": {"source of the word"},
    "dates-lstm": {"source of the digit"},
    "comprehension": {"same word in the question", "word that the question names", "question word"},
    "extract": {"word of the topic", "question"},
    "headline": {"value of the field", "both scores"},
    "dialogue": {"latest mention"},
    "series": {"whole periods back"},
    "sessions": {"latest of each interest"},
    "gridworld": {"sign at the crossing"},
}
BESIDE = {
    "sentiment-far",  # its states carry the opinion on: what is read stands beside it as often
    "chinese",  # its head reads the last few characters, the previous one most: see the statements
}


@pytest.mark.parametrize("name", ORDER)
def test_a_head_of_every_shipped_model_does_its_work(name: str) -> None:
    """Mass on the expected keys: in one head at least, twice that of chance or more; none without attention."""
    model, task = attnviz.load_model(f"zoo/{name}"), RECIPES[name].task
    scores = mean_scores(model, task, n=2 if task.name == "stories" else 12)
    names = {score.pattern for score in scores}
    assert names == PATTERNS.get(name, set())
    for pattern in names:
        best = max((score for score in scores if score.pattern == pattern), key=lambda score: score.mass)
        if RECIPES[name].exempt:  # a contrast, which cannot learn it
            assert best.mass < 2 * best.chance, best
            continue
        assert best.mass > 2 * best.chance, best
        if name not in BESIDE:
            assert best.mass > best.chance + 0.2, best
            assert best.hits > 0.25, best
