"""Naming tokens as people read them: sub-words, the words that they are parts of, sentences, special tokens."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase
from transformers.convert_slow_tokenizer import bytes_to_unicode

from attnviz.trace import Tokens

__all__ = ["BROKEN", "label_of", "name_tokens", "plain_tokens"]

CJK = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
WORD = re.compile(rf"[{CJK}]|[^\W{CJK}]+(?:['’][^\W{CJK}]+)*|[^\w\s]")
"""A word: letters and digits with apostrophes between them, one Chinese, Japanese or Korean character, or a sign."""
SPACE = "\u2581"  # what SentencePiece writes for a space
BROKEN = "\ufffd"
"""What stands for bytes that are no character."""
BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
"""How SentencePiece names a token that is one byte."""
BYTES = {char: byte for byte, char in bytes_to_unicode().items()}
"""What byte-level tokenizers write for each byte."""


def name_tokens(tokenizer: PreTrainedTokenizerBase, encoded: Any, text: str, second: str | None = None) -> Tokens:
    """Return the tokens of an encoded text, or of two: labels, special ones, words and sentences.

    Words need to know where in the text each token stands; only the fast tokenizers tell.
    """
    ids = [int(index) for index in encoded["input_ids"]]
    special = [bool(flag) for flag in encoded["special_tokens_mask"]]
    labels = tuple(label_of(tokenizer, index) for index in ids)
    specials = tuple(position for position, flag in enumerate(special) if flag)
    if not tokenizer.is_fast:
        return Tokens(tuple(ids), labels, specials)
    sentences: list[int | None] = [
        None if flag else number for flag, number in zip(special, encoded.sequence_ids(), strict=True)
    ]
    spans = encoded.encodings[0].offsets
    words = _words(sentences, spans, [text] if second is None else [text, second])
    merges = len({word for word in words if word is not None}) < sum(word is not None for word in words)
    return Tokens(tuple(ids), labels, specials, words if merges else (), tuple(sentences) if second else ())


def _words(
    sentences: Sequence[int | None], spans: Sequence[tuple[int, int]], texts: Sequence[str]
) -> tuple[int | None, ...]:
    """Return the index of the word in which each token begins, white space before it apart; None for special tokens."""
    starts = [[match.start() for match in WORD.finditer(text)] for text in texts]
    number: dict[object, int] = {}
    words: list[int | None] = []
    for position, (sentence, (start, end)) in enumerate(zip(sentences, spans, strict=True)):
        if sentence is None:
            words.append(None)
            continue
        piece = texts[sentence][start:end]
        begin = start + len(piece) - len(piece.lstrip())
        before = bisect_right(starts[sentence], begin)  # words that begin no later
        # white space alone, or nothing at all, is a word of its own
        key = (sentence, before) if before and piece.strip() else ("", position)
        words.append(number.setdefault(key, len(number)))
    return tuple(words)


def plain_tokens(ids: Sequence[int] | int, tokenizer: PreTrainedTokenizerBase | None = None) -> Tokens:
    """Return the tokens of which nothing but the ids is known, or only their number."""
    if isinstance(ids, int):
        return Tokens((), tuple(str(position) for position in range(ids)))
    if tokenizer is None:
        return Tokens(tuple(ids), tuple(map(str, ids)))
    known = set(tokenizer.all_special_ids)
    labels = tuple(label_of(tokenizer, index) for index in ids)
    return Tokens(tuple(ids), labels, tuple(position for position, index in enumerate(ids) if index in known))


def label_of(tokenizer: PreTrainedTokenizerBase, index: int) -> str:
    r"""Return the label of a token: its text with its own spaces, and "##" before the later parts of a word.

    A token that is only some bytes of a character is named by them, as "\\xf0\\x9f".
    """
    token = tokenizer.convert_ids_to_tokens(index)
    if token is None:  # the model has more outputs than the tokenizer has tokens
        return f"<{index}>"
    if index in tokenizer.all_special_ids or token.startswith("##"):
        return str(token)
    if SPACE in token:
        return str(token).replace(SPACE, " ")
    text = tokenizer.decode([index], clean_up_tokenization_spaces=False)
    if text and BROKEN not in text:
        return str(text)
    if byte := BYTE_TOKEN.fullmatch(token):
        return f"\\x{byte[1].lower()}"
    return "".join(f"\\x{BYTES[char]:02x}" for char in token) if BYTES.keys() >= set(token) else str(token)
