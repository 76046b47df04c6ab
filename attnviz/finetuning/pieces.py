"""The word pieces of a pretrained model, with the face of a tokenizer of ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from tokenizers import Tokenizer as Backend
from torch import Tensor

__all__ = ["Read", "WordPieces"]

SPACES = {"Ġ": " ", "▁": " ", "Ċ": "\n"}  # how tokenizers write white space


class Read(NamedTuple):
    """A text as it is read.

    Attributes:
        ids: its tokens, special ones included, cut where the model ends.
        words: of each token its word, None for special ones.
        cut: tokens that did not fit.
        end: characters of the text, or of its last word, up to where it is cut.
    """

    ids: list[int]
    words: list[int | None]
    cut: int
    end: int


class WordPieces:
    """Reads as a pretrained model reads, from a tokenizer.json.

    Args:
        text: content of the tokenizer.json.
        max_len: tokens of a text, special ones included.
        pad_id: id that fills short texts up.
    """

    kind = "pieces"
    n_specials = 0
    unknown = ""

    def __init__(self, text: str, max_len: int, pad_id: int) -> None:
        self._backend = Backend.from_str(text)
        self._backend.no_padding()
        self._backend.enable_truncation(max_len)
        self.pad_id = self.bos_id = self.eos_id = pad_id

    @property
    def vocab_size(self) -> int:
        """Number of pieces."""
        return int(self._backend.get_vocab_size())

    @cached_property
    def vocab(self) -> tuple[str, ...]:
        """Every piece."""
        return tuple(self.label(index) for index in range(self.vocab_size))

    def read(self, text: str | Sequence[str]) -> Read:
        """Read a text, or the words of one."""
        found: Any = self._backend.encode(text, is_pretokenized=not isinstance(text, str))
        cut = sum(part.special_tokens_mask.count(0) for part in found.overflowing)
        end = next((stop for start, stop in reversed(found.offsets) if stop > start), 0)
        return Read(list(found.ids), list(found.word_ids), cut, end)

    def knows(self, read: Read) -> bool:
        """Whether a text, as it is read, has a piece that the vocabulary has: none of it is one unknown token."""
        model: Any = self._backend.model
        unknown = self._backend.token_to_id(getattr(model, "unk_token", None) or "")
        return any(word is not None and index != unknown for index, word in zip(read.ids, read.words, strict=True))

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, special ones included."""
        return self.read(text).ids

    def split(self, text: str) -> list[str]:
        """Return the pieces of a text."""
        return [self.label(index) for index in self.encode(text)]

    def decode(self, ids: Iterable[int], features: Tensor | None = None) -> str:
        """Return the text of tokens, without special ones."""
        return str(self._backend.decode(list(ids), skip_special_tokens=True))

    def label(self, index: int) -> str:
        """Return the label of a token; white space is white space in it."""
        piece = self._backend.id_to_token(index) or ""
        return "".join(SPACES.get(sign, sign) for sign in piece)

    def labels(self, ids: Sequence[int], features: Tensor | None = None) -> tuple[str, ...]:
        """Return the labels of tokens."""
        return tuple(map(self.label, ids))
