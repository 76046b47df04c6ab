"""The two corpora: seeded, split by story, and wide enough to be worth learning."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest
from torch import Generator

from attnviz.tasks import Stories
from attnviz.tasks.base import SPLITS
from attnviz.tasks.language.stories import Language, corpus
from attnviz.tasks.language.stories_en import story, with_article

languages = pytest.mark.parametrize("language", ["en", "zh"])


@languages
def test_the_corpus_is_seeded_and_large(language: Language) -> None:
    stories = corpus(language)
    assert corpus.__wrapped__(language) == stories
    assert len(set(stories)) == len(stories)
    assert len("\n".join(stories).encode()) > 260_000


@languages
def test_stories_are_whole(language: Language) -> None:
    for text in corpus(language):
        assert not re.search(r"[{}\n]|  ", text)
        assert text.endswith((".", '"', "!") if language == "en" else ("。", "”", "！"))
        assert text.count('"') % 2 == 0
        assert text.count("“") == text.count("”")


@languages
def test_no_character_is_rare(language: Language) -> None:
    counts = Counter("\n".join(corpus(language)))
    rarest, times = counts.most_common()[-1]
    assert times >= 15, rarest
    assert set(Stories(language).tokenizer.symbols) == set(counts)


@languages
def test_no_story_is_in_two_splits(language: Language) -> None:
    task = Stories(language)
    train, validation, test = (task.stories(split) for split in SPLITS)
    assert len(train) + len(validation) + len(test) == len(corpus(language))
    assert not set(train) & set(validation)
    assert not set(train) & set(test)
    assert not set(validation) & set(test)
    assert len(train) > 6 * len(test) > 0


@languages
def test_pieces_begin_with_a_sentence_and_stay_in_their_split(language: Language) -> None:
    task = Stories(language, length=60)
    for split in SPLITS:
        whole = "".join(text + "\n" for text in task.stories(split))
        batch = task.sample(50, Generator().manual_seed(0), split)
        for row in batch.targets.tolist():
            piece = task.tokenizer.decode(row)
            assert len(piece) == 60
            before = whole[: whole.index(piece)][-2:]
            assert before == "" or before[-1] in "\n。！" or before in (". ", "! ")


def test_a_story_remembers_its_names_and_colours() -> None:
    """The name of the hero always comes back: that is what attention is for."""
    random = Random(1)
    returning = [max(Counter(re.findall(r"\b[A-Z][a-z]+\b", story(random))).values()) for _ in range(100)]
    assert sum(count >= 2 for count in returning) > 90


@pytest.mark.parametrize(("given", "expected"), [("owl", "an owl"), ("red kite", "a red kite"), ("Ada", "an Ada")])
def test_article(given: str, expected: str) -> None:
    assert with_article(given) == expected
