"""Copying: the source's token in place of an unknown one that was written, by where cross-attention looked."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

__all__ = ["copied"]


def copied(written: Sequence[str], source: Sequence[str], weights: Tensor, unknown: str) -> list[str]:
    """Return what was written, with the source's token that was read most in place of each unknown one.

    Args:
        written: (Tq,) symbols that each position of the decoder wrote.
        source: (Tk,) symbols of the source, the unknown ones as they were typed.
        weights: (Tq, Tk) cross-attention of the last layer, mean over its heads.
        unknown: the symbol that stands for the unknown.

    Example:
        >>> import torch
        >>> copied(["in", "<unk>"], ["à", "Reykjavík"], torch.tensor([[0.9, 0.1], [0.2, 0.8]]), "<unk>")
        ['in', 'Reykjavík']

    Source:
        Jean, Cho, Memisevic and Bengio 2015, "On Using Very Large Target Vocabulary for Neural Machine Translation",
        section 3.3: unknown words are replaced by aligned source words.
    """
    read = weights.argmax(-1).tolist()
    return [source[read[place]] if symbol == unknown else symbol for place, symbol in enumerate(written)]
