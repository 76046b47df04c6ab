"""Scores of texts: those of the libraries on known cases, and by hand; what is copied, and what a model writes."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer
from sacrebleu import corpus_bleu, corpus_chrf

from attnviz.analysis.copying import copied
from attnviz.analysis.pair_report import held_out_pairs, pair_report
from attnviz.analysis.text_scores import Words, text_scores
from attnviz.models.generation import generate, greedy
from attnviz.tasks import OwnPairs, Translation
from attnviz.tasks.base import collate
from attnviz.training.engine.loop import train
from attnviz.training.recipes import own_pairs

WRITTEN = ["The cat sat on the mat .", "a quick brown dog jumps over it", "nothing"]
TARGETS = ["The cat sat on a mat .", "a quick brown fox jumps over it", "nothing"]


def test_scores_are_those_of_the_libraries() -> None:
    found = text_scores(WRITTEN, TARGETS)
    assert found.exact == pytest.approx(1 / 3)
    assert found.bleu == pytest.approx(corpus_bleu(WRITTEN, [TARGETS]).score)
    assert found.chrf == pytest.approx(corpus_chrf(WRITTEN, [TARGETS]).score)
    library = RougeScorer(["rouge1", "rouge2", "rougeL"])
    for name, score in found.rouge.items():
        each = [library.score(b, a)[name].fmeasure for a, b in zip(WRITTEN, TARGETS, strict=True)]
        assert score == pytest.approx(sum(each) / 3), name
    assert "tok:13a" in found.signatures[1]


def test_rouge_by_hand() -> None:
    """Five of six words are right, and in order: precision = recall = 5/6; of five pairs of words, three."""
    scores = text_scores(["the cat sat on the mat"], ["the cat lay on the mat"]).rouge
    assert scores == pytest.approx({"rouge1": 5 / 6, "rouge2": 3 / 5, "rougeL": 5 / 6})


def test_chinese_is_scored_by_characters() -> None:
    found = text_scores(["我们去北京看长城", "他很高兴"], ["我们去北京看长城", "她很高兴"])
    assert "tok:zh" in found.signatures[1]
    assert found.rouge["rouge1"] == pytest.approx((1 + 3 / 4) / 2), "the library alone finds no words in them"
    assert found.bleu is not None
    assert 0 < found.bleu < 100


def test_bleu_is_left_out_where_it_cannot_be_had() -> None:
    """BLEU of texts of three words is 0 even where all are right, for it counts groups of four."""
    assert corpus_bleu(["a b c"], [["a b c"]]).score == pytest.approx(0)
    found = text_scores(["a b c"], ["a b c"])
    assert (found.bleu, found.exact, found.chrf) == (None, 1.0, 100.0)
    assert text_scores(["a b c d"], ["a b c d"]).bleu == pytest.approx(100)


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_words_of_ascii_are_the_librarys(text: str) -> None:
    assert Words().tokenize(text) == DefaultTokenizer(use_stemmer=False).tokenize(text)


def test_the_word_that_was_read_most_is_copied() -> None:
    weights = torch.tensor([[0.1, 0.9], [0.6, 0.4], [0.3, 0.7]])
    assert copied(["<unk>", "is", "<unk>"], ["old", "Lima"], weights, "<unk>") == ["Lima", "is", "Lima"]


@pytest.mark.parametrize("network", ["transformer", "lstm"])
def test_several_texts_are_written_as_one_is(network: str) -> None:
    """Sources of different lengths beside each other: padding changes nothing."""
    task = Translation()
    config = task.model_config() if network == "transformer" else task.recurrent_config()
    model = task.bundle(task.build(config, 3), name="x", title="x")
    sources = [english for english, _ in task.typed]
    ids, padding = collate([task.source_tokenizer.encode(text) for text in sources])
    written = greedy(model.network, ids, padding, task.model_config().max_len)
    for source, row in zip(sources, written, strict=True):
        one = generate(model, source, max_new=task.model_config().max_len).split()
        assert [task.tokenizer.label(token) for token in row] == one


def test_unknown_words_are_copied_from_where_attention_looks() -> None:
    """Names that no training pair has: the model writes `<unk>`, and the name is taken from the source."""
    text = "\n".join(
        f"{said} name{n} {end}\tname{n} {said}" for n in range(80) for said in ("hi", "bye") for end in "ab"
    )
    recipe = own_pairs(text)
    task = recipe.task
    assert isinstance(task, OwnPairs)
    settings = recipe.changed(steps=150).training
    torch.manual_seed(0)
    network = task.build(recipe.model, 0)
    for _ in train(network, task, settings):
        pass
    asked = [
        (f"{said} {name} {end}", f"{name} {said}") for name in ("Ada", "Kim") for said in ("hi", "bye") for end in "ab"
    ]
    report = pair_report(task, network, asked)
    assert report.unknown == len(asked)
    assert report.exact == 0.0
    assert report.scores.exact > 0.7
    assert report.answers[-1].plain.startswith("<unk>")
    assert report.answers[0].chrf <= report.answers[-1].chrf, "the worst comes first"
    assert json.dumps(report.to_dict())


def test_test_pairs_are_all_there_are_or_drawn_ones() -> None:
    task = OwnPairs("\n".join(f"{n} is it\tit is {n}" for n in range(60)))
    assert sorted(held_out_pairs(task, 99, 0)) == sorted(pair[:2] for pair in task.parts["test"])
    drawn = held_out_pairs(Translation(), 3, 0)
    assert drawn == held_out_pairs(Translation(), 3, 0)
    assert len(drawn) == 3
