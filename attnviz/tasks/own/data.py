"""Data that somebody brought: its line ends made alike, and divided so that nothing is on two sides."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from hashlib import sha256
from random import Random
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Generator, Tensor

from attnviz.errors import DataBinary, DataOfSplit, DataTooFew, InputError
from attnviz.errors.base import Why
from attnviz.tasks.base import SPLITS, Batch, Note, Split, Task, python_random
from attnviz.tasks.own.readers.decoding import unified
from attnviz.tasks.own.split_notes import label_notes, split_notes

__all__ = ["LEAST_TEXTS", "MOST_TOKENS", "DividedTask", "OwnTask", "divided", "picked", "tiles"]

T = TypeVar("T")

LEAST_TEXTS = 20
MOST_TOKENS = 2048  # that a network without positions reads, however short the texts are that it learns


class OwnTask(Task):
    """A task with data of one's own, `text`."""

    text: str
    brought: ClassVar[tuple[str, ...]] = ("text",)
    """Fields that hold data."""

    def __post_init__(self) -> None:
        """Keep the data with line ends of one kind, so that a file is the same data on every system.

        Raises:
            DataBinary: half of a surrogate pair, which is no character.
        """
        super().__post_init__()
        for name in self.brought:
            text = unified(getattr(self, name))
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise DataBinary(text.count("\n", 0, error.start) + 1) from None
            object.__setattr__(self, name, text)

    @property
    def reading(self) -> dict[str, Any]:
        """Values of `readings`, by their names: how the text is to be read."""
        return {choice.name: getattr(self, choice.name) for choice in self.readings()}


class DividedTask(OwnTask, Generic[T]):
    """A task with items of one's own, such as texts or sentences, each of which is in one split.

    Attributes:
        text: data to learn from, and to hold out from where no other data are given.
        validation_text: data for validation; "": a part of `text`.
        test_text: data for the test; "": a part of `text`.
    """

    validation_text: str
    test_text: str
    brought = ("text", "validation_text", "test_text")

    @abstractmethod
    def _parsed(self, text: str) -> Sequence[T]:
        """Return the items of a text."""

    def _parsed_alike(self, text: str) -> Sequence[T]:
        """Return the items of data of their own for validation or test."""
        return self._parsed(text)

    @abstractmethod
    def text_in(self, item: T) -> str:
        """Return the text of an item; where `text` is divided, equal ones are never on two sides."""

    def labels_in(self, item: T) -> Sequence[str]:
        """Return the labels of an item; none where items have no labels."""
        return ()

    @property
    def shares(self) -> dict[Split, int]:
        """Percent of the texts that are held out for each split without data of its own."""
        return {"validation": 10, "test": 10}

    @property
    def salt(self) -> str:
        """Text that divides otherwise where it is another one."""
        return ""

    @cached_property
    def given(self) -> dict[Split, list[T]]:
        """The items of each file: those to divide as "train".

        Raises:
            DataOfSplit: the data of validation or test cannot be read.
            InputError: those of `text` cannot.
        """
        texts: dict[Split, str] = {"train": self.text, "validation": self.validation_text, "test": self.test_text}
        return {split: self._given(split, text) for split, text in texts.items() if text or split == "train"}

    def _given(self, split: Split, text: str) -> list[T]:
        if split == "train":
            return list(self._parsed(text))
        try:
            return list(self._parsed_alike(text))
        except InputError as error:
            raise DataOfSplit(split, Why.of(error)) from error

    @property
    def all_items(self) -> list[T]:
        """All items, in the order of the data."""
        return [item for items in self.given.values() for item in items]

    @cached_property
    def parts(self) -> dict[Split, list[T]]:
        """The items of each split."""
        held = {split: share for split, share in self.shares.items() if split not in self.given}
        none: dict[Split, int] = {"validation": 0, "test": 0}
        divided_parts = divided(self.given["train"], self.text_in, **{**none, **held}, salt=self.salt)
        return divided_parts | {split: items for split, items in self.given.items() if split != "train"}

    def notes(self) -> tuple[Note, ...]:
        """Return what to know of files of their own for validation and test, and of labels that look alike."""
        held = split_notes(self.parts, self.text_in, self.labels_in) if len(self.given) > 1 else ()
        return *held, *label_notes(self.all_items, self.text_in, self.labels_in)

    @abstractmethod
    def batch(self, chosen: Sequence[T], forget: Random | None = None) -> Batch:
        """Some items; `forget`: read symbols that are rare as unknown ones, half of the time."""

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n items of the split's part; none comes again before all have come."""
        part = self.parts[split]
        forget = python_random(generator) if split == "train" else None
        return self.batch([part[index] for index in picked(len(part), n, generator)], forget)

    def items(self, split: Split = "test") -> Batch:
        """Return all items of the split's part, in the order of the data."""
        return self.batch(self.parts[split])


def divided(
    items: Sequence[T], text_of: Callable[[T], str], validation: int = 10, test: int = 10, salt: str = ""
) -> dict[Split, list[T]]:
    """Divide items into splits: by the order of their texts' hashes, a tenth each for test and validation.

    The same text is always on one side, however often and wherever in the data it stands.

    Args:
        items: items to divide.
        text_of: called with an item, returns its text.
        validation: percent of the texts for validation.
        test: percent of the texts for the test.
        salt: written before each text that is hashed: another one divides otherwise.

    Raises:
        DataTooFew: fewer than 20 different texts.

    Example:
        >>> {split: len(part) for split, part in divided(range(50), str).items()}
        {'train': 40, 'validation': 5, 'test': 5}
    """
    ranked = sorted(set(map(text_of, items)), key=lambda text: sha256(f"{salt}{text}".encode()).digest())
    if len(ranked) < LEAST_TEXTS:
        raise DataTooFew(len(ranked), LEAST_TEXTS)
    held: dict[Split, int] = {"test": len(ranked) * test // 100, "validation": len(ranked) * validation // 100}
    sizes: dict[Split, int] = {**held, "train": len(ranked) - sum(held.values())}
    side = dict(zip(ranked, (side for side, size in sizes.items() for _ in range(size)), strict=True))
    return {split: [item for item in items if side[text_of(item)] == split] for split in SPLITS}


def picked(size: int, n: int, generator: Generator) -> list[int]:
    """n indices below `size` in random order; none comes again before all have come.

    Example:
        >>> sorted(picked(3, 6, Generator().manual_seed(0)))
        [0, 0, 1, 1, 2, 2]
    """
    rounds = [torch.randperm(size, generator=generator) for _ in range(-(-n // size))]
    return torch.cat(rounds)[:n].tolist()


def tiles(size: int, length: int, context: int = 0) -> tuple[Tensor, Tensor]:
    """Pieces that go once over a text or a series, so that each value is scored once, but for the first `context`.

    Args:
        size: values there are.
        length: length of a piece, at most `size`.
        context: values at the beginning of a piece that are read and not scored.

    Returns:
        Where each piece begins, and the place in it of the first value that is scored; (n,) each.

    Example:
        >>> tiles(10, 4)
        (tensor([0, 4, 6]), tensor([0, 0, 2]))
        >>> tiles(10, 4, context=2)
        (tensor([0, 2, 4, 6]), tensor([2, 2, 2, 2]))
    """
    last = size - length
    starts = [*range(0, last + 1, length - context)]
    first = [context] * len(starts)
    if starts[-1] < last:
        first.append(starts[-1] + length - last)
        starts.append(last)
    return torch.tensor(starts), torch.tensor(first)
