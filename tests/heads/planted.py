"""Made-up heads whose weights are given: those that read in a known way, and others that nearly do."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor

from attnviz.attention import Mask
from attnviz.trace import AttentionSite, Tokens

LENGTH, TEXTS = 48, 6
LETTERS = "abcdefghijkl.;"

Reads = Callable[[list[str], int, int], bool]
"""Whether a query reads a key of a text."""


class Planted(NamedTuple):
    """A head: the label it deserves ("" for none), its way to read, and how much it reads so."""

    label: str
    reads: Reads
    strength: float
    temperature: float = 0.5  # of the rest, which is noise


def at(distance: int) -> Reads:
    return lambda text, query, key: key == query + distance


def same(text: list[str], query: int, key: int) -> bool:
    return text[query] == text[key] and abs(query - key) > 1


def separator(text: list[str], query: int, key: int) -> bool:
    return key > 0 and text[key] in ".;"


def induction(text: list[str], query: int, key: int) -> bool:
    return 0 < key < query - 1 and text[key - 1] == text[query]


def before_an_occurrence(text: list[str], query: int, key: int) -> bool:
    return key + 1 < query and text[key + 1] == text[query]


def of_every_third(reads: Reads) -> Reads:
    """The same way for a third of the queries only."""
    return lambda text, query, key: query % 3 == 0 and reads(text, query, key)


WAYS: dict[str, list[Reads]] = {
    "previous": [at(-1)],
    "itself": [at(0)],
    "next": [at(1)],
    "positional": [at(d) for d in (-2, -3, -4, -5, -7)],
    "same": [same],
    "first": [lambda text, query, key: key == 0],
    "separator": [separator],
    "induction": [induction],
}

NEAR_MISSES: list[Reads] = [
    lambda text, query, key: query - 3 <= key < query,
    lambda text, query, key: key in (1, 2, 3),
    lambda text, query, key: key == LENGTH - 1 - query,
    lambda text, query, key: key == query // 2,
    lambda text, query, key: text[key] in "abc",
    before_an_occurrence,
    at(-11),
    at(-13),
]


def planted_heads(n: int, causal: bool, random: Random) -> list[Planted]:
    """Half of them deserve a label; the others read so too little, or for too few queries, or in another way."""
    names = [name for name in WAYS if not (causal and name == "next")]
    heads = []
    for index in range(n):
        name = names[index % len(names)]
        reads = random.choice(WAYS[name])
        if index % 2 == 0:
            heads.append(Planted(name, reads, random.uniform(0.6, 0.95)))
        elif index % 3 == 0:
            heads.append(Planted("", reads, random.uniform(0.05, 0.3), random.uniform(0.2, 1.5)))
        elif index % 3 == 1:
            heads.append(Planted("", random.choice(NEAR_MISSES), random.uniform(0.5, 0.95)))
        else:
            heads.append(Planted("", of_every_third(reads), random.uniform(0.5, 0.95)))
    return heads


def planted_trace(heads: list[Planted], causal: bool, random: Random) -> SimpleNamespace:
    """One random text as the heads read it."""
    text = random.choices(LETTERS, k=LENGTH)
    generator = torch.Generator().manual_seed(random.randrange(2**31))
    allowed = Mask(causal=causal).allowed(LENGTH, LENGTH)
    weights = torch.stack([_weights(head, text, allowed, generator) for head in heads])
    nothing = torch.zeros(1, LENGTH, 1)
    site = AttentionSite(
        name="decoder.0.self",
        layer=0,
        stack="decoder",
        kind="self",
        queries="decoder",
        keys="decoder",
        scoring="scaled_dot",
        q=nothing.expand(len(heads), -1, -1),
        k=nothing.expand(len(heads), -1, -1),
        v=nothing.expand(len(heads), -1, -1),
        w_o=None,
        bias=weights.clamp(min=1e-30).log(),
        mask=Mask(causal=causal),
    )
    return SimpleNamespace(sequences={"decoder": Tokens(tuple(map(ord, text)), tuple(text))}, sites=(site,))


def _weights(head: Planted, text: list[str], allowed: Tensor, generator: torch.Generator) -> Tensor:
    noise = torch.randn(LENGTH, LENGTH, generator=generator) * head.temperature * 2
    noise = noise.masked_fill(~allowed, float("-inf")).softmax(1)
    cells = torch.tensor([[head.reads(text, q, k) for k in range(LENGTH)] for q in range(LENGTH)]) & allowed
    reads = cells / cells.sum(1, keepdim=True).clamp(min=1)
    strength = head.strength * cells.any(1, keepdim=True)
    return strength * reads + (1 - strength) * noise
