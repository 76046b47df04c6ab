"""Encoder-decoder tasks that read and write texts of different lengths."""

from __future__ import annotations

from collections.abc import Sequence

from attnviz.tasks.base import IGNORE, Batch, collate
from attnviz.tokenizers import Tokenizer

__all__ = ["pair_batch"]


def pair_batch(
    pairs: Sequence[tuple[Sequence[str], Sequence[str]]],
    source_tokenizer: Tokenizer,
    tokenizer: Tokenizer,
    limit: int | None = None,
) -> Batch:
    """Sources to read and targets to write as one batch: the target is read behind `<bos>` and ends with `<eos>`.

    Args:
        pairs: the symbols of each source and of its target.
        source_tokenizer: tokenizer of the sources.
        tokenizer: tokenizer of the targets.
        limit: symbols of a target that are read; of a longer one the next is still written, and no `<eos>`.

    Example:
        >>> batch = pair_batch([("ab", "yx"), ("b", "y")], *(Tokenizer("symbols", tuple(s)) for s in ("ab", "xy")))
        >>> batch.source
        tensor([[3, 4],
                [4, 0]])
        >>> batch.tokens
        tensor([[1, 4, 3],
                [1, 4, 0]])
        >>> batch.targets
        tensor([[   4,    3,    2],
                [   4,    2, -100]])
    """
    written = [tokenizer.encode_symbols(target) for _, target in pairs]
    source, source_padding = collate([source_tokenizer.encode_symbols(source) for source, _ in pairs])
    tokens, padding = collate([[Tokenizer.bos_id, *ids[:limit]] for ids in written])  # (B, T)
    end = None if limit is None else limit + 1
    targets, _ = collate([[*ids, Tokenizer.eos_id][:end] for ids in written], IGNORE)  # (B, T)
    return Batch(tokens, targets, padding, source, source_padding)
