"""Files of tagged words: read as they are, refused with the line; and what is learned from them."""

from __future__ import annotations

import pytest
from torch import Generator

from attnviz.errors import (
    AttnvizError,
    DataColumnsUnclear,
    DataEmpty,
    DataLineTooLong,
    DataSentenceRagged,
    DataSentenceTooLong,
    DataTag,
    DataTagMissing,
    DataTooFew,
    DataTooMany,
    DataTypes,
    DataWord,
)
from attnviz.tasks.base import SPLITS
from attnviz.tasks.language.bio import spans
from attnviz.tasks.own.entities import OwnEntities
from attnviz.tasks.own.readers import conll
from attnviz.tasks.own.readers.conll import Sentence, read_conll
from attnviz.tasks.own.readers.decoding import decode
from tests.refused import refused

TEXT = """-DOCSTART- -X- O O

# sent_id = 1
EU NNP I-NP B-ORG
rejects VBZ I-VP O
German\tJJ\tI-NP\tB-MISC

#hashtag O
# O
Peter  I-PER
-DOCSTART-
北京 B-LOC
"""
SENTENCES = (
    (("EU", "B-ORG"), ("rejects", "O"), ("German", "B-MISC")),
    (("#hashtag", "O"), ("#", "O"), ("Peter", "I-PER")),
    (("北京", "B-LOC"),),
)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_sentences_are_read(ending: str) -> None:
    assert read_conll(TEXT.replace("\n", ending)) == SENTENCES
    assert read_conll(TEXT.strip().replace("\n", ending)) == SENTENCES
    assert read_conll(decode(b"\xef\xbb\xbf" + TEXT.replace("\n", ending).encode()).text) == SENTENCES


def test_spans_of_tags() -> None:
    tags = ["B-A", "I-A", "B-A", "O", "I-A", "I-A", "I-B", "O", "B-B", "I-A"]
    assert [tuple(span) for span in spans(tags)] == [
        (0, 2, "A"),
        (2, 3, "A"),
        (4, 6, "A"),
        (6, 7, "B"),
        (8, 9, "B"),
        (9, 10, "A"),
    ]
    assert spans([]) == []
    assert spans(["B-a-b", "I-a-b"]) == [(0, 2, "a-b")]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", DataEmpty()),
        ("\n# comment\n-DOCSTART- O\n", DataEmpty()),
        ("Anna B-PER\n\nsings\n", DataTagMissing(3, "sings")),
        ("Anna B-PER\nsings VBZ\n", DataTag(2, "VBZ")),
        ("Anna S-PER\n", DataTag(1, "S-PER")),
        ("Anna B-\n", DataTag(1, "B-")),
        ("O O\n" + "x" * 1001, DataLineTooLong(2, 1001, 1000)),
        ("New York\tB-LOC\nis\tO\n", DataWord(1, "New York")),
        ("is O\nNew York B-LOC\n", DataSentenceRagged(2, 3, 2)),
        ("a O\n\n" + "b O\n" * 201, DataSentenceTooLong(203, 200)),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, error: AttnvizError) -> None:
    with refused(error):
        read_conll(text)


def test_more_sentences_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conll, "MOST_SENTENCES", 3)
    assert len(read_conll("a O\n\nb O\n\nc O\n\n\n")) == 3
    with refused(DataTooMany(7, 3)):
        read_conll("a O\n\nb O\n\nc O\n\nd O\n")


@pytest.mark.parametrize(
    ("text", "said", "words"),
    [
        ("1\tEU\tB-ORG\n2\trejects\tO\n", {"word_column": 2}, ("EU", "rejects")),
        ("s1 EU B-ORG\ns1 rejects O\n\ns2 no O\ns2 more O", {"word_column": 2}, ("EU", "rejects")),
        ("O B-X lemma\nI-a O lemma", {"tag_column": 2}, ("O", "I-a")),
    ],
)
def test_which_column_is_meant_is_asked(text: str, said: dict[str, int], words: tuple[str, ...]) -> None:
    (name,) = said
    with pytest.raises(DataColumnsUnclear) as caught:
        read_conll(text)
    assert caught.value.wanted == [name]
    assert tuple(word for word, _ in read_conll(text, **said)[0]) == words  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("EU B-ORG lemma\nsays O lemma", (("EU", "B-ORG"), ("says", "O"))),  # the only column of BIO tags
        ("1 O\n2 B-X", (("1", "O"), ("2", "B-X"))),  # no other column can be the word
        ("EU\tB-ORG\t\t\nsays\tO\t\t\n\t\t\t\n", (("EU", "B-ORG"), ("says", "O"))),
        ("EU\t\tB-ORG\nsays\tVBZ\tO\n", (("EU", "B-ORG"), ("says", "O"))),
    ],
)
def test_what_a_file_tells_is_not_asked(text: str, sentence: Sentence) -> None:
    assert read_conll(text) == (sentence,)


def test_a_header_is_left_out_where_it_is_said() -> None:
    text = "Token NER\nEU B-ORG\nsays O"
    with refused(DataTag(1, "NER")):
        read_conll(text)
    assert read_conll(text, header="yes") == ((("EU", "B-ORG"), ("says", "O")),)


def own_text(n: int = 100) -> str:
    """n sentences with names of which each comes but once."""
    return "\n\n".join(f"name{i} B-PER\nsings O\nin O\ntown{i % 5} B-LOC" for i in range(n))


def test_own_sentences_are_divided() -> None:
    task = OwnEntities(own_text() + "\n\n" + own_text())  # each twice
    words = {split: {sentence[0][0] for sentence in part} for split, part in task.parts.items()}
    assert [len(task.parts[split]) for split in SPLITS] == [160, 20, 20]
    assert len(set.union(*words.values())) == 100 == sum(map(len, words.values()))
    assert task.labels == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def test_words_that_were_not_learned_are_unknown() -> None:
    task = OwnEntities(own_text())
    batch = task.sample(10, Generator().manual_seed(0), "test")
    texts = [task.tokenizer.decode(row) for row in batch.tokens.tolist()]
    assert len(texts) == 10
    assert all(text.startswith("<unk> sings in town") for text in texts)
    assert all(task.tags(row) == ["B-PER", "O", "O", "B-LOC"] for row in batch.targets.tolist())
    seen = [task.tokenizer.decode(row) for row in task.sample(80, Generator().manual_seed(0)).tokens.tolist()]
    assert 20 < sum(text.startswith("<unk>") for text in seen) < 60, "half of what comes but once is forgotten"
    assert not any(text.endswith("<unk>") for text in seen)
    for example in task.examples():
        assert task.tokenizer.decode(task.tokenizer.encode(str(example))) == example


def test_every_own_sentence_comes_before_any_comes_again() -> None:
    task = OwnEntities(own_text())
    rows = task.sample(20, Generator().manual_seed(5), "validation").tokens.tolist()
    kept = {tuple(row) for row in rows}
    assert sorted(rows.count(list(row)) for row in kept) == sorted(
        2 * len([s for s in task.parts["validation"] if s[3][0] == f"town{i}"])
        for i in range(5)
        if any(s[3][0] == f"town{i}" for s in task.parts["validation"])
    )


def test_own_models_fit() -> None:
    task = OwnEntities(own_text() + "\n\n" + "x O\n" * 30)
    assert (task.model_config().max_len, task.recurrent_config().max_len) == (31, 2048)
    for config in (task.model_config(), task.recurrent_config()):
        assert config.n_outputs == 5
        assert config.vocab_size == task.tokenizer.vocab_size
    assert {name for name, _ in task.baselines()} == {"tag of the word", "word and neighbours"}
    assert "name7" not in repr(task)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Anna B-PER\n", DataTooFew(1, 20)),
        ("Anna B-PER\n\n" * 50, DataTooFew(1, 20)),
        ("Anna O\n", DataTypes(0, 20)),
        ("".join(f"Anna B-T{i}\n" for i in range(21)), DataTypes(21, 20)),
        (own_text(19), DataTooFew(19, 20)),
    ],
)
def test_own_data_that_cannot_be_learned_is_refused(text: str, error: AttnvizError) -> None:
    with refused(error):
        OwnEntities(text)
    assert OwnEntities(own_text(20)).parts["test"]
