"""Labelled texts of one's own: read as CSV or TSV, divided, and refused with the line."""

from __future__ import annotations

from typing import Any

import pytest
from torch import Generator

from attnviz.errors import (
    AttnvizError,
    ConfigError,
    DataBinary,
    DataBlank,
    DataCellTooLong,
    DataColumns,
    DataColumnsUnclear,
    DataEmpty,
    DataHeaderUnclear,
    DataJsonLine,
    DataLabels,
    DataLineTooLong,
    DataNoColumn,
    DataOfSplit,
    DataQuote,
    DataRagged,
    DataSameColumn,
    DataSeparatorUnclear,
    DataTooFew,
    DataTooMany,
    DataTooManyColumns,
    DataUnclear,
    SettingNotOffered,
    TextTooLong,
)
from attnviz.errors.base import Why
from attnviz.tasks.base import SPLITS
from attnviz.tasks.own import labelled as own_labelled
from attnviz.tasks.own.labelled import OwnLabelled, read_labelled
from attnviz.tasks.own.readers import labelled_rows
from tests.refused import refused


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("good,pos\nfine,pos", [("good", "pos"), ("fine", "pos")]),
        ("Text, Label\r\n\r\ngood,pos\r\n", [("good", "pos")]),
        ("good;pos\rfine;pos\r", [("good", "pos"), ("fine", "pos")]),
        ("good, well;pos\nfine;pos\n", [("good, well", "pos"), ("fine", "pos")]),
        ("id|Label|Text\n1|pos|good\n", [("good", "pos")]),
        ("text,label,,\n,,,\ngood,pos,,\nfine,pos,,\n,,,\n", [("good", "pos"), ("fine", "pos")]),
        (",text,label\n0,good,pos\n1,fine,pos", [("good", "pos"), ("fine", "pos")]),  # as pandas writes its index
        ("good,pos,\nfine,pos", [("good", "pos"), ("fine", "pos")]),
        ("text\tlabel\ngood, very good\tpos\n", [("good, very good", "pos")]),
        ('"good, ""very"" good",pos', [('good, "very" good', "pos")]),
        ('"two\nlines",pos\nlast,pos', [("two lines", "pos"), ("last", "pos")]),
        ('"two\r\nlines",pos\r\nlast,pos', [("two lines", "pos"), ("last", "pos")]),
        ("\n\n不错,好评\n", [("不错", "好评")]),
        ('he said "no",neg', [('he said "no"', "neg")]),
    ],
)
def test_rows_are_read(text: str, rows: list[tuple[str, str]]) -> None:
    assert read_labelled(text) == rows


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", DataEmpty()),
        ("text,label\n\n", DataEmpty()),
        ("good,pos\nbad\n", DataColumns(2, 1)),
        ("good,pos\n\nbad, very bad,neg\n", DataColumns(3, 3)),
        ("good pos\n", DataColumns(1, 1)),
        ("good,pos\n\ngood,\nfine,pos", DataBlank(3, "label")),
        ("good,pos\n ,pos\n", DataBlank(2, "text")),
        ("good,pos\nfine,\u200b\nold,pos", DataBlank(2, "label")),
        ('[{"text": "good", "label": 1}]', DataJsonLine(1, Why("json-list"))),
        ("id,text,label\n1,good,pos,very\n", DataRagged(2, 4, 3)),
        ("id,text,label\n1,good\n", DataRagged(2, 2, 3)),
        ("a," * 2000 + "b", DataTooManyColumns(1, 2001, 1000)),
        ('good,pos\n"' + "x" * 200_000, DataCellTooLong(2, 131072)),
        ("good\x1fvery,pos", DataBinary(1)),
        ('good,pos\n"bad,neg\nfine,pos\n', DataQuote(2)),
        ('"good" bad,pos\n', DataQuote(1)),
        ("good,pos\n" + "x" * 10_001 + ",pos", DataLineTooLong(2, 10001, 10000)),
        ('"a\nb\nc",pos\nbad', DataColumns(4, 1)),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, error: AttnvizError) -> None:
    with refused(error):
        read_labelled(text)


def test_more_rows_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled_rows, "MOST_ROWS", 2)
    assert len(read_labelled("a,x\nb,x\n")) == 2
    with refused(DataTooMany(3, 2)):
        read_labelled("a,x\nb,y\nc,x\n")
    assert len(read_labelled("text,label\na,x\nb,x\n")) == 2


def reviews(header: str = "", separator: str = ",") -> str:
    """Thirty reviews with two labels."""
    rows = [f"review {n}{separator}{('bad', 'good')[n % 2]}" for n in range(30)]
    return "\n".join([*filter(None, [header]), *rows])


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (reviews("review,sentiment"), DataHeaderUnclear("review | sentiment"), {"header": "yes"}),
        (reviews("NA,NA"), DataHeaderUnclear("NA | NA"), {"header": "yes"}),
        (reviews("text,sentiment"), DataHeaderUnclear("text | sentiment"), {"header": "yes"}),
        (
            "\n".join(f"{n},{line}" for n, line in enumerate(reviews().split("\n"))),
            DataColumnsUnclear("1: 0, 2: review 0, 3: bad", ["text_column", "label_column"]),
            {"text_column": 2, "label_column": 3},
        ),
        (
            "\n".join(",".join(line.split(",")[::-1]) for line in reviews().split("\n")),
            DataColumnsUnclear("1: bad, 2: review 0", ["text_column", "label_column"]), {"text_column": 2},
        ),
        (
            reviews().replace("review ", "a; "),
            DataSeparatorUnclear(["semicolon", "comma"], "a; 0,bad"), {"separator": "comma"},
        ),
    ],
)  # fmt: skip
def test_what_a_table_does_not_tell_is_asked(text: str, error: AttnvizError, said: dict[str, Any]) -> None:
    with refused(error):
        OwnLabelled(text)
    assert isinstance(error, DataUnclear)
    task = OwnLabelled(text, **said)
    assert task.labels == ("bad", "good"), "no class but these"
    assert sum(map(len, task.parts.values())) == 30, "and no example but these"


def test_a_column_cannot_be_both_nor_be_missing() -> None:
    with refused(DataSameColumn(1)):
        OwnLabelled(reviews(), text_column=1, label_column=1)
    with refused(DataNoColumn("label_column", 3, 2)):
        OwnLabelled(reviews(), label_column=3)
    with pytest.raises(ConfigError, match="separator is x; choose one of 'auto', 'comma'"):
        OwnLabelled(reviews(), separator="x")  # type: ignore[arg-type]


def test_a_network_without_positions_reads_longer_texts_than_it_learned_from() -> None:
    task = OwnLabelled(ROWS)
    assert task.model_config().max_len == 4
    assert task.recurrent_config().max_len == own_labelled.MOST_TOKENS == 2048
    long = OwnLabelled(ROWS + "word " * 1900 + ",1\n")
    assert long.model_config().max_len == 1901
    with refused(TextTooLong(2101, own_labelled.MOST_TOKENS)):
        OwnLabelled(ROWS + "w " * 2100 + ",1\n")


def test_the_task_of_an_older_run_is_read_as_it_was() -> None:
    old = OwnLabelled.stored(text=reviews("review,sentiment"), unit="words")
    assert old.labels == ("bad", "good", "sentiment")
    assert OwnLabelled.stored(text=reviews("Text, Label")).labels == ("bad", "good")
    assert OwnLabelled.stored(text=reviews(separator="\t").replace("review", "a, b")).labels == ("bad", "good")


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


def test_a_file_for_the_test_may_lack_the_header_but_json_lines_need_its_names() -> None:
    named = "text,label\n" + ROWS
    assert OwnLabelled(named, test_text="good,1\nfine,0\n").parts["test"] == [("good", "1"), ("fine", "0")]
    with pytest.raises(DataOfSplit, match="no column named text"):
        OwnLabelled(named, test_text='{"class": 1, "words": "good"}')


def test_models_fit() -> None:
    task = OwnLabelled(ROWS)
    for config in (task.model_config(), task.recurrent_config()):
        assert config.n_outputs == 2
        assert config.vocab_size == task.tokenizer.vocab_size
    assert dict(task.baselines())["bag of words"] == 1.0


def test_one_label_in_training_leaves_one_baseline() -> None:
    rows = [f"text {i},usual" for i in range(40)]
    test = OwnLabelled("\n".join([*rows, "text 40,other"])).parts["test"][0].text
    task = OwnLabelled("\n".join(row.replace("usual", "other") if row.startswith(test + ",") else row for row in rows))
    assert [name for name, _ in task.baselines()] == ["most frequent label"]


@pytest.mark.parametrize(
    ("text", "unit", "error"),
    [
        ("good,pos\nfine,pos\n", "words", DataLabels(1, 2, 20)),
        ("".join(f"t{i},l{i % 21}\n" for i in range(42)), "words", DataLabels(21, 2, 20)),
        ("good,pos\nbad,neg\n" * 30, "words", DataTooFew(2, 20)),
        (ROWS, "letters", SettingNotOffered("unit", "letters", ["words", "characters"])),
    ],
)
def test_data_that_cannot_be_learned_is_refused(text: str, unit: own_labelled.Unit, error: AttnvizError) -> None:
    with refused(error):
        OwnLabelled(text, unit)
