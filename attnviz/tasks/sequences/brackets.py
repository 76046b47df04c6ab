"""Brackets: is a row of them balanced, and which one is still open?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from attnviz.errors import SettingMisfit
from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.tasks.base import IGNORE, Batch, Split, Task, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.sequences.batches import answer_at_bos
from attnviz.tokenizers import Tokenizer

__all__ = ["Brackets", "OpenBracket", "innermost"]

LOW = Tokenizer.n_specials


def balanced(count: int, length: int, generator: Generator) -> Tensor:
    """(count, length) bool, True for "(": balanced rows, each of them as probable as any other.

    With r brackets left to write at height h, the next one closes in h (r + h + 2) of 2 r (h + 1) balanced rows.

    Source:
        Arnold and Sleep 1980, "Uniform Random Generation of Balanced Parenthesis Strings".
    """
    height = torch.zeros(count, dtype=torch.int64)
    rows = torch.zeros(count, length, dtype=torch.bool)
    chance = torch.rand(length, count, generator=generator)
    for place in range(length):
        left = length - place
        rows[:, place] = chance[place] * (2 * left * (height + 1)) >= height * (left + height + 2)
        height += rows[:, place].long() * 2 - 1
    return rows


def innermost(opens: Tensor) -> Tensor:
    """Before each place and after the last: where the innermost open bracket stands, -1 where none is open.

    Args:
        opens: (B, T) bool, True for an opening bracket; one that closes nothing is passed over.

    Returns:
        (B, T + 1) int64.

    Example:
        >>> innermost(torch.tensor([[True, True, False, False]])).tolist()
        [[-1, 0, 1, 0, -1]]
    """
    n, length = opens.shape
    stack = torch.full((n, length + 1), -1)  # places of the brackets open at each height
    height = torch.zeros(n, 1, dtype=torch.int64)
    tops = [stack[:, :1].clone()]
    for place in range(length):
        opening = opens[:, place : place + 1]
        height = (height + opening.long() * 2 - 1).clamp(min=0)
        top = torch.where(opening, place, stack.gather(1, height))
        stack.scatter_(1, height, top)
        tops.append(top)
    return torch.cat(tops, 1)


@dataclass(frozen=True)
class Brackets(Task):
    """An encoder says at `<bos>` whether a row of brackets is balanced: y or n.

        read    <bos> ( ( ) ) ( )      <bos> ( ) ) ( ( )
        write   y                      n

    Half of the rows are balanced; the others are balanced rows with one or two brackets turned round. Counting alone
    does not do: as many may close as open, and still one closes before it was opened.

    Example:
        >>> task = Brackets(length=8)
        >>> batch = task.sample(2, torch.Generator().manual_seed(0))
        >>> [task.tokenizer.decode(row) for row in batch.tokens.tolist()]
        ['()()(())', '())())))']
        >>> task.tokenizer.decode(batch.targets[:, 0].tolist())
        'yn'

    Attributes:
        length: brackets of a row, an even number.

    Raises:
        ConfigError: an odd length, or one below 2.
    """

    length: int = whole(20, 2, offered=range(8, 41, 2))

    name = "brackets"
    architecture = "encoder"
    metric = "accuracy"
    # the brackets and the two answers, `<bos>` in front
    tokenizer = Tokenizer("characters", tuple("()yn"), add_bos=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.length % 2:
            raise SettingMisfit("length", self.length, "even", self.length + 1)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n rows, split by the row."""
        return self._batch(draw(n, split, lambda count: self._candidates(count, generator)))

    def _batch(self, rows: Tensor) -> Batch:
        """(B, N) brackets: 0 opens, 1 closes."""
        heights = (1 - 2 * rows).cumsum(1)
        wrong = (heights[:, -1] != 0) | (heights < 0).any(1)
        return answer_at_bos(rows + LOW, LOW + 2 + wrong.long())

    def _candidates(self, count: int, generator: Generator) -> Tensor:
        rows = balanced(count, self.length, generator)
        turned = torch.rand(count, 1, generator=generator).mul(4).long() - 1  # -1, 0: none; 1, 2 brackets
        order = torch.rand(count, self.length, generator=generator).argsort(1)
        return (~rows ^ (order < turned)).long()

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return y where the row is balanced, else n, due at `<bos>`."""
        rows = torch.tensor([tokens[1:]]) - LOW
        return super().answers(tokens) if bool((rows > 1).any()) else self._batch(rows).due(len(tokens))

    def is_like(self, symbols: Sequence[str]) -> bool:
        """As many brackets as it learned; y and n are what it writes."""
        return len(symbols) == self.length and set(symbols) <= {"(", ")"}

    def mended(self, text: str) -> Iterable[str]:
        """With as many brackets as are missing, side by side."""
        return (text + "()" * ((self.length - len(text)) // 2),)

    def model_config(self) -> ModelConfig:
        """Return a network of two layers: heights, then the question whether one is below zero."""
        return self.transformer(self.length + 1, n_heads=4, embedding_std=0.1)

    def texts(self) -> tuple[Example, ...]:
        """Return rows to type: nested, side by side, and one that is wrong though as many close as open."""
        half = self.length // 2
        return ("(" * half + ")" * half, "()" * half, "()" * (half - 1) + ")(")


@dataclass(frozen=True)
class OpenBracket(Task):
    """A decoder names the innermost bracket that is open, ( or [, or - if none is; scored where one has just closed.

        read    ( [ ] ( ) )
        write       (   ( -

    Example:
        >>> task = OpenBracket(length=8)
        >>> batch = task.sample(1, torch.Generator().manual_seed(1))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        '((()[][]'
        >>> [task.tokenizer.label(i) if i != IGNORE else "" for i in batch.targets[0].tolist()]
        ['', '', '', '(', '', '(', '', '(']

    Attributes:
        length: brackets of a row.

    Raises:
        ConfigError: a length below 2.
    """

    length: int = whole(20, 2, offered=range(8, 41))

    name = "open bracket"
    architecture = "decoder"
    metric = "accuracy"
    tokenizer = Tokenizer("characters", tuple("([)]-"))  # two kinds of brackets, and - for none

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n rows, split by the row."""
        return self._batch(draw(n, split, lambda count: self._candidates(count, generator)))

    def _batch(self, rows: Tensor) -> Batch:
        """(B, T) brackets: 0 ( 1 [ 2 ) 3 ]."""
        opens = rows < 2
        tops = innermost(opens)[:, 1:]
        named = rows.gather(1, tops.clamp(min=0)).where(tops >= 0, 4) + LOW
        return Batch(rows + LOW, named.where(~opens, IGNORE))

    def _candidates(self, count: int, generator: Generator) -> Tensor:
        """Random walks that turn round at the ground; at the end brackets may be open."""
        height = torch.zeros(count, dtype=torch.int64)
        opens = torch.rand(count, self.length, generator=generator) < 0.5
        for place in range(self.length):
            opens[:, place] |= height == 0
            height += opens[:, place].long() * 2 - 1
        opens[:, -1] &= ~opens[:, :-1].all(1)  # something closes in every row
        kinds = torch.randint(2, opens.shape, generator=generator)
        tops = innermost(opens)[:, :-1].clamp(min=0)
        return kinds.where(opens, kinds.gather(1, tops) + 2)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect the innermost open bracket after one has closed."""
        opens = torch.tensor([[token < LOW + 2 for token in tokens]])
        tops = innermost(opens)[0, 1:].tolist()
        pairs = ((i, top) for i, top in enumerate(tops) if top not in (-1, i))
        return (Pattern.of("innermost open bracket", pairs, tokens),)

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the innermost open bracket where one has just closed, as long as each closes the last one opened."""
        rows, opened = [token - LOW for token in tokens], list[int]()
        for bracket in rows:
            if bracket < 2:
                opened.append(bracket)
            elif not opened or opened.pop() != bracket - 2:
                return super().answers(tokens)
        return self._batch(torch.tensor([rows])).due(len(tokens))

    def is_like(self, symbols: Sequence[str]) -> bool:
        """Brackets of which each closes the last one opened."""
        answers = self.answers(self.tokenizer.encode("".join(symbols)))
        return "-" not in symbols and any(answer != IGNORE for answer in answers)

    def model_config(self) -> ModelConfig:
        """Return a network of two layers, two heads."""
        return self.transformer(self.length)

    def texts(self) -> tuple[Example, ...]:
        """Return rows to type."""
        return tuple(row[: self.length] for row in ("([]())[([])", "[[(())][", "((([[[]]])))", "[()]([])"))
