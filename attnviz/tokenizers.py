"""Text to token ids and back: a symbol the model does not know is an error, or stands as the one for the unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from torch import Tensor

from attnviz.errors import EmptyText, SettingNotOffered, SettingOutside, UnknownSymbols

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Pieces

__all__ = ["BLANK", "SPECIALS", "Kind", "Tokenizer"]

Kind = Literal["symbols", "characters", "pieces"]
SPECIALS = ("<pad>", "<bos>", "<eos>")
BLANK = "▁"
"""Stands for a blank in a byte-pair piece."""


@dataclass(frozen=True)
class Tokenizer:
    """Splits a text into symbols of a fixed vocabulary.

    Ids: 0 `<pad>`, 1 `<bos>`, 2 `<eos>`, then `symbols` in their order. Special tokens cannot be typed: the text
    `<bos>` is read as the five characters or the unknown symbol that it is.

    Attributes:
        kind: "symbols" are separated by white space; "characters" are Unicode code points, white space included;
            "pieces" are byte-pair pieces, with "▁" in front of what begins a word.
        symbols: the ordinary symbols.
        add_bos: encode() begins with `<bos>`.
        add_eos: encode() ends with `<eos>`.
        unknown: the symbol that stands for all others, one of `symbols`; "": others are refused.
        merges: of pieces, the two that make a longer one, the first ones first; both and the longer one are symbols.

    Example:
        >>> tokenizer = Tokenizer("symbols", ("a", "b"), add_bos=True)
        >>> tokenizer.encode(" b  a ")
        [1, 4, 3]
        >>> tokenizer.decode([1, 4, 3])
        'b a'
        >>> pieces = Tokenizer("pieces", ("▁", "a", "b", "ab", "▁ab"), merges=(("a", "b"), ("▁", "ab")))
        >>> pieces.split("ab  bab")
        ['▁ab', '▁', 'b', 'ab']

    Source:
        Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword Units".
    """

    kind: Kind
    symbols: tuple[str, ...]
    add_bos: bool = False
    add_eos: bool = False
    unknown: str = ""
    merges: tuple[tuple[str, str], ...] = ()

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
                raise SettingOutside("symbol", symbol, "characters" if self.kind == "characters" else "symbols")
        known = set(self.symbols)
        for left, right in self.merges:
            if not {left, right, left + right} <= known:
                raise SettingOutside("merges", f"{left} {right}", "own-symbol")

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
        if self.kind == "pieces":
            whole = BLANK.join(["", *text.replace(BLANK, " ").split()])
            found = self._pieces.encode(whole, add_special_tokens=False).offsets
            return [whole[start:end] for start, end in found]
        return text.split() if self.kind == "symbols" else list(text)

    @cached_property
    def _pieces(self) -> Pieces:
        """Return the library's tokenizer; it merges within words, and what it does not know stays a character."""
        from tokenizers import Tokenizer as Pieces
        from tokenizers.models import BPE
        from tokenizers.pre_tokenizers import Split

        vocab = {symbol: place for place, symbol in enumerate(self.symbols)}
        pieces = Pieces(BPE(vocab, list(self.merges), unk_token=self.unknown or None))
        pieces.pre_tokenizer = Split(BLANK, "merged_with_next")
        return pieces

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
        return self.join(self.vocab[index] for index in ids if index >= self.n_specials)

    def join(self, symbols: Iterable[str], before: str = "") -> str:
        """Return the text of some symbols, behind one that stands before them.

        Example:
            >>> pieces = Tokenizer("pieces", ("▁", "a", "▁a"), merges=(("▁", "a"),))
            >>> pieces.join(["▁a", "a"]), pieces.join(["a", "▁a"], "a")
            ('aa', 'aa a')
        """
        if self.kind == "symbols":
            return " ".join(part for part in (before.rstrip(), *symbols) if part)
        text = "".join(symbols)
        if self.kind == "characters":
            return before + text
        return (before + text.replace(BLANK, " ")) if before else text.replace(BLANK, " ").lstrip(" ")

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
        values: dict[str, Any] = {
            "kind": self.kind,
            "symbols": list(self.symbols),
            "add_bos": self.add_bos,
            "add_eos": self.add_eos,
        }
        values |= {"unknown": self.unknown} if self.unknown else {}
        return values | ({"merges": [list(pair) for pair in self.merges]} if self.merges else {})

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Tokenizer:
        """Return the tokenizer that `to_dict` described."""
        merges = tuple((left, right) for left, right in values.get("merges", ()))
        return cls(**{**values, "symbols": tuple(values["symbols"]), "merges": merges})
