"""Right answers of typed sequences: those of the training data, and none where there is no question."""

from __future__ import annotations

import pytest
import torch

from attnviz.tasks import (
    IGNORE,
    Addition,
    Brackets,
    Comprehension,
    Copy,
    Dates,
    FirstSymbol,
    Histogram,
    Induction,
    Majority,
    ModularAddition,
    Needle,
    OpenBracket,
    Parity,
    Recall,
    Reverse,
    RunningParity,
    ScratchpadParity,
    Sort,
    Task,
    Translation,
)

TASKS: list[Task] = [
    Reverse(),
    Sort(),
    Sort(repeats=True),
    Copy(),
    Needle(),
    Histogram(),
    Histogram(bos=False),
    Majority(),
    FirstSymbol(distance=10),
    Induction(),
    Recall(),
    ModularAddition(),
    Addition(),
    Addition(digits=3, reverse=False),
    Brackets(),
    OpenBracket(),
    Parity(),
    RunningParity(),
    ScratchpadParity(),
    Dates(),
    Translation(),
    Comprehension(),
]


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_answers_are_the_targets_of_the_data(task: Task) -> None:
    """Every target of the data is found from the tokens alone, for the whole sequence and for its beginning."""
    batch = task.sample(32, torch.Generator().manual_seed(3), "test")
    padding = torch.ones_like(batch.tokens, dtype=torch.bool) if batch.padding is None else batch.padding
    for row in range(len(batch.tokens)):
        tokens = batch.tokens[row][padding[row]].tolist()
        source = None
        if batch.source is not None:
            real = ... if batch.source_padding is None else batch.source_padding[row]
            source = batch.source[row][real].tolist()
        targets = batch.targets[row][padding[row]].tolist()
        assert task.answers(tokens, source) == targets
        assert any(target != IGNORE for target in targets)
        if task.architecture != "encoder":  # what is read later changes no answer
            half = 1 + len(tokens) // 2
            known = task.answers(tokens[:half], source)
            assert all(answer in (IGNORE, target) for answer, target in zip(known, targets, strict=False))


@pytest.mark.parametrize(
    ("task", "text", "answers"),
    [
        (Reverse(), "g f e", ["e", "f", "g", ""]),
        (Sort(), "d a c", ["", "", ""]),
        (Sort(), "d a c > a", ["", "", "", "a", "c"]),
        (Sort(), "> a", ["", ""]),
        (Sort(), "c c a >", ["", "", "", "a"]),
        (Copy(), "b > b", ["", "b", "<eos>"]),
        (Copy(), ">", [""]),
        (Needle(), "a b", ["", "", ""]),
        (Needle(), "a 1 b 2", [""] * 5),
        (Needle(), "a 7 b", ["7", "", "", ""]),
        (Histogram(length=4, n_symbols=3), "a b a", ["", "2", "1", "2"]),
        (Histogram(length=4, n_symbols=3), "a a a a a", [""] * 6),
        (Histogram(length=4, n_symbols=3), "a 2", [""] * 3),
        (Majority(), "a b", ["", "", ""]),
        (Majority(), "a b b", ["b", "", "", ""]),
        (Induction(), "k d w", ["", "", ""]),
        (Induction(), "k d w k d", ["", "", "", "d", "w"]),
        (Induction(), "k d d k d", [""] * 5),
        (Induction(), "k d w k w", [""] * 5),
        (Recall(), "a 3 f 7 ? f", ["", "", "", "", "", "7"]),
        (Recall(), "a 3 f 7 ? b", [""] * 6),
        (ModularAddition(), "40 + 20 =", ["", "", "", "7"]),
        (ModularAddition(), "40 + 20", [""] * 3),
        (ModularAddition(), "+ + 20 =", [""] * 4),
        (Addition(), "27+58=", ["", "", "", "", "", "5"]),
        (Addition(), "27+58=58", ["", "", "", "", "", "5", "8", "0"]),
        (Addition(), "27+58", [""] * 5),
        (Addition(), "2+58=", [""] * 5),
        (Addition(), "27=58+", [""] * 6),
        (Brackets(), "()", ["y", "", ""]),
        (Brackets(), ")(", ["n", "", ""]),
        (Brackets(), "(y", ["", "", ""]),
        (OpenBracket(), "([]", ["", "", "("]),
        (OpenBracket(), "(]", ["", ""]),
        (OpenBracket(), "(-)", ["", "", ""]),
        (Parity(), "111", ["1", "", "", ""]),
        (ScratchpadParity(), "110=10", ["", "", "", "1", "0", "0"]),
        (ScratchpadParity(), "110", ["", "", ""]),
        (ScratchpadParity(), "=1", ["", ""]),
    ],
    ids=str,
)
def test_what_is_no_question_has_no_answer(task: Task, text: str, answers: list[str]) -> None:
    """A person may type anything that the tokenizer reads."""
    found = task.answers(task.tokenizer.encode(text))
    assert ["" if answer == IGNORE else task.tokenizer.label(answer) for answer in found] == answers


@pytest.mark.parametrize(
    ("source", "answers"),
    [
        ("oct 31, 2008", "2008-10-31"),
        ("30 Feb 2021", ""),
        ("33/4/1999", ""),
        ("March", ""),
        ("2019年10月1日", "2019-10-01"),
    ],
)
def test_dates_are_read_as_they_are_meant(source: str, answers: str) -> None:
    """A day that does not exist has no answer."""
    task = Dates()
    found = task.answers([task.tokenizer.bos_id] * 11, task.source_tokenizer.encode(source))
    assert task.tokenizer.decode(answer for answer in found if answer != IGNORE) == answers


def test_a_text_outside_the_grammar_has_no_translation() -> None:
    """The grammar's sentences alone have one."""
    task = Translation()
    source = task.source_tokenizer.encode("teacher the bought")
    assert task.answers([task.tokenizer.bos_id], source) == [IGNORE]
