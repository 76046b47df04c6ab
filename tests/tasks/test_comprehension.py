"""Answers found another way, by regular expressions; and skeletons that are on one side only."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Generator

from attnviz.errors import ConfigError
from attnviz.tasks.base import IGNORE, SPLITS, Split
from attnviz.tasks.language.comprehension import ANSWER, FACT, Comprehension
from attnviz.tasks.language.comprehension_grammar import (
    FRAMES,
    NOUNS,
    OBJECTS,
    PEOPLE,
    PLACES,
    QUESTIONS,
    TIMES,
    VERBS,
    answers,
)

ANY = {
    "S": "|".join(PEOPLE),
    "O": "|".join(text for texts in OBJECTS.values() for text in texts),
    "X": "|".join((*(f"{to} {name}" for to in ("to", "from") for name in PEOPLE), *PLACES, *TIMES)),
}


def expression(template: str, verb: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern of a frame or a question with any parts."""
    base, past, participle, to = verb
    groups = {role: f"(?P<{role}>{found})" for role, found in ANY.items()}
    return re.compile(template.format(base=base, past=past, participle=participle, to=to, **groups))


SENTENCES = [(verb[0], frame, expression(text, verb)) for verb in VERBS for frame, text in enumerate(FRAMES)]
ASKED = [
    (verb[0], number, role, expression(text, verb)) for verb in VERBS for number, (role, text) in enumerate(QUESTIONS)
]


def texts(n: int, split: Split = "train", seed: int = 5) -> list[tuple[str, str, str]]:
    """Questions with texts, and the words that are tagged as the answer, and as its sentence."""
    task = Comprehension()
    batch = task.sample(n, Generator().manual_seed(seed), split)
    found = []
    for tokens, targets in zip(batch.tokens, batch.targets, strict=True):
        answer, fact = tokens[targets == ANSWER], tokens[(targets == ANSWER) | (targets == FACT)]
        found.append(tuple(task.tokenizer.decode(part.tolist()) for part in (tokens, answer, fact)))
    return found  # type: ignore[return-value]


def by_expressions(text: str) -> tuple[tuple[str, int, int], str, str]:
    """The skeleton, the answer and its sentence, from the templates alone."""
    question, _, rest = text.partition(" ? ")
    (verb, number, role, named), *more = [
        (verb, number, role, match.groupdict())
        for verb, number, role, pattern in ASKED
        if (match := pattern.fullmatch(question))
    ]
    assert not more, question
    found = []
    for sentence in rest.removesuffix(" .").split(" . "):
        (of, frame, parts), *more = [
            (of, frame, match.groupdict()) for of, frame, pattern in SENTENCES if (match := pattern.fullmatch(sentence))
        ]
        assert not more, sentence
        same = all(parts[key].split()[-1] == value.split()[-1] for key, value in named.items())
        if of == verb and same:
            answer = parts[role] if role in parts else parts["X"].removeprefix("to ").removeprefix("from ")
            found.append(((verb, number, frame), answer, f"{sentence} ."))
    assert len(found) == 1, text
    return found[0]


def test_another_reader_agrees() -> None:
    found = texts(600)
    for text, answer, fact in found:
        _, right, sentence = by_expressions(text)
        assert (answer, fact) == (right, sentence), text
    assert {len(answer.split()) for _, answer, _ in found} == {1, 2, 3, 4}
    assert {text.count(" .") for text, _, _ in found} == {2, 3}
    first = [text.split(" ? ")[1].startswith(fact) for text, _, fact in found]
    assert 0.3 < sum(first) / len(first) < 0.55, "the place of a sentence says nothing"


def test_a_skeleton_is_on_one_side_only() -> None:
    found = {split: {by_expressions(text)[0] for text, _, _ in texts(1500, split)} for split in SPLITS}
    assert not found["train"] & found["test"]
    assert not found["train"] & found["validation"]
    assert not found["validation"] & found["test"]
    assert len(found["train"]) > 400
    assert len(found["test"]) > 60
    parts = {split: [{skeleton[at] for skeleton in mine} for at in range(3)] for split, mine in found.items()}
    assert all(test <= train for test, train in zip(parts["test"], parts["train"], strict=True))


def test_every_word_and_phrase_is_one_symbol_of_one_part() -> None:
    spoken = {word for text, _, _ in texts(800) for word in text.split()}
    assert spoken == set(Comprehension().tokenizer.symbols)
    assert not set(PEOPLE) & set(NOUNS)


def test_answers_are_the_tags_of_the_data() -> None:
    task = Comprehension()
    batch = task.sample(64, Generator().manual_seed(3), "test")
    assert batch.padding is not None
    for tokens, targets, real in zip(batch.tokens, batch.targets, batch.padding, strict=True):
        assert task.answers(tokens[real].tolist()) == targets[real].tolist()
        assert task.is_like(task.tokenizer.labels(tokens[real].tolist()))


@pytest.mark.parametrize(
    "text",
    [
        "?",
        ".",
        "who",
        "who ? anna sold the lamp .",  # what did they do?
        "anna sold the lamp at noon .",  # nothing is asked
        "who sold the lamp ?",  # nothing is told
        "who sold the lamp ? boris bought the lamp at noon .",  # somebody who did something else
        "who sold the lamp ? boris sold the lamp at noon . anna sold the lamp at noon .",  # two
        "where did anna sell the lamp ? anna sold the lamp at noon .",  # not told
        "who did anna sell the lamp ? anna sold the lamp at noon .",  # named and asked for
    ],
)
def test_what_has_not_one_answer_has_no_right_tags(text: str) -> None:
    task = Comprehension()
    tokens = task.tokenizer.encode(text)
    assert set(task.answers(tokens)) == {IGNORE}
    assert not task.is_like(text.split())
    assert not any(pattern.reads.any() for pattern in task.expected(tokens))


def test_who_gives_is_not_who_gets() -> None:
    text = "the lamp was sold to anna by boris ."
    for question, right in (("by whom was the lamp sold ?", "boris"), ("to whom was the lamp sold ?", "anna")):
        words = f"{question} {text}".split()
        (answer,) = answers(words)
        assert " ".join(words[slice(*answer.span)]) == right


def test_a_typed_question_is_put_as_the_task_writes_it() -> None:
    task = Comprehension()
    typed = "Who sold the lamp? Anna sold the lamp at noon. Boris bought the coat at school"
    assert task.fits(task.suggestion(typed))
    assert task.suggestion(typed).startswith("who sold the lamp ? anna sold")
    assert all(task.fits(text) for text in task.typed if isinstance(text, str))


def test_a_word_count_finds_most_sentences_and_the_first_one_less_than_half() -> None:
    first, shared = Comprehension().baselines()
    assert (first.name, shared.name) == ("first sentence", "most shared words")
    assert 0.35 < first.score < 0.5
    assert 0.85 < shared.score < 0.97


@pytest.mark.parametrize("n", [1, 6])
def test_texts_of_any_length_fit(n: int) -> None:
    task = Comprehension(min_sentences=n, max_sentences=n)
    batch = task.sample(300, Generator().manual_seed(1))
    assert batch.tokens.shape[1] <= task.model_config().max_len
    stop = task.tokenizer.encode(".")[0]
    assert torch.equal((batch.tokens == stop).sum(1), torch.full((300,), n))


def test_no_more_sentences_than_people() -> None:
    with pytest.raises(ConfigError, match="max_sentences is 9"):
        Comprehension(max_sentences=9)
    with pytest.raises(ConfigError, match="min_sentences is 0"):
        Comprehension(min_sentences=0)


def test_the_generator_decides_alone() -> None:
    state = torch.get_rng_state()
    assert texts(40) == texts(40)
    assert texts(40) != texts(40, seed=6)
    assert torch.equal(state, torch.get_rng_state())
