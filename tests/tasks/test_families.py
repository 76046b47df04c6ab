"""The answers of the tasks that have no shipped model, computed another way."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import Generator, Tensor

from attnviz.models import build_network
from attnviz.tasks import (
    IGNORE,
    Addition,
    Batch,
    Brackets,
    Copy,
    Histogram,
    Majority,
    ModularAddition,
    Needle,
    OpenBracket,
    Parity,
    ScratchpadParity,
    Task,
)
from attnviz.tasks.base import SPLITS
from attnviz.tasks.sequences.brackets import balanced
from attnviz.tokenizers import Tokenizer


def rows(task: Task, n: int = 200) -> tuple[Batch, list[str], list[list[str]]]:
    """A batch, what the model reads, and what is due at the scored positions."""
    batch = task.sample(n, Generator().manual_seed(11))
    texts = [task.tokenizer.decode(row) for row in batch.tokens.tolist()]
    due = [[task.tokenizer.label(i) for i in row if i != IGNORE] for row in batch.targets.tolist()]
    return batch, texts, due


def only_first_is_scored(targets: Tensor) -> bool:
    return bool((targets[:, 0] != IGNORE).all()) and bool((targets[:, 1:] == IGNORE).all())


def test_copy() -> None:
    batch, texts, due = rows(Copy(n_symbols=5))
    for text, answer, targets in zip(texts, due, batch.targets.tolist(), strict=True):
        letters, written = text.split(" > ")
        assert written == letters == " ".join(answer[:-1])
        assert answer[-1] == "<eos>"
        assert targets.index(next(t for t in targets if t != IGNORE)) == len(answer) - 1  # at ">"
    assert {len(answer) - 1 for answer in due} == set(range(3, 11))
    assert any(len(set(answer)) < len(answer) for answer in due)


def test_needle() -> None:
    batch, texts, due = rows(Needle())
    places = set()
    for text, answer in zip(texts, due, strict=True):
        digits = [symbol for symbol in text.split() if symbol.isdigit()]
        assert digits == answer
        places.add(text.split().index(digits[0]))
    assert only_first_is_scored(batch.targets)
    assert {len(text.split()) for text in texts} <= set(range(8, 64))
    assert max(places) > 40
    assert {answer[0] for answer in due} == set("0123456789")


@pytest.mark.parametrize("bos", [True, False])
def test_histogram(bos: bool) -> None:
    batch, texts, due = rows(Histogram(bos=bos))
    assert batch.tokens.shape[1] == 10 + bos
    for text, answer in zip(texts, due, strict=True):
        counts = Counter(text.split())
        assert answer == [str(counts[letter]) for letter in text.split()]
    assert {number for answer in due for number in answer} >= set("12345678")


def test_majority() -> None:
    batch, texts, due = rows(Majority(length=7))
    assert [answer[0] for answer in due] == [Counter(text.split()).most_common()[0][0] for text in texts]
    assert only_first_is_scored(batch.targets)


def is_balanced(text: str) -> bool:
    while "()" in text:
        text = text.replace("()", "")
    return not text


def test_brackets() -> None:
    batch, texts, due = rows(Brackets(), 1000)
    assert [answer[0] for answer in due] == ["y" if is_balanced(text) else "n" for text in texts]
    assert only_first_is_scored(batch.targets)
    assert 0.4 < sum(answer[0] == "y" for answer in due) / len(due) < 0.6
    wrong = [text for text in texts if not is_balanced(text)]
    assert sum(text.count("(") == 10 for text in wrong) / len(wrong) > 0.1, "counting should not be enough"


def test_balanced_rows_are_alike_probable() -> None:
    """All 14 balanced rows of eight brackets, within five standard deviations of their share."""
    drawn = balanced(14_000, 8, Generator().manual_seed(0))
    texts = Counter("".join("(" if opens else ")" for opens in row) for row in drawn.tolist())
    assert len(texts) == 14
    assert all(is_balanced(text) for text in texts)
    assert max(abs(times - 1000) for times in texts.values()) < 5 * (1000 * 13 / 14) ** 0.5


def test_open_bracket() -> None:
    batch, texts, _ = rows(OpenBracket(), 300)
    named = set()
    for text, targets in zip(texts, batch.targets.tolist(), strict=True):
        stack: list[str] = []
        for bracket, target in zip(text, targets, strict=True):
            if bracket in "([":
                stack.append(bracket)
                assert target == IGNORE
            else:
                assert stack.pop() + bracket in ("()", "[]")
                label = OpenBracket().tokenizer.label(target)
                assert label == (stack[-1] if stack else "-")
                named.add(label)
    assert named == set("([-")


def test_parity() -> None:
    batch, texts, due = rows(Parity())
    assert [int(answer[0]) for answer in due] == [text.count("1") % 2 for text in texts]
    assert only_first_is_scored(batch.targets)


def test_parity_with_a_scratchpad() -> None:
    _, texts, due = rows(ScratchpadParity())
    for text, answer in zip(texts, due, strict=True):
        bits, written = text.split("=")
        assert [int(parity) for parity in answer] == [bits[: i + 1].count("1") % 2 for i in range(16)]
        assert written == "".join(answer[:-1])


def test_plain_addition() -> None:
    _, texts, due = rows(Addition(digits=3, reverse=False))
    for text, answer in zip(texts, due, strict=True):
        a, b = text.split("=")[0].split("+")
        assert "".join(answer) == f"{int(a) + int(b):04}"


def test_modular_addition() -> None:
    task = ModularAddition()
    _, texts, due = rows(task)
    for text, answer in zip(texts, due, strict=True):
        a, _, b, _ = text.split()
        assert [str((int(a) + int(b)) % 53)] == answer


def test_the_spectrum_of_a_circle_is_one_frequency() -> None:
    """An embedding of cosines and sines of 2 pi 3 a / 11 has all its power at frequency 3."""
    task = ModularAddition(modulus=11)
    network = build_network(task.model_config(), 0)
    assert network.decoder is not None
    numbers = torch.arange(11) * (2 * torch.pi * 3 / 11)
    weight = network.decoder.embedding.weight.data[Tokenizer.n_specials : Tokenizer.n_specials + 11]
    shares = task.spectrum(network)
    assert shares.shape == (5,)
    assert float(shares.sum()) == pytest.approx(1)
    assert float(shares.max()) < 0.5
    weight.zero_()
    weight[:, 0], weight[:, 1], weight[:, 2] = numbers.cos(), numbers.sin(), 7.0  # the mean does not count
    torch.testing.assert_close(task.spectrum(network), torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0]))
    assert Copy().spectrum(network) is None


def test_half_of_the_pairs_are_held_out() -> None:
    task = ModularAddition(modulus=11)
    sides = []
    for split in SPLITS:
        tokens = task.sample(2000, Generator().manual_seed(0), split).tokens[:, [0, 2]] - Tokenizer.n_specials
        sides.append({tuple(pair) for pair in tokens.tolist()})
    assert sum(map(len, sides)) == len(set.union(*sides)) == 121
    assert 0.35 < len(sides[0]) / 121 < 0.65
    assert torch.tensor([len(side) for side in sides[1:]]).min() > 16


def test_lengths_can_be_changed() -> None:
    generator = Generator().manual_seed(0)
    for task, width in ((Brackets(length=6), 7), (OpenBracket(length=6), 6), (Parity(length=5), 6)):
        assert task.sample(8, generator).tokens.shape[1] == width == task.model_config().max_len
        assert all(len(task.tokenizer.encode(str(text))) <= width for text in task.examples())
