"""Opinions: labels judged another way, splits apart, patterns about the right words."""

from __future__ import annotations

import re

import pytest
from torch import Generator

from attnviz.errors import ConfigError
from attnviz.tasks.base import IGNORE, SPLITS, Split
from attnviz.tasks.language.sentiment import Language, Sentiment
from attnviz.tasks.language.sentiment_en import ENGLISH
from attnviz.tasks.language.sentiment_zh import CHINESE

LANGUAGES: tuple[Language, ...] = ("en", "zh")
each_language = pytest.mark.parametrize("language", LANGUAGES)


def drawn(task: Sentiment, n: int, split: Split = "train", seed: int = 3) -> list[tuple[str, str]]:
    """Texts and labels."""
    batch = task.sample(n, Generator().manual_seed(seed), split)
    texts = [task.tokenizer.decode(row) for row in batch.tokens.tolist()]
    return list(zip(texts, (task.labels[label] for label in batch.targets[:, 0].tolist()), strict=True))


def own_clause(text: str, language: Language) -> str:
    """One's own opinion: no neutral sentence, no opinion of anybody else."""
    if language == "en":
        said = next(piece for piece in text.split(" . ") if set(piece.split()) & set(ENGLISH.opinions))
        return re.split(r"(?<!anything) but ", said)[-1].split(" even if ")[0]
    said = next(piece for piece in text.split("。") if any(word in piece for word in CHINESE.opinions))
    return said.split("，尽管")[0].split("，但是")[-1]


def judged(text: str, language: Language) -> str:
    """The label, by counting what turns an opinion round."""
    own = own_clause(text, language)
    if language == "en":
        good = bool(set(own.split()) & set(ENGLISH.positive))
        turns = sum(own.split().count(word) for word in ("not", "never", "hardly", "far", "anything", "nobody"))
    else:
        good = any(word in own for word in CHINESE.positive)
        turns = own.count("不")
    return "positive" if good == (turns % 2 == 0) else "negative"


@each_language
def test_labels_are_right(language: Language) -> None:
    rows = drawn(Sentiment(language), 1000)
    for text, label in rows:
        assert judged(text, language) == label, text
    share = sum(label == "positive" for _, label in rows) / len(rows)
    assert 0.4 < share < 0.6
    assert 0.4 < sum(("even if" in text or " said it" in text or "说" in text) for text, _ in rows) / len(rows) < 0.6


@each_language
def test_only_bos_is_scored(language: Language) -> None:
    batch = Sentiment(language).sample(50, Generator().manual_seed(0))
    assert bool((batch.targets[:, 1:] == IGNORE).all())
    assert set(batch.targets[:, 0].tolist()) == {0, 1}
    assert bool((batch.tokens[:, 0] == 1).all())


@each_language
def test_splits_are_apart(language: Language) -> None:
    task = Sentiment(language)
    subjects = "|".join(task.words.subjects)
    texts, cores = [], []
    for split in SPLITS:
        rows = [text for text, _ in drawn(task, 3000, split)]
        texts.append(set(rows))
        cores.append({re.sub(subjects, "_", own_clause(text, language)) for text in rows})
    for sides in (texts, cores):
        assert sum(map(len, sides)) == len(set.union(*sides))
    words = {word for core in cores[0] for word in task.words.opinions if word in core}
    assert words == set(task.words.opinions), "a word that is never learned cannot be asked for"


@each_language
def test_the_generator_alone_decides(language: Language) -> None:
    task = Sentiment(language)
    assert drawn(task, 20) == drawn(task, 20)
    assert drawn(task, 20) != drawn(task, 20, seed=4)


@pytest.mark.parametrize(("noise", "least"), [(0, 0), (1, 0), (10, 5)])
@each_language
def test_noise_is_the_number_of_neutral_sentences(language: Language, noise: int, least: int) -> None:
    task = Sentiment(language, noise)
    sides = set()
    for text, _ in drawn(task, 200):
        assert text.endswith(task.words.end)
        pieces = text.removesuffix(task.words.end).split(task.words.stop)
        (place,) = (i for i, piece in enumerate(pieces) if own_clause(text, language) in piece)
        sides |= {place, len(pieces) - 1 - place}
        assert set(pieces) - {pieces[place]} <= set(task.words.neutral)
        assert len(task.tokenizer.encode(text)) <= task.max_len
    assert sides == set(range(least, noise + 1))


@each_language
def test_neutral_sentences_have_no_opinion(language: Language) -> None:
    task = Sentiment(language)
    signs = [*task.words.opinions, *task.words.negations, task.words.said]
    assert not [text for text in task.words.neutral for sign in signs if f" {sign} " in f" {text} "]
    if language == "zh":
        assert not [text for text in task.words.neutral for sign in signs if sign in text]


def test_chinese_words_are_said_of_what_they_suit() -> None:
    """A dish is delicious, a film is not; 它 comes after what it stands for; no word is odd with 不."""
    kinds = {word: kind for kind in ("饭", "酒店", "服务", "电影") for word in CHINESE.opinions if suits(word, kind)}
    assert kinds["可口"] == "饭"
    assert kinds["破旧"] == "酒店"
    assert kinds["周到"] == "服务"
    assert kinds["精彩"] == "电影"
    assert len(CHINESE.positive) == len(CHINESE.negative) == 20
    assert all(subject in CHINESE.subjects for subjects in CHINESE.suits.values() for subject in subjects)
    assert CHINESE.suits.keys() <= set(CHINESE.opinions)
    assert not {"完美", "理想", "有意思"} & set(CHINESE.opinions), "不完美 is no blame, and nobody says 不有意思"
    words = "|".join(sorted(CHINESE.opinions, key=len, reverse=True))
    for text, _ in drawn(Sentiment("zh"), 2000):
        said = next(piece for piece in text.split("。") if re.search(words, piece))
        (subject,) = [each for each in CHINESE.subjects if each in said]
        assert "它" not in said or said.index(subject) < said.index("它")
        for word in re.findall(words, said):
            assert subject in CHINESE.suits.get(word, CHINESE.subjects), text


def suits(word: str, kind: str) -> bool:
    return any(kind in subject for subject in CHINESE.suits.get(word, ()))


EXAMPLES: list[tuple[Language, str, str]] = [
    ("en", "the film was very good", "positive"),
    ("en", "the film was not at all bad", "positive"),
    ("en", "i do not think the film was not good", "positive"),
    ("en", "my brother said it was boring but i think the book was really interesting", "positive"),
    ("en", "the hotel was hardly awful even if a friend said it was quite bad", "positive"),
    ("zh", "这部电影非常精彩。", "positive"),
    ("zh", "这部电影一点也不精彩。", "negative"),
    ("zh", "我不觉得这部电影一点也不精彩。", "positive"),
    ("zh", "我弟弟说这本书很无聊，但是我觉得它很有趣。", "positive"),
    ("zh", "这家酒店并不糟糕，尽管一个朋友说它很差。", "positive"),
]


@pytest.mark.parametrize(("language", "text", "label"), EXAMPLES)
def test_examples_can_be_typed(language: Language, text: str, label: str) -> None:
    task = Sentiment(language)
    assert text in task.examples()
    assert task.tokenizer.decode(task.tokenizer.encode(text)) == text
    assert judged(text, language) == label


@pytest.mark.parametrize(
    ("language", "text", "read"),
    [
        ("en", "the film was very good", "good"),
        ("en", "the film was not at all bad", "not at all bad"),
        ("en", "i do not think the film was far from good", "do not far from good"),
        ("en", "my brother said it was not boring but i think the book was quite nice", "nice"),
        ("en", "the book was never nice even if a friend said it was anything but dull", "never nice"),
        ("en", "it was monday . nobody could say that the book was nice . the door is on the left", "nobody nice"),
        ("en", "we took the bus", ""),
        ("en", "good good", "good good"),
        ("zh", "这部电影非常精彩", "精彩"),
        ("zh", "这部电影一点也不精彩", "一点也不精彩"),
        ("zh", "我并不认为这道菜根本不好", "并不认为根本不好"),
        ("zh", "那天是星期一。我弟弟说这出戏不好，但是它很棒。门在左边。", "棒"),
        ("zh", "这家酒店并不糟糕，尽管一个朋友说它根本不差。", "并不糟糕"),
    ],
)
def test_bos_should_read_negation_and_opinion(language: Language, text: str, read: str) -> None:
    task = Sentiment(language)
    tokens = task.tokenizer.encode(text)
    (pattern,) = task.expected(tokens)
    assert pattern.reads.shape == (len(tokens), len(tokens))
    assert not bool(pattern.reads[1:].any())
    keys = pattern.reads[0].nonzero().flatten().tolist()
    assert task.tokenizer.decode(tokens[key] for key in keys) == read


@each_language
def test_negation_defeats_counting_words(language: Language) -> None:
    task = Sentiment(language)
    scores = dict(task.baselines())
    labels = [label for _, label in drawn(task, 1000, "test", seed=0)]
    assert scores["most frequent label"] in (
        pytest.approx(labels.count("positive") / 1000),
        pytest.approx(labels.count("negative") / 1000),
    )
    assert scores["bag of words"] < 0.65


@each_language
def test_outputs_are_labels(language: Language) -> None:
    task = Sentiment(language, noise=3)
    for config in (task.model_config(), task.recurrent_config()):
        assert config.n_outputs == len(task.labels) == 2
        assert config.max_len == task.max_len
        assert config.vocab_size == task.tokenizer.vocab_size


def test_wrong_parameters_are_refused() -> None:
    with pytest.raises(ConfigError, match="language is fr; choose one of 'en', 'zh'"):
        Sentiment("fr")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="noise is 41; it must be a whole number from 0 to 40"):
        Sentiment(noise=41)
