"""Pairs of one's own: how they are read, divided, written in tokens, and what is said of them before training."""

from __future__ import annotations

import json
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from attnviz import locale
from attnviz.errors import (
    DataBlank,
    DataColumns,
    DataColumnsUnclear,
    DataDialogues,
    DataJsonLine,
    DataOfSplit,
    DataOneTarget,
    DataTooFew,
    SettingNotOffered,
)
from attnviz.tasks import IGNORE, OwnPairs
from attnviz.tasks.base import SPLITS
from attnviz.tasks.language.pieces import trained_pieces
from attnviz.tasks.own.readers.pair_rows import pair_layout, read_pairs
from attnviz.tokenizers import Tokenizer
from attnviz.training import RunConfig, evaluate
from attnviz.training.engine.loop import train
from attnviz.training.recipes import own_pairs

WORDS = ["red", "green", "blue", "pink", "grey", "black", "white", "brown"]
ROWS = [(f"{a} {b} {n % 7}", f"{n % 7} {b} {a}") for n, (a, b) in enumerate((a, b) for a in WORDS for b in WORDS)]
TSV = "\n".join("\t".join(row) for row in ROWS)


def said(task: OwnPairs) -> dict[str, str]:
    """Return the notes on the data, which both languages can say."""
    for lang in locale.LANGUAGES:
        assert all(locale.t(lang, note.key, **note.values) for note in task.notes())
    return {note.key: locale.t("en", note.key, **note.values) for note in task.notes() if note.warns}


@pytest.mark.parametrize(
    "text",
    [
        TSV,
        "source\ttarget\n" + TSV,
        "\n".join(f"{target};{source}" for source, target in [("Question", "Answer"), *ROWS]).replace(
            "Answer;Question", "answer;question"
        ),
        "\n".join(json.dumps({"target": target, "id": n, "source": source}) for n, (source, target) in enumerate(ROWS)),
    ],
    ids=["bare", "header", "named the other way round", "JSON lines"],
)
def test_the_same_pairs_are_read_of_every_kind_of_file(text: str) -> None:
    assert [pair[:2] for pair in read_pairs(text)] == ROWS
    assert OwnPairs(text).parts == OwnPairs(TSV).parts


def test_what_a_table_does_not_tell_is_asked() -> None:
    three = "\n".join(f"{n}\t{source}\t{target}" for n, (source, target) in enumerate(ROWS))
    with pytest.raises(DataColumnsUnclear):
        OwnPairs(three)
    assert OwnPairs(three, source_column=2, target_column=3).parts == OwnPairs(TSV).parts
    assert isinstance(pair_layout(three).unclear, DataColumnsUnclear)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("a\tb\nc\t \n", DataBlank, "Line 2: the column “target” is empty"),
        ("a\tb\n\tc\n", DataBlank, "Line 2: the column “source” is empty"),
        ('{"source": "a"}\n{"source": "b"}', DataColumns, "a source and its target"),
        ('{"source": "a", "target": "b"}\n[1]', DataJsonLine, "Line 2"),
        ("\n".join(f"{n}\tsame" for n in range(30)), DataOneTarget, "All 30 pairs have the same target, “same”"),
        ("\n".join(f"a {n % 19}\t{n}" for n in range(60)), DataTooFew, "19 different texts; at least 20"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        OwnPairs(text)


def test_a_unit_that_there_is_not_is_refused() -> None:
    with pytest.raises(SettingNotOffered):
        OwnPairs(TSV, unit="bytes")  # type: ignore[arg-type]


@pytest.mark.parametrize("unit", ["words", "characters", "pieces"])
def test_pairs_are_divided_by_their_source(unit: str) -> None:
    """The same source is never on two sides, and what is in no training text is read and written as unknown."""
    task = OwnPairs(TSV + "\n" + TSV + "\n日 red 1\t1 red 日\n", unit, vocabulary=60)  # type: ignore[arg-type]
    sources = {split: {pair.source for pair in task.parts[split]} for split in SPLITS}
    assert sum(map(len, sources.values())) == len(ROWS) + 1
    assert not sources["train"] & (sources["validation"] | sources["test"])
    assert not sources["validation"] & sources["test"]
    assert [len(sources[split]) for split in ("validation", "test")] == [6, 6]
    batch = task.items("test")
    for row, pair in enumerate(task.parts["test"]):
        assert batch is not None
        assert batch.source is not None
        assert task.source_tokenizer.decode(batch.source[row].tolist()) == pair.source
        assert task.tokenizer.decode(batch.tokens[row].tolist()) == pair.target
        due = [token for token in batch.targets[row].tolist() if token != IGNORE]
        assert due == [*task.tokenizer.encode(pair.target)[1:], Tokenizer.eos_id]
    assert task.tokenizer.encode_symbols(["ж"]) == task.tokenizer.encode_symbols([task.tokenizer.unknown])


TEXTS = st.text(st.sampled_from("ab好é ▁□|<>\"'"), max_size=20)


@given(st.lists(TEXTS, min_size=1, max_size=5), TEXTS)
@settings(max_examples=100)
def test_pieces_give_back_every_text_of_known_characters(texts: list[str], other: str) -> None:
    tokenizer = trained_pieces(texts, 40, add_bos=True)
    assert tokenizer == trained_pieces(texts, 40, add_bos=True)
    assert tokenizer == Tokenizer.from_dict(json.loads(json.dumps(tokenizer.to_dict())))
    for text in (*texts, other):
        plain = " ".join(text.replace("▁", " ").split())
        assert tokenizer.join(tokenizer.split(text)) == plain, "whatever is known"
        if plain and set(plain) <= {" ", *"".join(tokenizer.symbols)}:
            assert tokenizer.decode(tokenizer.encode(text)) == plain


def test_pieces_are_those_that_the_library_trains() -> None:
    """By hand: "l o w" comes nine times in three words, so that "lo", then "▁lo" and "▁low" are made."""
    tokenizer = trained_pieces(["low lower lowest"] * 9, 12)
    assert tokenizer.merges == (("l", "o"), ("▁", "lo"), ("▁lo", "w"))
    assert tokenizer.decode(tokenizer.encode("lower low")) == "lower low"


def test_previous_turns_are_read_within_a_dialogue() -> None:
    text = "\n\n".join(f"hi {n}\thello\ntea ?\tyes {n}\nmilk ?\tno" for n in range(20))
    pairs = read_pairs(text, turns=3)
    assert [pair.source for pair in pairs[:4]] == [
        "hi 0",
        "hi 0 | hello | tea ?",
        "hello | tea ? | yes 0 | milk ?",
        "hi 1",
    ]
    task = OwnPairs(text, turns=3)
    assert {split: len({pair.whole for pair in part}) for split, part in task.parts.items()} == {
        "train": 16,
        "validation": 2,
        "test": 2,
    }
    greeting = OwnPairs("\n\n".join(f"good day\thello\nhi {n}\tyes {n}" for n in range(20)), turns=3)
    assert said(greeting)["pairs.shared"].endswith("spaces): 4. The scores will look better than on new data.")
    with pytest.raises(DataDialogues, match="1 different dialogues"):
        OwnPairs(text.replace("\n\n", "\n"), turns=3)
    listed = "\n".join(json.dumps({"source": ["hi", f"tea {n} ?"], "target": f"yes {n}"}) for n in range(20))
    assert read_pairs(listed)[0].source == "hi | tea 0 ?"


def test_what_is_cut_is_said_and_never_right() -> None:
    long = " ".join(["red"] * 9)
    task = OwnPairs(f"{TSV}\n{long} 1\tone\n" + "\n".join(f"{n}\t{long}" for n in range(9)), longest=4)
    assert said(task)["pairs.cut.source"].startswith("Cut at the end to 4 tokens: 1 sources and 9 targets.")
    cut = task.batch([pair for pair in task.all_items if pair.target == long][:1])
    logits = torch.nn.functional.one_hot(cut.targets, task.tokenizer.vocab_size).float()
    assert cut.tokens.shape == (1, 5), "what comes after four symbols is still written, without an end"
    assert task.accuracy(logits, cut) == 0.0
    whole = task.batch(task.all_items[:5])
    known = whole.targets.clamp(min=0)
    assert task.accuracy(torch.nn.functional.one_hot(known, task.tokenizer.vocab_size).float(), whole) == 1.0
    dialogue = OwnPairs("\n\n".join(f"{n} {long}\ta {n}\nlast word {n}\tb" for n in range(30)), turns=2, longest=4)
    assert dialogue.cut(["a", "b", "c", "d", "e"]) == ["b", "c", "d", "e"], "the oldest turns are left out"
    assert "pairs.cut.dialogue" in said(dialogue)


def test_an_unknown_symbol_is_never_right() -> None:
    task = OwnPairs(TSV)
    batch = task.batch([task.all_items[0]._replace(target="red unheard 1")])
    logits = torch.nn.functional.one_hot(batch.targets, task.tokenizer.vocab_size).float()
    assert task.accuracy(logits, batch) == 0.0


def test_what_may_be_wrong_with_pairs_is_counted() -> None:
    task = OwnPairs(TSV)
    assert said(task) == {}
    test = task.parts["test"][0]
    shouted = f"{test.source.upper()} !\t{test.target}"
    assert OwnPairs(f"{TSV}\n{shouted}").parts["test"].count(test) in (0, 1)
    doubled = OwnPairs(f"{TSV}\n{TSV}\n{ROWS[0][0]}\tsomething else")
    assert said(doubled)["pairs.repeated"] == f"Pairs that repeat an earlier one: {len(ROWS)}."
    assert said(doubled)["pairs.contradictory"].startswith("Sources with more than one target: 1.")
    shared = [OwnPairs("\n".join([TSV, f"{source.upper()} !\t{target}"])) for source, target in ROWS]
    assert any("pairs.shared" in said(each) for each in shared), "but for capitals it is in training as well"
    rare = OwnPairs("\n".join(f"word{n} is\tis word{n}" for n in range(40)), vocabulary=50)
    assert said(rare)["pairs.unknown"].startswith("With tokens that the model does not know: 4 test sources and 4")
    limited = OwnPairs("\n".join(f"a{n} b{n}\tc{n} d{n}" for n in range(60)), vocabulary=50)
    assert said(limited)["pairs.dropped"].startswith("Beyond the vocabulary limit: 46 rare tokens of the sources")


def test_validation_and_test_may_have_data_of_their_own() -> None:
    """They stay whole whatever they hold; what is also learned from is counted, and nothing of them is learned."""
    first, second = ("\t".join(row) for row in ROWS[:2])
    task = OwnPairs(TSV, test_text="target;source\r\nowl an;an owl\r\ngrey;red")
    assert [pair[:2] for pair in task.parts["test"]] == [("an owl", "owl an"), ("red", "grey")]
    named = "source,target\n" + TSV.replace("\t", ",")
    for held in ("target;source\nowl an;an owl", "an owl\towl an", '{"id": 1, "target": "owl an", "source": "an owl"}'):
        for how in ({}, {"separator": "comma", "header": "yes", "source_column": 1, "target_column": 2}):
            if how and "\t" in held:  # the first line is a header, as was said
                held += "\nan owl\towl an"
            (pair,) = OwnPairs(named, test_text=held, **how).parts["test"]
            assert pair[:2] == ("an owl", "owl an"), "a file has a separator and an order of its own"
    assert {split: len(part) for split, part in task.parts.items()} == {"train": 58, "validation": 6, "test": 2}
    assert said(task)["pairs.unknown"].startswith("With tokens that the model does not know: 1 test sources and 1 test")
    both = OwnPairs(TSV, validation_text=first, test_text=f"{second}\n{second}")
    assert len(both.parts["train"]) == len(ROWS)
    assert said(both)["pairs.shared"].endswith("spaces): 3. The scores will look better than on new data.")
    assert said(both)["pairs.repeated"].endswith(": 1.")
    assert "taken as they are" in locale.t("en", both.notes()[0].key, **both.notes()[0].values)
    assert OwnPairs(TSV, test_text=f"{first}\r\n") == OwnPairs(TSV, test_text=f"{first}\n")
    for text, words in (("a\tb\nc\t ", "Line 2: the column “target” is empty"), ("\n", "The data are empty")):
        with pytest.raises(DataOfSplit, match=f"Test data: {words}"):
            OwnPairs(TSV, test_text=text)
    longer = OwnPairs(TSV, test_text="one two three four five six\tsix")
    assert longer.model_config().source_max_len == 6, "what is judged is read whole"


def test_a_run_tells_files_of_their_own_only_where_they_are_given() -> None:
    """So that runs that have none keep their digest, by which a run is found again."""
    plain, given = (RunConfig.of_recipe(own_pairs(TSV, test_text=text)) for text in ("", "red\tder"))
    parameters = plain.to_dict()["task"]["parameters"]
    assert not {"validation_text", "test_text"} & set(parameters)
    assert given.to_dict()["task"]["parameters"]["test_text"] == "red\tder"
    assert given.digest != plain.digest
    for config in (plain, given):
        assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))).task == config.task


def test_rare_words_are_forgotten_on_both_sides_at_once() -> None:
    """A source without its rare word goes with a target without it: there is nothing to know it from."""
    task = OwnPairs("\n".join(f"word{n} is\tis word{n}" for n in range(40)))
    batch = task.sample(64, Generator().manual_seed(0))
    assert batch.source is not None
    unknown = task.tokenizer.encode_symbols(["<unk>"])[0]
    source, target = (batch.source == unknown).any(1), (batch.targets == unknown).any(1)
    assert source.tolist() == target.tolist()
    assert 16 < int(source.sum()) < 48


def test_baselines_are_scores_of_texts() -> None:
    copied = "\n".join(f"{source}\t{source}" for source, _ in ROWS)
    scores = dict(OwnPairs(copied).baselines())
    assert scores == {"most frequent target": 0.0, "source copied": 1.0, "nearest source": 0.0}
    assert dict(OwnPairs(TSV).baselines())["source copied"] == 0.0


def test_a_few_hundred_pairs_are_learned() -> None:
    """Words of three to five letters, written backwards."""
    random = Random(0)
    words = dict.fromkeys("".join(random.choices("abcdef", k=random.randint(3, 5))) for _ in range(600))
    recipe = own_pairs("\n".join(f"{word}\t{word[::-1]}" for word in words), "characters")
    task = recipe.task
    torch.manual_seed(0)
    network = task.build(recipe.model, 0)
    settings = recipe.changed(steps=250).training
    for _ in train(network, task, settings):
        pass
    assert evaluate(network, task, "test", 256).accuracy > 0.9
