"""A character language model of a text of one's own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from math import log
from typing import Any

import torch
from torch import Generator, Tensor

from attnviz.errors import EmptyText, OneCharacter, TextTooShort
from attnviz.models.bundle import Example
from attnviz.tasks.base import IGNORE, Baseline, Batch, Split
from attnviz.tasks.choice import whole
from attnviz.tasks.language.character import CharacterTask, pieces
from attnviz.tasks.language.ngram import text_baselines
from attnviz.tasks.own.data import OwnTask, tiles
from attnviz.tokenizers import Tokenizer

__all__ = ["OwnText"]


@dataclass(frozen=True)
class OwnText(OwnTask, CharacterTask):
    """A decoder predicts each next character of a text that somebody brought.

        read    <bos> t o   b e
        write   t     o   b e   o

    The text is cut, not shuffled: its last tenth is for the test, the tenth before for validation, the rest for
    training. The parts do not overlap, though a text that repeats itself may say the same in two of them.

    Example:
        >>> task = OwnText("to be or not to be, that is the question", length=9)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.targets[0].tolist())
        'e or not '
        >>> task.tokenizer.decode(task.sample(1, torch.Generator(), "test").targets[0].tolist())
        ' question'

    Attributes:
        text: text to learn; its lines end with "\\n", whatever ended them in a file.
        length: tokens of a training sequence, the context.

    Raises:
        EmptyText: nothing but white space.
        OneCharacter: one character repeated: there is nothing to predict.
        TextTooShort: fewer than four times the context.
        ConfigError: a length of 0.
    """

    text: str = field(repr=False)
    length: int = whole(64, 1, offered=range(16, 257, 16))

    name = "own text"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.text.strip():
            raise EmptyText
        if len(set(self.text)) == 1:
            raise OneCharacter(self.text[0])
        if len(self.text) < 4 * self.length:
            raise TextTooShort(len(self.text), 4 * self.length, self.length)

    @classmethod
    def stored(cls, **parameters: Any) -> OwnText:
        """Return the task of a run; an older one may have learned carriage returns, which are characters of its own."""
        task = cls(**parameters)
        object.__setattr__(task, "text", parameters["text"])
        return task

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Every character of the text, and `<bos>` in front."""
        return Tokenizer("characters", tuple(sorted(set(self.text))), add_bos=True)

    @cached_property
    def parts(self) -> dict[Split, str]:
        """The text of each split, never shorter than the context."""
        held_out = max(self.length, len(self.text) // 10)
        train = len(self.text) - 2 * held_out
        bounds = (0, train, train + held_out, len(self.text))
        train_text, validation, test = (self.text[a:b] for a, b in pairwise(bounds))
        return {"train": train_text, "validation": validation, "test": test}

    @cached_property
    def _ids(self) -> dict[Split, Tensor]:
        return {split: torch.tensor(self.tokenizer.encode_symbols(part)) for split, part in self.parts.items()}

    @property
    def frequency_loss(self) -> float:
        """Nats per character of the test part for a guess by the frequency of each character in the text."""
        counts = Counter(self.text)
        test = self.parts["test"]
        return -sum(log(counts[character] / len(self.text)) for character in test) / len(test)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n pieces of the split's part, from random places."""
        ids = self._ids[split]
        starts = torch.randint(len(ids) - self.length + 1, (n,), generator=generator)
        return pieces(ids, starts, self.length)

    def items(self, split: Split = "test") -> Batch:
        """Return the pieces that go once over the split's part: every character is scored once."""
        ids = self._ids[split]
        starts, first = tiles(len(ids), self.length)
        batch = pieces(ids, starts, self.length)
        seen = torch.arange(self.length) < first[:, None]  # (B, T)
        return replace(batch, targets=batch.targets.masked_fill(seen, IGNORE))

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """n-gram models of the training part."""
        return text_baselines(self, self._ids["train"], None, seed)

    def texts(self) -> tuple[Example, ...]:
        """Return the beginning of the text and its end."""
        piece, text = self.length // 2, self.text.strip()
        return (text[:piece], text[-piece:])
