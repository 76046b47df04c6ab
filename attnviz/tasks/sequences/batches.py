"""Batches of sequences whose answer stands at `<bos>`, or is what a decoder writes on."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from attnviz.tasks.base import IGNORE, Batch
from attnviz.tokenizers import Tokenizer

__all__ = ["answer_at_bos", "letters_of_lengths", "rewritten", "written_on"]


def answer_at_bos(symbols: Tensor, answers: Tensor) -> Batch:
    """Sequences (B, N), padded at the end where they differ in length, of one answer each (B,), due at `<bos>`.

    Example:
        >>> answer_at_bos(torch.tensor([[5, 6]]), torch.tensor([7]))
        Batch(tokens=tensor([[1, 5, 6]]), targets=tensor([[   7, -100, -100]]), padding=None, source=None, \
source_padding=None, features=None, values=None, weights=None)
    """
    tokens = torch.cat((torch.full((len(symbols), 1), Tokenizer.bos_id), symbols), 1)  # (B, T)
    targets = torch.full_like(tokens, IGNORE)
    targets[:, 0] = answers
    real = tokens != Tokenizer.pad_id
    return Batch(tokens, targets, None if bool(real.all()) else real)


def written_on(whole: Tensor, given: int) -> Batch:
    """Return the sequences (B, T + 1) of which a decoder is given the first tokens, and writes the others.

    Example:
        >>> batch = written_on(torch.tensor([[5, 6, 7, 8]]), 2)
        >>> batch.tokens.tolist(), batch.targets.tolist()
        ([[5, 6, 7]], [[-100, 7, 8]])
    """
    targets = whole[:, 1:].clone()
    targets[:, : given - 1] = IGNORE
    return Batch(whole[:, :-1], targets)


def letters_of_lengths(letters: Tensor, shortest: int, generator: Generator) -> Tensor:
    """The beginnings of rows of letters (B, N), padded with 0; every length from the shortest on is as frequent."""
    n, longest = letters.shape
    lengths = torch.randint(shortest, longest + 1, (n, 1), generator=generator)
    return letters.where(torch.arange(longest) < lengths, Tokenizer.pad_id)


def rewritten(letters: Tensor, answers: Tensor, marker: int) -> Batch:
    """Return the letters, a marker, and then what a decoder writes: as many letters, and `<eos>`.

    Args:
        letters: (B, N), padded with 0.
        answers: (B, N), each as long as its letters.
        marker: token between the two.

    Example:
        >>> batch = rewritten(torch.tensor([[6, 5, 0]]), torch.tensor([[5, 6, 0]]), marker=9)
        >>> batch.tokens.tolist(), batch.targets.tolist()
        ([[6, 5, 9, 5, 6, 0, 0]], [[-100, -100, 5, 6, 2, -100, -100]])
    """
    n, longest = letters.shape
    lengths = (letters > 0).sum(1, keepdim=True)  # (B, 1)
    places = torch.arange(2 * longest + 2)  # (T + 1,)
    padded = torch.cat((letters, torch.zeros(n, longest + 2, dtype=torch.int64)), 1)
    whole = padded.where(places < lengths, answers.gather(1, (places - lengths - 1).clamp(0, longest - 1)))
    whole = whole.where(places != lengths, marker)
    whole = whole.where(places <= 2 * lengths, Tokenizer.eos_id)
    padding = places[:-1] <= 2 * lengths
    targets = whole[:, 1:].where((places[:-1] >= lengths) & padding, IGNORE)
    return Batch(whole[:, :-1].where(padding, Tokenizer.pad_id), targets, padding)
