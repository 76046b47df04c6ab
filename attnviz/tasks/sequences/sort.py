"""Sort letters: each step must find the next letter of the alphabet among those that were given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

import torch
from torch import Generator

from attnviz.errors.settings import check_whole
from attnviz.models.config import ModelConfig
from attnviz.tasks.base import LETTERS, Batch, Split, Task, draw
from attnviz.tasks.choice import one_of, whole
from attnviz.tasks.pattern import Pattern
from attnviz.tasks.sequences.batches import letters_of_lengths, rewritten
from attnviz.tokenizers import Tokenizer

__all__ = ["Sort"]

MARKER = Tokenizer.n_specials + len(LETTERS)  # ">"


@dataclass(frozen=True)
class Sort(Task):
    """A decoder writes the letters before ">" in alphabetical order, then `<eos>`.

        read    d a c b > a b c d
        write           a b c d <eos>

    Example:
        >>> task = Sort(min_length=4, max_length=4)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'z f s g > f g s z'
        >>> [task.tokenizer.label(i) for i in batch.targets[0, 4:].tolist()]
        ['f', 'g', 's', 'z', '<eos>']

    Attributes:
        min_length: letters at least.
        max_length: letters at most.
        repeats: whether a letter may come more than once.

    Raises:
        ConfigError: a length of 0, the least length above the greatest, more different letters than the alphabet has.
    """

    min_length: int = whole(2, 1, offered=range(2, 6))
    max_length: int = whole(10, 1, offered=range(5, 21))
    repeats: bool = one_of(False, (False, True))

    name = "sort"
    architecture = "decoder"
    metric = "exact match"
    tokenizer = Tokenizer("symbols", (*LETTERS, ">"))  # letters and ">"
    # sequences to type: the letters, ">", and as much of the answer as one likes
    typed = ("d a c b > a b c d", "q u i c k > c i k q u", "h e l o w r d > d e h l", "z y x >")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.repeats:
            check_whole("max_length without repeats", self.max_length, 1, len(LETTERS))

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sequences; every length is as frequent as the others. Split by the letters before ">"."""
        return self._batch(draw(n, split, lambda count: self._candidates(count, generator)))

    def _batch(self, letters: torch.Tensor) -> Batch:
        """(B, N) letters, padded with 0."""
        ordered = letters.where(letters > 0, MARKER + 1).sort(1).values  # padding last
        return rewritten(letters, ordered, MARKER)

    def _candidates(self, count: int, generator: Generator) -> torch.Tensor:
        if self.repeats:
            letters = torch.randint(len(LETTERS), (count, self.max_length), generator=generator)
        else:
            letters = torch.rand(count, len(LETTERS), generator=generator).argsort(1)[:, : self.max_length]
        return letters_of_lengths(letters + Tokenizer.n_specials, self.min_length, generator)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect from ">" on the letters that come next in the alphabet."""
        marker = Tokenizer.n_specials + len(LETTERS)
        given = list(tokens[: tokens.index(marker)]) if marker in tokens else []
        due = zip(range(len(given), len(tokens)), sorted(given), strict=False)
        pairs = ((query, key) for query, letter in due for key, other in enumerate(given) if other == letter)
        return (Pattern.of("next value", pairs, tokens),)

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the letters before ">" in their order, then `<eos>`."""
        letters = torch.tensor([[*takewhile(lambda token: token != MARKER, tokens)]], dtype=torch.int64)
        return self._batch(letters).due(len(tokens)) if letters.numel() else super().answers(tokens)

    @property
    def reads(self) -> str:
        """Letters once each, or not."""
        return "sort-repeats" if self.repeats else "sort"

    def is_like(self, symbols: Sequence[str]) -> bool:
        """Letters, ">", and as much of the answer as there is."""
        letters = [*takewhile(lambda symbol: symbol != ">", symbols)]
        enough = self.min_length <= len(letters) <= self.max_length and len(letters) < len(symbols)
        return enough and (self.repeats or len(set(letters)) == len(letters)) and self.goes_on(symbols)

    def mended(self, text: str) -> Iterable[str]:
        """With ">" at the end, and no letter twice."""
        letters = text.partition(">")[0].split()
        yield " ".join([*letters, ">"])
        yield " ".join([*dict.fromkeys(letters), ">"])

    def model_config(self) -> ModelConfig:
        """Return a network of one layer, which is enough: the last letter written asks for the next one."""
        return self.transformer(2 * self.max_length + 1, n_heads=1, n_layers=1)
