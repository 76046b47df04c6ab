"""Byte-pair pieces, trained on texts by the `tokenizers` library."""

from __future__ import annotations

import json
from collections.abc import Iterable

from attnviz.tasks.language.vocabulary import UNKNOWN
from attnviz.tokenizers import BLANK, Tokenizer

__all__ = ["trained_pieces"]


def trained_pieces(texts: Iterable[str], size: int, *, add_bos: bool = False) -> Tokenizer:
    """Train byte-pair pieces: characters first, then again and again the commonest two neighbours within a word.

    Args:
        texts: texts to learn from.
        size: pieces at most, the one for unknown characters included; there are fewer where texts are few.
        add_bos: whether the tokenizer begins with `<bos>`.

    Example:
        >>> tokenizer = trained_pieces(["low lower lowest"] * 9, 12)
        >>> tokenizer.split("lowest slow")
        ['▁low', 'e', 's', 't', '▁', 's', 'lo', 'w']

    Source:
        Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword Units".
    """
    from tokenizers import Tokenizer as Pieces
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import Split
    from tokenizers.trainers import BpeTrainer

    unknown = UNKNOWN["pieces"]
    pieces = Pieces(BPE(unk_token=unknown))
    pieces.pre_tokenizer = Split(BLANK, "merged_with_next")
    trainer = BpeTrainer(
        vocab_size=size,
        special_tokens=[unknown],
        initial_alphabet=[BLANK],
        limit_alphabet=size - 1,
        show_progress=False,
    )
    whole = (BLANK.join(["", *text.replace(BLANK, " ").replace(unknown, " ").split()]) for text in texts)
    pieces.train_from_iterator(whole, trainer)
    model = json.loads(pieces.to_str())["model"]
    symbols = sorted(model["vocab"], key=model["vocab"].__getitem__)
    merges = tuple((left, right) for left, right in model["merges"])
    return Tokenizer("pieces", tuple(symbols), add_bos=add_bos, unknown=unknown, merges=merges)
