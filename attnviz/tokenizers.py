"""Text to token ids and back: a symbol the model does not know is an error, or stands as the one for the unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from torch import Tensor

from attnviz.errors import EmptyText, SettingNotOffered, SettingOutside, UnknownSymbols

__all__ = ["SPECIALS", "Kind", "Tokenizer"]

Kind = Literal["symbols", "characters"]
SPECIALS = ("<pad>", "<bos>", "<eos>")


@dataclass(frozen=True)
class Tokenizer:
    """Splits a text into symbols of a fixed vocabulary.

    Ids: 0 `<pad>`, 1 `<bos>`, 2 `<eos>`, then `symbols` in their order. Special tokens cannot be typed: the text
    `<bos>` is read as the five characters or the unknown symbol that it is.

    Attributes:
        kind: "symbols" are separated by white space; "characters" are Unicode code points, white space included.
        symbols: the ordinary symbols.
        add_bos: encode() begins with `<bos>`.
        add_eos: encode() ends with `<eos>`.
        unknown: the symbol that stands for all others, one of `symbols`; "": others are refused.

    Example:
        >>> tokenizer = Tokenizer("symbols", ("a", "b"), add_bos=True)
        >>> tokenizer.encode(" b  a ")
        [1, 4, 3]
        >>> tokenizer.decode([1, 4, 3])
        'b a'
    """

    kind: Kind
    symbols: tuple[str, ...]
    add_bos: bool = False
    add_eos: bool = False
    unknown: str = ""

    pad_id = 0
    bos_id = 1
    eos_id = 2
    n_specials = len(SPECIALS)
    width = 0  # numbers of a token

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise SettingNotOffered("kind", self.kind, get_args(Kind))
        if not self.symbols or len(set(self.symbols)) != len(self.symbols):
            raise SettingOutside("symbols", "".join(self.symbols), "distinct")
        if self.unknown and self.unknown not in self.symbols:
            raise SettingOutside("unknown", self.unknown, "own-symbol")
        for symbol in self.symbols:
            fits = len(symbol) == 1 if self.kind == "characters" else symbol.split() == [symbol]
            if not fits:
                raise SettingOutside("symbol", symbol, self.kind)

    @cached_property
    def vocab(self) -> tuple[str, ...]:
        """All tokens in the order of their ids, special tokens first."""
        return SPECIALS + self.symbols

    @property
    def vocab_size(self) -> int:
        """Number of ids, special tokens included."""
        return len(self.vocab)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {symbol: index for index, symbol in enumerate(self.symbols, start=self.n_specials)}

    def split(self, text: str) -> list[str]:
        """Return the symbols of a text, known or not."""
        return text.split() if self.kind == "symbols" else list(text)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, with `<bos>` and `<eos>` where this tokenizer adds them.

        Raises:
            EmptyText: nothing but white space.
            UnknownSymbols: names every symbol outside the vocabulary, where none stands for them.
        """
        if not text.strip():
            raise EmptyText
        ids = self.encode_symbols(self.split(text))
        return [self.bos_id] * self.add_bos + ids + [self.eos_id] * self.add_eos

    def encode_symbols(self, symbols: Sequence[str]) -> list[int]:
        """Return the ids of ordinary symbols, nothing added.

        Raises:
            UnknownSymbols: names every symbol outside the vocabulary, where none stands for them.
        """
        if self.unknown:
            return [self._ids.get(symbol, self._ids[self.unknown]) for symbol in symbols]
        unknown = list(dict.fromkeys(symbol for symbol in symbols if symbol not in self._ids))
        if unknown:
            raise UnknownSymbols(unknown, self.symbols)
        return [self._ids[symbol] for symbol in symbols]

    def decode(self, ids: Iterable[int], features: Tensor | None = None) -> str:
        """Return the text of token ids; special tokens are left out."""
        separator = " " if self.kind == "symbols" else ""
        return separator.join(self.vocab[index] for index in ids if index >= self.n_specials)

    def label(self, index: int) -> str:
        """Return the label of a token: the symbol itself, or the name of the special token."""
        return self.vocab[index]

    def labels(self, ids: Sequence[int], features: Tensor | None = None) -> tuple[str, ...]:
        """Return the labels of tokens."""
        return tuple(map(self.label, ids))

    def features(self, text: str) -> Tensor | None:
        """Symbols have no numbers of their own; see `attnviz.vectors` for tokens that do."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        values = {"kind": self.kind, "symbols": list(self.symbols), "add_bos": self.add_bos, "add_eos": self.add_eos}
        return values | ({"unknown": self.unknown} if self.unknown else {})

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Tokenizer:
        """Return the tokenizer that `to_dict` described."""
        return cls(**{**values, "symbols": tuple(values["symbols"])})
