"""Words that a model has not learned: one symbol stands for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

from attnviz.tokenizers import Kind

__all__ = ["UNKNOWN", "Vocabulary"]

UNKNOWN: dict[Kind, str] = {"symbols": "<unk>", "characters": "□", "pieces": "□"}
"""What stands for an unknown word or character. It is an ordinary symbol: people may type it."""


class Vocabulary:
    """The symbols of training texts, the most frequent first.

    Attributes:
        symbols: symbols to make a tokenizer of: that of the unknown, then those that occur.
        counts: how often each symbol comes in the texts, known or not.
        rare: symbols that occur once. Half of the time training reads the unknown one in their place, and so learns
            what to do where it knows no better.

    Example:
        >>> vocabulary = Vocabulary([["to", "be", "or", "not", "to", "be"]], "symbols")
        >>> vocabulary.symbols
        ('<unk>', 'to', 'be', 'or', 'not')
        >>> vocabulary.read(["to", "bee"])
        ['to', '<unk>']
    """

    def __init__(
        self, texts: Iterable[Sequence[str]], kind: Kind, limit: int | None = None, symbols: Sequence[str] | None = None
    ) -> None:
        """Count the symbols.

        Args:
            texts: texts to train on.
            kind: kind of the symbols.
            limit: known symbols at most, that of the unknown left out.
            symbols: known symbols, that of the unknown among them; None: those of the texts.
        """
        self.unknown = UNKNOWN[kind]
        counts = Counter(symbol for text in texts for symbol in text)
        counts.pop(self.unknown, None)
        self.counts = counts
        known = counts.most_common(limit)
        self.symbols = (self.unknown, *(symbol for symbol, _ in known)) if symbols is None else tuple(symbols)
        self._known = frozenset(self.symbols)
        self.rare = frozenset(symbol for symbol, count in known if count == 1 and symbol in self._known)

    def read(self, text: Sequence[str], forget: Random | None = None) -> list[str]:
        """A text with the unknown symbol in place of all that are not known, and of half of the rare ones at random."""
        return [symbol if self._is_read(symbol, forget) else self.unknown for symbol in text]

    def without_rare(self, text: Sequence[str]) -> list[str]:
        """A text with the unknown symbol in place of all that are not known, and of all rare ones."""
        often = self._known - self.rare
        return [symbol if symbol in often else self.unknown for symbol in text]

    def _is_read(self, symbol: str, forget: Random | None) -> bool:
        forgotten = forget is not None and symbol in self.rare and forget.random() < 0.5
        return symbol in self._known and not forgotten
