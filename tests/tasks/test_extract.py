"""The sentences of a report that answer what is asked: found another way, from sentences that are on one side only."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
import torch
from torch import Generator

from attnviz.errors import ConfigError
from attnviz.tasks.base import IGNORE, SPLITS, Split
from attnviz.tasks.language.extract import SUBJECT_OF, SUBJECTS, TOPIC_OF, Extract


def reports(n: int, split: Split = "train", seed: int = 5, task: Extract | None = None) -> list[tuple[str, list[str]]]:
    """Texts, and the labels of their sentences in order."""
    task = task or Extract()
    batch = task.sample(n, Generator().manual_seed(seed), split)
    labels = [[task.labels[target] for target in row if target != IGNORE] for row in batch.targets.tolist()]
    return list(zip(map(task.tokenizer.decode, batch.tokens.tolist()), labels, strict=True))


def sentences(text: str) -> list[str]:
    return re.findall(r"[^?.]+ \.", text)


def by_expressions(text: str) -> list[str]:
    """The labels, from a list of the words that belong to the topic."""
    topic = text.split(" ?")[0]
    wanted = "|".join(SUBJECTS[SUBJECT_OF[topic]][topic])
    kept = []
    for sentence in sentences(text):
        goes_on = re.search(r"\bit\b", sentence)
        kept.append(kept[-1] if goes_on else bool(re.search(rf"\bthe ({wanted})\b", sentence)))
    return ["keep" if keep else "skip" for keep in kept]


def test_another_reader_agrees() -> None:
    found = reports(1500)
    for text, labels in found:
        assert by_expressions(text) == labels, text
        assert labels.count("keep") == 2
    assert {len(labels) for _, labels in found} == set(range(4, 9))
    assert {text.split()[0] for text, _ in found} == SUBJECT_OF.keys()
    chosen = {tuple(i for i, label in enumerate(labels) if label == "keep") for _, labels in found if len(labels) == 5}
    assert chosen == set(combinations(range(5), 2)), "the place of a sentence says nothing"


def test_only_full_stops_are_scored() -> None:
    task = Extract()
    batch = task.sample(100, Generator().manual_seed(2))
    stop = task.tokenizer.encode(".")[0]
    assert torch.equal(batch.tokens == stop, batch.targets != IGNORE)


def test_a_sentence_is_on_one_side_only() -> None:
    found = {
        split: {sentence.strip() for text, _ in reports(2500, split) for sentence in sentences(text)}
        for split in SPLITS
    }
    assert not found["train"] & found["test"]
    assert not found["train"] & found["validation"]
    assert not found["validation"] & found["test"]
    assert len(found["test"]) > 500
    asked = {split: {text.split()[0] for text, _ in reports(2500, split)} for split in SPLITS}
    assert asked["test"] == asked["train"] == SUBJECT_OF.keys()


def test_a_word_belongs_to_one_topic() -> None:
    listed = [word for topics in SUBJECTS.values() for found in topics.values() for word in found]
    assert len(set(listed)) == len(listed)
    others = {word for text, _ in reports(500) for word in text.split()} - TOPIC_OF.keys()
    assert others >= {"the", "it", "?", "."}
    assert len([topic for topics in SUBJECTS.values() for topic in topics]) == len(SUBJECT_OF)


def test_full_stops_read_the_word_and_the_question() -> None:
    task = Extract()
    text = "wet ? today the rain was expected . it was soon forgotten on monday . the gale was reported ."
    tokens = task.tokenizer.encode(text)
    words = text.split()
    about, question = task.expected(tokens)
    assert (about.name, question.name) == ("word of the topic", "question")
    ends = [place for place, word in enumerate(words) if word == "."]
    for pattern, read in ((about, ["rain", "rain", "gale"]), (question, ["wet"] * 3)):
        assert pattern.kind == "self"
        assert pattern.reads.any(1).nonzero().flatten().tolist() == ends
        assert [words[key] for key in pattern.reads.nonzero()[:, 1].tolist()] == read


def test_texts_that_are_no_report_have_no_expected_reading() -> None:
    task = Extract()
    for text in ("the was expected .", "it was expected .", "the the", "?"):
        assert not any(pattern.reads.any() for pattern in task.expected(task.tokenizer.encode(text))), text


def test_neither_the_commonest_label_nor_the_first_sentences_are_enough() -> None:
    frequent, first = Extract().baselines()
    labels = [label for _, found in reports(4000, "test") for label in found]
    assert frequent.name == "most frequent label"
    assert frequent.score == pytest.approx(labels.count("skip") / len(labels), abs=0.02)
    assert first.name == "first sentences"
    assert first.score < frequent.score < 0.75


@pytest.mark.parametrize("size", [2, 3, 12])
def test_reports_of_any_length(size: int) -> None:
    task = Extract(min_sentences=size, max_sentences=size)
    for text, labels in reports(50, "train", task=task):
        assert len(labels) == size
        assert len(text.split()) <= task.model_config().max_len


def test_a_report_has_room_for_what_is_kept() -> None:
    with pytest.raises(ConfigError, match="min_sentences is 1"):
        Extract(min_sentences=1)
    with pytest.raises(ConfigError, match="min_sentences is 9"):
        Extract(min_sentences=9)


def test_the_generator_decides_alone() -> None:
    state = torch.get_rng_state()
    assert reports(40) == reports(40)
    assert reports(40) != reports(40, seed=6)
    assert torch.equal(state, torch.get_rng_state())
