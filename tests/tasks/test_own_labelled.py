"""Labelled texts of one's own: read as CSV or TSV, divided, and refused with the line."""

from __future__ import annotations

import pytest
from torch import Generator

from attnviz.errors import (
    ConfigError,
    DataBlank,
    DataColumns,
    DataEmpty,
    DataLabels,
    DataLineTooLong,
    DataQuote,
    DataTooFew,
    DataTooMany,
    InputError,
)
from attnviz.tasks import own_labelled
from attnviz.tasks.base import SPLITS
from attnviz.tasks.own_labelled import OwnLabelled, read_labelled


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("good,pos\nbad,neg", [("good", "pos"), ("bad", "neg")]),
        ("Text, Label\r\n\r\ngood,pos\r\n", [("good", "pos")]),
        ("text\tlabel\ngood, very good\tpos\n", [("good, very good", "pos")]),
        ('"good, ""very"" good",pos', [('good, "very" good', "pos")]),
        ('"two\nlines",pos\nlast,neg', [("two lines", "pos"), ("last", "neg")]),
        ("\n\n不错,好评\n", [("不错", "好评")]),
        ('he said "no",neg', [('he said "no"', "neg")]),
    ],
)
def test_rows_are_read(text: str, rows: list[tuple[str, str]]) -> None:
    assert read_labelled(text) == rows


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", DataEmpty, "There is nothing to learn from"),
        ("text,label\n\n", DataEmpty, "There is nothing to learn from"),
        ("good,pos\nbad\n", DataColumns, "Line 2 has 1 column(s)"),
        ("good,pos\n\nbad, very bad,neg\n", DataColumns, "Line 3 has 3 column(s)"),
        ("good;pos\n", DataColumns, "Line 1 has 1 column(s)"),
        ("\n\ngood,\n", DataBlank, "Line 3: the column “label” is empty"),
        ("good,pos\n ,neg\n", DataBlank, "Line 2: the column “text” is empty"),
        ('good,pos\n"bad,neg\nfine,pos\n', DataQuote, "Line 2: a quotation mark is not closed"),
        ('"good" bad,pos\n', DataQuote, "Line 1: a quotation mark is not closed, or not at the end"),
        ("good,pos\n" + "x" * 1001 + ",neg", DataLineTooLong, "Line 2 has 1,001 characters"),
        ('"a\nb\nc",pos\nbad', DataColumns, "Line 4 has 1 column(s)"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, kind: type[InputError], message: str) -> None:
    with pytest.raises(kind) as caught:
        read_labelled(text)
    assert message in str(caught.value)


def test_more_rows_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_labelled, "MOST_ROWS", 2)
    assert len(read_labelled("a,x\nb,y\n")) == 2
    with pytest.raises(DataTooMany, match="goes on after 2 texts, at line 3"):
        read_labelled("a,x\nb,y\nc,x\n")


ROWS = "".join(f"word{i} is {'even' if i % 2 == 0 else 'odd'},{i % 2}\n" for i in range(100))


@pytest.mark.parametrize(("unit", "unknown"), [("words", "<unk>"), ("characters", "□")])
def test_texts_are_divided(unit: own_labelled.Unit, unknown: str) -> None:
    task = OwnLabelled(ROWS + ROWS + "日 is odd,1\n", unit)
    texts = {split: {row.text for row in part} for split, part in task.parts.items()}
    assert len(set.union(*texts.values())) == 101 == sum(map(len, texts.values()))
    assert len(texts["test"]) == len(texts["validation"]) == 10
    for split in SPLITS:
        batch = task.sample(200, Generator().manual_seed(1), split)
        for row, label in zip(batch.tokens.tolist(), batch.targets[:, 0].tolist(), strict=True):
            text = task.tokenizer.decode(row)
            assert task.labels[label] == ("1" if text.endswith("odd") else "0")
            assert unit == "characters" or text.startswith(unknown) or text in texts[split]
    for example in task.examples():
        assert task.tokenizer.decode(task.tokenizer.encode(str(example))) == example
    assert "even" not in repr(task)


def test_models_fit() -> None:
    task = OwnLabelled(ROWS)
    for config in (task.model_config(), task.recurrent_config()):
        assert config.max_len == 4
        assert config.n_outputs == 2
        assert config.vocab_size == task.tokenizer.vocab_size
    assert dict(task.baselines())["bag of words"] == 1.0


def test_one_label_in_training_leaves_one_baseline() -> None:
    rows = [f"text {i},usual" for i in range(40)]
    test = OwnLabelled("\n".join([*rows, "text 40,other"])).parts["test"][0].text
    task = OwnLabelled("\n".join(row.replace("usual", "other") if row.startswith(test + ",") else row for row in rows))
    assert [name for name, _ in task.baselines()] == ["most frequent label"]


@pytest.mark.parametrize(
    ("text", "unit", "kind", "message"),
    [
        ("good,pos\nfine,pos\n", "words", DataLabels, "The texts have 1 different label(s); 2 to 20 are taken."),
        ("".join(f"t{i},l{i}\n" for i in range(21)), "words", DataLabels, "The texts have 21 different label(s)"),
        ("good,pos\nbad,neg\n" * 30, "words", DataTooFew, "There are 2 different texts; at least 20 are needed"),
        (ROWS, "letters", ConfigError, "unit is 'letters'; choose one of words, characters"),
    ],
)
def test_data_that_cannot_be_learned_is_refused(
    text: str, unit: own_labelled.Unit, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        OwnLabelled(text, unit)
    assert message in str(caught.value)
