"""Induction: a random sequence repeats; what came after this symbol the last time comes again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator

from attnviz.errors.settings import check_whole
from attnviz.models.config import ModelConfig
from attnviz.tasks.base import IGNORE, LETTERS, Batch, Split, Task, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern, previous_token
from attnviz.tasks.sequences.batches import letters_of_lengths
from attnviz.tokenizers import Tokenizer

__all__ = ["Induction"]


@dataclass(frozen=True)
class Induction(Task):
    """A decoder goes on with a pattern of different letters that repeats; scored from its second round on.

        read    k d w q k d w q k
        write           d w q k d

    Patterns of many lengths are mixed, so that "look back a fixed distance" does not work: the model has to look for
    the symbol itself, in two steps. The first layer tells each position what came before it, the second looks for the
    position that came after the present symbol.

    Example:
        >>> task = Induction(length=8, min_period=3, max_period=3)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'm c d m c d m c'
        >>> task.tokenizer.decode(batch.targets[0, 3:].tolist())
        'c d m c d'

    Attributes:
        length: tokens of a sequence.
        min_period: letters of the shortest pattern.
        max_period: letters of the longest.

    Raises:
        ConfigError: more different letters than the alphabet has, the shortest pattern longer than the longest, no
            room for a second round.

    Source:
        Olsson et al. 2022, "In-context Learning and Induction Heads".
    """

    length: int = whole(48, 1, offered=range(28, 97))
    min_period: int = whole(3, 1, offered=range(2, 7))
    max_period: int = whole(20, 1, len(LETTERS), offered=range(6, 25))

    name = "induction"
    architecture = "decoder"
    metric = "accuracy"
    tokenizer = Tokenizer("symbols", LETTERS)  # the letters a to z
    typed = (  # sequences to type
        "k d w q a k d w q a k d w",
        "r a i n b o w s r a i n b o w s r a",
        "x y z x y z x y",
        "p l a n e t s h i k p l a n e t s h i k p l a",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("length", self.length, self.max_period + 1)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sequences; every period is as frequent as the others. Split by the pattern."""
        patterns = draw(n, split, lambda count: self._candidates(count, generator))  # (B, P), padded with 0
        periods = (patterns > 0).sum(1, keepdim=True)  # (B, 1)
        positions = torch.arange(self.length + 1)
        whole = patterns.gather(1, positions % periods)  # (B, T + 1)
        targets = whole[:, 1:].where(positions[:-1] >= periods, IGNORE)
        return Batch(whole[:, :-1], targets)

    def _candidates(self, count: int, generator: Generator) -> torch.Tensor:
        letters = torch.rand(count, len(LETTERS), generator=generator).argsort(1)[:, : self.max_period]
        return letters_of_lengths(letters + Tokenizer.n_specials, self.min_period, generator)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Expect whatever followed this symbol before; and, in the first layer, the previous token."""
        pairs = ((i, j + 1) for i, token in enumerate(tokens) for j in range(i) if tokens[j] == token)
        return Pattern.of("after the same symbol", pairs, tokens), previous_token(tokens)

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the next letter of a pattern that repeats, from its second round on."""
        period = next((i for i, token in enumerate(tokens) if i and token == tokens[0]), len(tokens))
        repeats = all(token == tokens[i % period] for i, token in enumerate(tokens))
        if not repeats or len(set(tokens)) < period:
            return super().answers(tokens)
        return [IGNORE if i < period else tokens[(i + 1) % period] for i in range(len(tokens))]

    def is_like(self, symbols: Sequence[str]) -> bool:
        """Different letters that repeat, at least one of them."""
        period = next((i for i, symbol in enumerate(symbols) if i and symbol == symbols[0]), len(symbols))
        repeats = all(symbol == symbols[i % period] for i, symbol in enumerate(symbols))
        known = self.min_period <= period <= self.max_period and period < len(symbols) <= self.length
        return known and repeats and len(set(symbols)) == period

    def mended(self, text: str) -> Iterable[str]:
        """Each letter once, and then again."""
        letters = list(dict.fromkeys(text.split()))
        return (" ".join(letters + letters[: len(letters) // 2 + 1]),)

    def model_config(self) -> ModelConfig:
        """Two layers of attention and nothing else; one head each shows the two steps most clearly."""
        return self.transformer(max(64, self.length), n_heads=1, d_ff=0, positions="rotary")
