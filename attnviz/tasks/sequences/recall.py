"""Key-value recall: pairs are given, then a key is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import IGNORE, LETTERS, Batch, Split, Task, collate, draw
from attnviz.tasks.choice import whole
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["Recall"]

DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class Recall(Task):
    """A decoder reads pairs of a letter and a digit, then "?" and a letter, and answers with that letter's digit.

        read    a 3 f 7 k 1 ? f 7 ? a
        write                 7     3

    Example:
        >>> task = Recall(min_pairs=2, max_pairs=2, n_questions=2)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'm 2 c 3 ? c 3 ? c'
        >>> task.tokenizer.decode(batch.targets[0].clamp(min=0).tolist())
        '3 3'

    Attributes:
        min_pairs: pairs at least, all with different letters.
        max_pairs: pairs at most.
        n_questions: letters asked for, one after the other.

    Raises:
        ConfigError: more keys than the alphabet has letters, at least more than at most, nothing asked for.
    """

    min_pairs: int = whole(2, 1, offered=range(1, 5))
    max_pairs: int = whole(10, 1, len(LETTERS), offered=range(4, 21))
    n_questions: int = whole(4, 1, offered=range(1, 9))

    name = "recall"
    architecture = "decoder"
    metric = "accuracy"
    tokenizer = Tokenizer("symbols", (*LETTERS, *DIGITS, "?"))  # letters, digits and "?"
    typed = (  # sequences to type
        "a 3 f 7 k 1 ? f",
        "x 4 b 9 m 0 t 2 q 9 ? m 0 ? b 9 ? x",
        "j 5 e 8 ? e 8 ? j",
        "c 1 h 6 v 3 p 8 z 2 d 5 l 7 s 0 ? p",
    )

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sequences; every number of pairs is as frequent as the others. Split by the pairs."""
        pairs = draw(n, split, lambda count: self._candidates(count, generator))  # (B, 2 max_pairs), padded with 0
        n_pairs = (pairs > 0).sum(1, keepdim=True) // 2  # (B, 1)
        asked = torch.rand(n, self.n_questions, generator=generator).mul(n_pairs).long()  # (B, n_questions)
        mark = torch.full_like(asked, self.tokenizer.vocab_size - 1)
        questions = torch.stack((mark, pairs.gather(1, 2 * asked), pairs.gather(1, 2 * asked + 1)), 2).flatten(1)
        rows = [
            [token for token in given if token] + questioned
            for given, questioned in zip(pairs.tolist(), questions.tolist(), strict=True)
        ]
        whole, _ = collate(rows)  # (B, T + 1)
        ends = 2 * n_pairs + 3 * self.n_questions  # (B, 1)
        positions = torch.arange(whole.shape[1] - 1)  # (T,)
        answers = (positions - 2 * n_pairs) % 3 == 1  # the key after "?": the value is due
        inside = (positions >= 2 * n_pairs) & (positions < ends - 1)
        padding = positions < ends - 1
        tokens = whole[:, :-1].where(padding, Tokenizer.pad_id)
        return Batch(tokens, whole[:, 1:].where(answers & inside, IGNORE), None if bool(padding.all()) else padding)

    def _candidates(self, count: int, generator: Generator) -> torch.Tensor:
        letters = torch.rand(count, len(LETTERS), generator=generator).argsort(1)[:, : self.max_pairs]
        digits = torch.randint(len(DIGITS), (count, self.max_pairs), generator=generator) + len(LETTERS)
        n_pairs = torch.randint(self.min_pairs, self.max_pairs + 1, (count, 1), generator=generator)
        pairs = torch.stack((letters, digits), 2).flatten(1) + Tokenizer.n_specials  # (count, 2 max_pairs)
        return pairs.where(torch.arange(2 * self.max_pairs) < 2 * n_pairs, 0)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """A letter that is asked for reads its digit; and, for the first layer, each digit given reads its letter."""
        mark = self.tokenizer.vocab_size - 1
        n_given = tokens.index(mark) if mark in tokens else len(tokens)
        values = {tokens[i - 1]: i for i in range(1, n_given, 2)}  # key -> where its value stands
        asked = [i for i in range(n_given + 1, len(tokens)) if tokens[i - 1] == mark and tokens[i] in values]
        return (
            Pattern.of("value of the key", ((i, values[tokens[i]]) for i in asked), tokens),
            Pattern.of("key of the value", ((i, i - 1) for i in values.values()), tokens),
        )

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the digit of each letter that is asked for, where it was given once."""
        pattern = self.expected(tokens)[0]
        found = super().answers(tokens)
        for i in pattern.reads.any(1).nonzero()[:, 0].tolist():
            found[i] = tokens[int(pattern.reads[i].nonzero()[0, 0])]
        return found

    def is_like(self, symbols: Sequence[str]) -> bool:
        """Pairs with different letters, and then some of the letters that are asked for, each but the last answered."""
        text = "".join(symbols)
        pairs = f"([a-z][0-9]){{{self.min_pairs},{self.max_pairs}}}"
        questions = f"([?][a-z][0-9]){{0,{self.n_questions - 1}}}[?][a-z][0-9]?"
        given, asked = text.partition("?")[0][::2], text.replace("?", " ?").split()[1:]
        known = len(set(given)) == len(given) and all(letter[1] in given for letter in asked if len(letter) > 1)
        return re.fullmatch(pairs + questions, text) is not None and known and self.goes_on(symbols)

    def mended(self, text: str) -> Iterable[str]:
        """With the first letter asked for at the end."""
        given = text.partition("?")[0].split()
        return (" ".join([*given, "?", *given[:1]]),)

    def model_config(self) -> ModelConfig:
        """Return a network of two layers of attention and nothing else, one head each."""
        return self.transformer(
            max(64, 2 * self.max_pairs + 3 * self.n_questions - 1), n_heads=1, d_ff=0, positions="rotary"
        )
