"""Character language models: pieces of a text to predict, and the models that learn them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import Batch, Task
from attnviz.tasks.pattern import Pattern, previous_token
from attnviz.tokenizers import Tokenizer

__all__ = ["CharacterTask", "pieces"]


def pieces(ids: Tensor, starts: Tensor, length: int) -> Batch:
    """Pieces of a text, each character to be predicted from those before it; `<bos>` stands before the first.

    Args:
        ids: (N,) the whole text.
        starts: (B,) where the pieces begin.
        length: T, characters of a piece.

    Example:
        >>> batch = pieces(torch.tensor([10, 11, 12, 13]), torch.tensor([1]), 3)
        >>> batch.tokens.tolist(), batch.targets.tolist()
        ([[1, 11, 12]], [[11, 12, 13]])
    """
    targets = ids[starts[:, None] + torch.arange(length)]  # (B, T)
    first = torch.full((len(starts), 1), Tokenizer.bos_id)
    return Batch(torch.cat((first, targets[:, :-1]), 1), targets)


class CharacterTask(Task):
    """A task in which each next character of a text is predicted; `length` tokens are read at once."""

    length: int

    architecture = "decoder"
    metric = "nats per symbol"

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Return the previous character, which some heads read more than any other."""
        return (previous_token(tokens),)

    def model_config(self) -> ModelConfig:
        """Two layers, four heads; it reads as far as it was trained, since rotary positions do not reach further."""
        return self.transformer(self.length, d_model=64, n_heads=4, d_ff=256, positions="rotary", embedding_std=0.25)
